//! Packets that were made: they wait here to be sent, and may be sent again (RFC 4588, RFC 4585 §6.2.1).

use std::time::{Duration, Instant};

/// Older ones are of no use to anybody.
const MAX_AGE: Duration = Duration::from_secs(2);

/// A ring of the latest packets of one source; their memory is used again.
#[derive(Debug, Default)]
pub(super) struct History {
    capacity: u16,
    slots: Vec<Stored>,
}

#[derive(Debug, Default)]
pub(super) struct Stored {
    sequence: u16,
    is_used: bool,
    /// Before SRTP, with room for what is known when it leaves.
    pub(super) bytes: Vec<u8>,
    pub(super) header_len: usize,
    /// Where the transport-wide number and the time of sending stand in it.
    pub(super) number_at: Option<usize>,
    pub(super) time_at: Option<usize>,
    pub(super) sent: Option<Instant>,
    pub(super) resent: Option<Instant>,
}

impl History {
    /// `capacity` is a power of two.
    pub(super) fn new(capacity: u16) -> Self {
        Self { capacity, slots: Vec::new() }
    }

    /// An empty packet under this number, in place of the oldest one.
    pub(super) fn make(&mut self, sequence: u16) -> &mut Stored {
        let at = usize::from(sequence % self.capacity);
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, Stored::default);
        }
        let slot = &mut self.slots[at];
        slot.bytes.clear();
        *slot = Stored { sequence, is_used: true, bytes: std::mem::take(&mut slot.bytes), ..Stored::default() };
        slot
    }

    pub(super) fn get(&mut self, sequence: u16) -> Option<&mut Stored> {
        let at = usize::from(sequence % self.capacity.max(1));
        self.slots.get_mut(at).filter(|stored| stored.is_used && stored.sequence == sequence)
    }

    /// One that was sent and may be sent once more: not before the last copy had time to arrive.
    pub(super) fn repeatable(&mut self, now: Instant, sequence: u16, round_trip: Duration) -> Option<&mut Stored> {
        let stored = self.get(sequence)?;
        let sent = stored.sent?;
        let is_fresh = now.saturating_duration_since(sent) <= MAX_AGE;
        let is_due = stored.resent.is_none_or(|resent| now.saturating_duration_since(resent) >= round_trip);
        (is_fresh && is_due).then_some(stored)
    }
}
