//! What was not sent yet, by stream, and whose turn it is (RFC 8260 §3.6: weighted fair queueing by priority).

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use foldhash::fast::FixedState;

use crate::messages::{MessageId, Messages};

/// A message is not cut to fill less room than this.
const SMALLEST_PIECE: usize = 128;
/// A byte at priority 1; so that priorities divide it finely.
const BYTE_COST: u64 = 1 << 16;
const DEFAULT_PRIORITY: u16 = 256;

/// The next bytes to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) message: MessageId,
    pub(crate) offset: usize,
    pub(crate) len: usize,
    pub(crate) is_begin: bool,
    pub(crate) is_end: bool,
    /// How many pieces of the message were sent before.
    pub(crate) fsn: u32,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Piece(Piece),
    /// Its time is over. Nothing of it is queued any more; some of it may be under way.
    Expired(MessageId),
}

#[derive(Debug)]
struct Stream {
    waiting: VecDeque<MessageId>,
    /// How much of the first one is sent.
    sent: usize,
    queued: usize,
    threshold: usize,
    priority: u16,
    next_ordered: u32,
    next_unordered: u32,
    /// Its place among the others: the smaller, the sooner.
    turn: u64,
    is_paused: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            sent: 0,
            queued: 0,
            threshold: 0,
            priority: DEFAULT_PRIORITY,
            next_ordered: 0,
            next_unordered: 0,
            turn: 0,
            is_paused: false,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    streams: HashMap<u16, Stream, FixedState>,
    /// Those with something to send, by turn.
    ready: BTreeSet<(u64, u16)>,
    clock: u64,
    /// Without interleaving a message that was begun is ended before any other.
    begun: Option<u16>,
    pub(crate) is_interleaving: bool,
    queued: usize,
    fallen: Vec<u16>,
}

impl SendQueue {
    /// Bytes of all streams.
    pub(crate) fn total(&self) -> usize {
        self.queued
    }

    pub(crate) fn queued(&self, stream: u16) -> usize {
        self.streams.get(&stream).map_or(0, |stream| stream.queued)
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(crate) fn set_threshold(&mut self, stream: u16, bytes: usize) {
        self.streams.entry(stream).or_default().threshold = bytes;
    }

    pub(crate) fn set_priority(&mut self, stream: u16, priority: u16) {
        self.streams.entry(stream).or_default().priority = priority.max(1);
    }

    pub(crate) fn has_fallen(&self) -> bool {
        !self.fallen.is_empty()
    }

    /// A stream whose amount has fallen to its threshold since this was asked last.
    pub(crate) fn pop_fallen(&mut self) -> Option<u16> {
        self.fallen.pop()
    }

    pub(crate) fn push(&mut self, stream: u16, message: MessageId, len: usize) {
        let clock = self.clock;
        let entry = self.streams.entry(stream).or_default();
        entry.waiting.push_back(message);
        entry.queued += len;
        self.queued += len;
        if entry.waiting.len() == 1 && !entry.is_paused {
            entry.turn = entry.turn.max(clock);
            self.ready.insert((entry.turn, stream));
        }
    }

    /// The next piece of at most `room` bytes. `None`: nothing, or nothing that is worth cutting.
    pub(crate) fn next(&mut self, now: Instant, room: usize, messages: &mut Messages) -> Option<Next> {
        let stream = self.begun.or_else(|| self.ready.first().map(|(_, stream)| *stream))?;
        let entry = self.streams.get_mut(&stream)?;
        let id = *entry.waiting.front()?;
        let message = messages.at_mut(id);
        let left = message.message.payload.len() - entry.sent;
        if message.expires.is_some_and(|at| at <= now) {
            self.drop_first(stream, left);
            return Some(Next::Expired(id));
        }
        if left > room && room < SMALLEST_PIECE {
            return None;
        }
        let offset = entry.sent;
        if offset == 0 {
            let number = if message.is_unordered && self.is_interleaving {
                &mut entry.next_unordered
            } else {
                &mut entry.next_ordered
            };
            message.number = *number;
            // DATA numbers its ordered messages alone.
            if self.is_interleaving || !message.is_unordered {
                *number = number.wrapping_add(1);
            }
        }
        let len = left.min(room);
        let (is_begin, is_end, fsn) = (offset == 0, len == left, message.pieces);
        let piece = Piece { message: id, offset, len, is_begin, is_end, fsn };
        message.pieces += 1;
        message.is_sent = piece.is_end;
        message.under_way += 1;
        self.ready.remove(&(entry.turn, stream));
        self.clock = self.clock.max(entry.turn);
        entry.turn += len as u64 * BYTE_COST / u64::from(entry.priority);
        if piece.is_end {
            entry.waiting.pop_front();
            entry.sent = 0;
        } else {
            entry.sent += len;
        }
        self.begun = (!piece.is_end && !self.is_interleaving).then_some(stream);
        self.take(stream, len);
        Some(Next::Piece(piece))
    }

    /// The rest of a message that was begun is not sent.
    pub(crate) fn give_up(&mut self, stream: u16, message: MessageId, messages: &Messages) {
        let Some(entry) = self.streams.get(&stream) else { return };
        if entry.sent > 0 && entry.waiting.front() == Some(&message) {
            self.drop_first(stream, messages.at(message).message.payload.len() - entry.sent);
        }
    }

    /// Forgets what of this stream was not begun.
    pub(crate) fn clear(&mut self, stream: u16, messages: &mut Messages) {
        let Some(entry) = self.streams.get_mut(&stream) else { return };
        let kept = usize::from(entry.sent > 0);
        let mut bytes = 0;
        for id in entry.waiting.drain(kept..) {
            bytes += messages.at(id).message.payload.len();
            messages.remove(id);
        }
        self.ready.remove(&(entry.turn, stream));
        self.take(stream, bytes);
    }

    /// Nothing of this stream is sent until it goes on.
    pub(crate) fn pause(&mut self, stream: u16) {
        let entry = self.streams.entry(stream).or_default();
        entry.is_paused = true;
        self.ready.remove(&(entry.turn, stream));
    }

    /// `anew`: its messages are numbered from 0 again.
    pub(crate) fn resume(&mut self, stream: u16, anew: bool) {
        let clock = self.clock;
        let Some(entry) = self.streams.get_mut(&stream) else { return };
        entry.is_paused = false;
        if anew {
            (entry.next_ordered, entry.next_unordered) = (0, 0);
            if entry.waiting.is_empty() {
                // Nothing is left of it that a new user of the stream should find.
                self.streams.remove(&stream);
                return;
            }
        }
        if !entry.waiting.is_empty() {
            entry.turn = entry.turn.max(clock);
            self.ready.insert((entry.turn, stream));
        }
    }

    fn drop_first(&mut self, stream: u16, left: usize) {
        let Some(entry) = self.streams.get_mut(&stream) else { return };
        entry.waiting.pop_front();
        entry.sent = 0;
        self.ready.remove(&(entry.turn, stream));
        if self.begun == Some(stream) {
            self.begun = None;
        }
        self.take(stream, left);
    }

    /// So much is not queued any more; keeps the stream's place if there is more.
    fn take(&mut self, stream: u16, bytes: usize) {
        let Some(entry) = self.streams.get_mut(&stream) else { return };
        let before = entry.queued;
        entry.queued -= bytes;
        self.queued -= bytes;
        if before > entry.threshold && entry.queued <= entry.threshold {
            self.fallen.push(stream);
        }
        if !entry.waiting.is_empty() && !entry.is_paused {
            self.ready.insert((entry.turn, stream));
        }
    }
}
