//! Streams that begin anew (RFC 6525): what closes a data channel (RFC 8831 §6.7).

use std::collections::BTreeSet;
use std::time::Instant;

use crate::api::AssociationEvent;
use crate::association::{Association, State};
use crate::chunk::{self, u16_at, u32_at};
use crate::parameter::{self, INCOMING_RESET, OUTGOING_RESET, RESPONSE};

/// More are asked for in several requests.
const STREAMS_PER_REQUEST: usize = 128;

/// What is said to a request (RFC 6525 §4.4).
const NOTHING_TO_DO: u32 = 0;
const PERFORMED: u32 = 1;
const DENIED: u32 = 2;
const BAD_SEQUENCE: u32 = 5;
const IN_PROGRESS: u32 = 6;

#[derive(Debug)]
pub(crate) struct Resets {
    /// Streams whose end is still to be asked for.
    wanted: BTreeSet<u16>,
    asked: Option<Asked>,
    /// Of our next request.
    next_number: u32,
    pub(crate) due: Option<Instant>,
    /// Of the other side's next request.
    expected: u32,
    /// What its last one was told.
    answer: u32,
    /// Its last one waits for data that is on its way.
    deferred: Option<Deferred>,
    /// Performed after it had been told to wait: it may ask once more, under another number.
    performed_late: Option<Deferred>,
}

#[derive(Debug)]
struct Asked {
    number: u32,
    /// The other side's request that was seen last when this was asked first.
    seen: u32,
    last_tsn: u32,
    streams: Vec<u16>,
    /// It is to be sent, a first time or again.
    is_due: bool,
    /// It was told to wait, and asks as a new request then: some answer the same one with the same words for ever.
    is_anew: bool,
}

#[derive(Debug)]
struct Deferred {
    /// Our request that the other side had seen.
    seen: u32,
    last_tsn: u64,
    streams: Vec<u16>,
    /// It was told to wait.
    is_told: bool,
}

impl Deferred {
    /// Whether the same is asked for again, under a new number. Another end of the same stream looks much alike, if
    /// nothing was sent in between; but whoever asks for one has seen what we asked since. (dcSCTP repeats its own
    /// number in that field.)
    fn is_asked_again(&self, number: u32, request: &Self) -> bool {
        self.is_told
            && (self.last_tsn, &self.streams) == (request.last_tsn, &request.streams)
            && (self.seen == request.seen || request.seen == number)
    }
}

impl Resets {
    pub(crate) fn new(first_tsn: u32) -> Self {
        Self {
            wanted: BTreeSet::new(),
            asked: None,
            next_number: first_tsn,
            due: None,
            expected: 0,
            answer: NOTHING_TO_DO,
            deferred: None,
            performed_late: None,
        }
    }

    /// Requests of the other side are numbered from its first TSN on.
    pub(crate) fn begin(&mut self, remote_first_tsn: u32) {
        self.expected = remote_first_tsn;
    }
}

impl Association {
    /// Resets our half of these streams; what is queued for them and was not begun is dropped. False: the other side
    /// cannot.
    pub fn reset(&mut self, now: Instant, streams: &[u16]) -> bool {
        self.now = now;
        let can = self.link.as_ref().is_some_and(|link| link.abilities.stream_reset);
        if !can || self.state != State::Established {
            return false;
        }
        for stream in streams {
            self.queue.clear(*stream, &mut self.messages);
            self.resets.wanted.insert(*stream);
        }
        true
    }

    /// Puts a request into the next packet, if one is due.
    pub(crate) fn ask_for_resets(&mut self) {
        let Some(link) = &mut self.link else { return };
        if self.resets.asked.is_none() && !self.resets.wanted.is_empty() {
            // A message that was begun is ended first.
            let queue = &self.queue;
            let ready = self.resets.wanted.iter().copied().filter(|stream| queue.queued(*stream) == 0);
            let streams: Vec<u16> = ready.take(STREAMS_PER_REQUEST).collect();
            if !streams.is_empty() {
                for stream in &streams {
                    self.queue.pause(*stream);
                    self.resets.wanted.remove(stream);
                }
                let (number, seen) = (self.resets.next_number, self.resets.expected.wrapping_sub(1));
                let last_tsn = (link.flight.next_tsn() - 1) as u32;
                self.resets.next_number = number.wrapping_add(1);
                self.resets.asked = Some(Asked { number, seen, last_tsn, streams, is_due: true, is_anew: false });
            }
        }
        let Some(asked) = self.resets.asked.as_mut().filter(|asked| asked.is_due) else { return };
        asked.is_due = false;
        if std::mem::take(&mut asked.is_anew) {
            asked.number = self.resets.next_number;
            self.resets.next_number = asked.number.wrapping_add(1);
        }
        self.resets.due = Some(self.now + link.rtt.timeout());
        let mut value = Vec::with_capacity(12 + 2 * asked.streams.len());
        value.extend(asked.number.to_be_bytes());
        value.extend(asked.seen.to_be_bytes());
        value.extend(asked.last_tsn.to_be_bytes());
        asked.streams.iter().for_each(|stream| value.extend(stream.to_be_bytes()));
        chunk::put(&mut link.replies, chunk::RE_CONFIG, 0, |packet| parameter::put(packet, OUTGOING_RESET, &value));
    }

    pub(crate) fn reset_timeout(&mut self) {
        if self.resets.due.is_some_and(|due| due <= self.now) {
            self.resets.due = None;
            if let Some(asked) = &mut self.resets.asked {
                asked.is_due = true;
            }
        }
    }

    pub(crate) fn on_re_config(&mut self, value: &[u8]) {
        let can = self.link.as_ref().is_some_and(|link| link.abilities.stream_reset);
        if !can || self.state == State::CookieWait {
            return;
        }
        for (kind, value) in parameter::parameters(value) {
            match kind {
                RESPONSE => {
                    if let (Some(number), Some(result)) = (u32_at(value, 0), u32_at(value, 4)) {
                        self.on_response(number, result);
                    }
                }
                OUTGOING_RESET => self.on_outgoing_request(value),
                // That we reset ours is our own affair; streams are not added either.
                INCOMING_RESET | 15 | 17 | 18 => {
                    if let Some(number) = u32_at(value, 0) {
                        self.on_other_request(number);
                    }
                }
                _ => {}
            }
        }
    }

    /// The data before a reset of the other side may have come by now.
    pub(crate) fn perform_deferred_reset(&mut self) {
        let Some(link) = &self.link else { return };
        let has_come = |deferred: &mut Deferred| deferred.last_tsn <= link.receiver.cumulative();
        if let Some(deferred) = self.resets.deferred.take_if(has_come) {
            self.perform(deferred.streams.clone());
            self.resets.performed_late = Some(deferred);
            self.answer_last();
        }
    }

    fn on_response(&mut self, number: u32, result: u32) {
        let Some(mut asked) = self.resets.asked.take_if(|asked| asked.number == number) else { return };
        if result == IN_PROGRESS {
            asked.is_anew = true;
            self.resets.asked = Some(asked);
            return;
        }
        self.resets.due = None;
        let is_done = matches!(result, NOTHING_TO_DO | PERFORMED);
        for stream in &asked.streams {
            self.queue.resume(*stream, is_done);
        }
        self.events.push_back(match is_done {
            true => AssociationEvent::OutgoingReset(asked.streams),
            false => AssociationEvent::ResetRefused(asked.streams),
        });
    }

    fn on_outgoing_request(&mut self, value: &[u8]) {
        let (Some(number), Some(seen), Some(last_tsn), Some(streams)) =
            (u32_at(value, 0), u32_at(value, 4), u32_at(value, 8), value.get(12..))
        else {
            return;
        };
        if !self.is_next_request(number) {
            return;
        }
        let Some(link) = &self.link else { return };
        let last_tsn = link.receiver.number(last_tsn);
        let streams: Vec<u16> = streams.chunks_exact(2).filter_map(|bytes| u16_at(bytes, 0)).collect();
        let has_come = last_tsn <= link.receiver.cumulative();
        let request = Deferred { seen, last_tsn, streams, is_told: false };
        if self.resets.performed_late.take().is_some_and(|late| late.is_asked_again(number, &request)) {
            self.answer_last();
        } else if has_come {
            self.perform(request.streams);
            self.answer_last();
        } else {
            self.resets.answer = IN_PROGRESS;
            self.resets.deferred = Some(request);
        }
    }

    fn on_other_request(&mut self, number: u32) {
        if self.is_next_request(number) {
            self.resets.answer = DENIED;
            self.answer_last();
        }
    }

    /// False: it was seen before, or makes no sense; it is answered.
    fn is_next_request(&mut self, number: u32) -> bool {
        if number == self.resets.expected {
            self.resets.expected = number.wrapping_add(1);
            return true;
        }
        let is_last = number == self.resets.expected.wrapping_sub(1);
        if let Some(deferred) = self.resets.deferred.as_mut().filter(|_| is_last) {
            deferred.is_told = true;
        }
        self.respond(number, if is_last { self.resets.answer } else { BAD_SEQUENCE });
        false
    }

    fn perform(&mut self, streams: Vec<u16>) {
        self.resets.answer = PERFORMED;
        if let Some(link) = &mut self.link {
            link.receiver.reassembly.reset(&streams);
        }
        self.deliver();
        self.events.push_back(AssociationEvent::IncomingReset(streams));
    }

    fn answer_last(&mut self) {
        self.respond(self.resets.expected.wrapping_sub(1), self.resets.answer);
    }

    fn respond(&mut self, number: u32, result: u32) {
        self.answer(8, |packet| {
            chunk::put(packet, chunk::RE_CONFIG, 0, |packet| {
                let mut value = [0; 8];
                value[..4].copy_from_slice(&number.to_be_bytes());
                value[4..].copy_from_slice(&result.to_be_bytes());
                parameter::put(packet, RESPONSE, &value);
            });
        });
    }
}
