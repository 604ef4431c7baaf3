//! From pieces to messages, and from messages to their order (RFC 9260 §6.5, §6.9; RFC 8260 §2.2).

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

use crate::api::Message;
use crate::chunk::Data;
use crate::serial::{first, near16, near32};
use crate::skipped::Skip;

/// What keeping a piece costs beside its bytes.
const PIECE_COST: usize = 64;

/// Where a piece belongs: after the piece before it. Pieces of a DATA message have TSNs in a row; those of an I-DATA
/// message are counted from 0 within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Stream, unordered or not, message: of I-DATA. DATA needs none of it.
    message: (u16, bool, u32),
    position: u64,
}

#[derive(Debug)]
struct Partial {
    stream: u16,
    number: u32,
    is_unordered: bool,
    ppid: u32,
    payload: Vec<u8>,
    pieces: usize,
}

#[derive(Debug)]
struct Parked {
    payload: Vec<u8>,
    is_end: bool,
}

#[derive(Debug)]
struct Stream {
    /// The message that is next in order.
    next: u64,
    early: BTreeMap<u64, Message>,
}

#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    is_interleaving: bool,
    streams: HashMap<u16, Stream, FixedState>,
    /// Messages that were begun, by the place of the piece they wait for.
    partial: BTreeMap<Place, Partial>,
    /// Pieces whose predecessor is missing.
    parked: BTreeMap<Place, Parked>,
    held: usize,
}

impl Reassembly {
    pub(crate) fn new(is_interleaving: bool) -> Self {
        Self { is_interleaving, ..Self::default() }
    }

    /// Bytes kept here, and what keeping them costs.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// A piece that was not here before. Whole messages go to `out`.
    pub(crate) fn add(&mut self, tsn: u64, data: &Data<'_>, out: &mut Vec<Message>) {
        if data.is_begin && data.is_end {
            return self.deliver(data.number, data.is_unordered, data.into_message(), out);
        }
        let mut place = self.place(tsn, data);
        self.held += data.payload.len() + PIECE_COST;
        if data.is_begin {
            // Whoever waited for this place was given up by the sender.
            if let Some(old) = self.partial.remove(&place) {
                self.held -= old.payload.len() + old.pieces * PIECE_COST;
            }
            let partial = Partial {
                stream: data.stream,
                number: data.number,
                is_unordered: data.is_unordered,
                ppid: data.ppid,
                payload: data.payload.to_vec(),
                pieces: 1,
            };
            place.position += 1;
            self.go_on(place, partial, false, out);
        } else if let Some(mut partial) = self.partial.remove(&place) {
            partial.payload.extend_from_slice(data.payload);
            partial.pieces += 1;
            place.position += 1;
            self.go_on(place, partial, data.is_end, out);
        } else {
            self.parked.insert(place, Parked { payload: data.payload.to_vec(), is_end: data.is_end });
        }
    }

    /// The sender gives up everything up to this TSN, and these messages.
    pub(crate) fn skip(&mut self, cumulative: u64, skips: impl Iterator<Item = Skip>, out: &mut Vec<Message>) {
        if !self.is_interleaving {
            let dead = |place: &Place| place.position <= cumulative;
            self.drop_partial(|place, _| dead(place));
            self.drop_parked(dead);
        }
        for skip in skips {
            let is_gone = |stream: u16, is_unordered: bool, number: u32| {
                let is_before = number.wrapping_sub(skip.number) as i32 <= 0;
                stream == skip.stream && is_unordered == skip.is_unordered && is_before
            };
            if self.is_interleaving {
                self.drop_partial(|_, partial| is_gone(partial.stream, partial.is_unordered, partial.number));
                self.drop_parked(|place| is_gone(place.message.0, place.message.1, place.message.2));
            }
            if skip.is_unordered {
                continue;
            }
            let is_interleaving = self.is_interleaving;
            let stream = self.stream(skip.stream);
            let number = unwrap(is_interleaving, stream.next, skip.number);
            if number < stream.next {
                continue;
            }
            stream.next = number + 1;
            let later = stream.early.split_off(&(number + 1));
            let whole = std::mem::replace(&mut stream.early, later);
            for message in whole.into_values() {
                self.held -= message.payload.len() + PIECE_COST;
                out.push(message);
            }
            self.deliver_early(skip.stream, out);
        }
    }

    /// These streams begin anew; none named is all.
    pub(crate) fn reset(&mut self, streams: &[u16]) {
        let is_named = |stream: u16| streams.is_empty() || streams.contains(&stream);
        self.drop_partial(|_, partial| is_named(partial.stream));
        let mut freed = 0;
        self.streams.retain(|id, stream| {
            let is_kept = !is_named(*id);
            if !is_kept {
                freed += stream.early.values().map(|message| message.payload.len() + PIECE_COST).sum::<usize>();
            }
            is_kept
        });
        self.held -= freed;
    }

    fn place(&self, tsn: u64, data: &Data<'_>) -> Place {
        if self.is_interleaving {
            Place { message: (data.stream, data.is_unordered, data.number), position: data.fsn.into() }
        } else {
            Place { message: (0, false, 0), position: tsn }
        }
    }

    /// Appends what waits for this message already; delivers it, or keeps it until its next piece comes.
    fn go_on(&mut self, mut place: Place, mut partial: Partial, mut is_end: bool, out: &mut Vec<Message>) {
        while !is_end && let Some(next) = self.parked.remove(&place) {
            partial.payload.extend_from_slice(&next.payload);
            partial.pieces += 1;
            place.position += 1;
            is_end = next.is_end;
        }
        if is_end {
            self.held -= partial.payload.len() + partial.pieces * PIECE_COST;
            let message = Message { stream: partial.stream, ppid: partial.ppid, payload: partial.payload };
            self.deliver(partial.number, partial.is_unordered, message, out);
        } else if let Some(other) = self.partial.insert(place, partial) {
            // Two messages that go on at the same place: the sender makes no sense, and the older one loses.
            self.held -= other.payload.len() + other.pieces * PIECE_COST;
        }
    }

    fn deliver(&mut self, number: u32, is_unordered: bool, message: Message, out: &mut Vec<Message>) {
        if is_unordered {
            return out.push(message);
        }
        let (is_interleaving, id) = (self.is_interleaving, message.stream);
        let stream = self.stream(id);
        let number = unwrap(is_interleaving, stream.next, number);
        if number == stream.next {
            stream.next += 1;
            out.push(message);
            self.deliver_early(id, out);
        } else if number > stream.next {
            let cost = message.payload.len() + PIECE_COST;
            if stream.early.insert(number, message).is_none() {
                self.held += cost;
            }
        }
    }

    fn deliver_early(&mut self, id: u16, out: &mut Vec<Message>) {
        let mut freed = 0;
        let stream = self.stream(id);
        while let Some(message) = stream.early.remove(&stream.next) {
            stream.next += 1;
            freed += message.payload.len() + PIECE_COST;
            out.push(message);
        }
        self.held -= freed;
    }

    fn stream(&mut self, id: u16) -> &mut Stream {
        self.streams.entry(id).or_insert_with(|| Stream { next: first(0), early: BTreeMap::new() })
    }

    fn drop_partial(&mut self, is_dropped: impl Fn(&Place, &Partial) -> bool) {
        let mut freed = 0;
        self.partial.retain(|place, partial| {
            let is_kept = !is_dropped(place, partial);
            if !is_kept {
                freed += partial.payload.len() + partial.pieces * PIECE_COST;
            }
            is_kept
        });
        self.held -= freed;
    }

    fn drop_parked(&mut self, is_dropped: impl Fn(&Place) -> bool) {
        let mut freed = 0;
        self.parked.retain(|place, parked| {
            let is_kept = !is_dropped(place);
            if !is_kept {
                freed += parked.payload.len() + PIECE_COST;
            }
            is_kept
        });
        self.held -= freed;
    }
}

fn unwrap(is_interleaving: bool, known: u64, number: u32) -> u64 {
    if is_interleaving { near32(known, number) } else { near16(known, number as u16) }
}
