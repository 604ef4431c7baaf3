//! What has come, what is missing, and when the other side is to hear of it (RFC 9260 §6.2).

use std::time::Instant;

use crate::api::Message;
use crate::chunk::Data;
use crate::reassembly::Reassembly;
use crate::sack;
use crate::serial::{first, near32};
use crate::settings::ACK_DELAY;
use crate::skipped::Skip;

/// A SACK names what came after a hole by 16 bits; what lies further is not taken.
const MAX_AHEAD: u64 = 65_535;
/// More holes than an honest path makes; what would make another is not taken.
const MAX_GAPS: usize = 2_048;
const MAX_DUPLICATES: usize = 32;
/// So many packets with data are acknowledged by one SACK at the latest.
const PACKETS_PER_ACK: u32 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ack {
    None,
    By(Instant),
    Now,
}

#[derive(Debug)]
pub(crate) struct Receiver {
    /// Everything up to this TSN has come.
    cumulative: u64,
    /// First and last of each run behind a hole, in order.
    runs: Vec<(u64, u64)>,
    duplicates: Vec<u32>,
    pub(crate) reassembly: Reassembly,
    ack: Ack,
    unacknowledged: u32,
    /// The window that the last SACK told.
    told_window: usize,
}

impl Receiver {
    pub(crate) fn new(first_tsn: u32, is_interleaving: bool) -> Self {
        Self {
            cumulative: first(first_tsn) - 1,
            runs: Vec::new(),
            duplicates: Vec::new(),
            reassembly: Reassembly::new(is_interleaving),
            ack: Ack::None,
            unacknowledged: 0,
            told_window: usize::MAX,
        }
    }

    pub(crate) fn cumulative(&self) -> u64 {
        self.cumulative
    }

    pub(crate) fn number(&self, tsn: u32) -> u64 {
        near32(self.cumulative, tsn)
    }

    /// One chunk. Whole messages go to `out`. `has_room`: whether there is memory for it.
    pub(crate) fn take(&mut self, data: &Data<'_>, has_room: bool, out: &mut Vec<Message>) {
        let tsn = near32(self.cumulative, data.tsn);
        if tsn <= self.cumulative || self.runs.iter().any(|(start, end)| (*start..=*end).contains(&tsn)) {
            if self.duplicates.len() < MAX_DUPLICATES {
                self.duplicates.push(data.tsn);
            }
            self.ack = Ack::Now;
            return;
        }
        if !has_room || tsn - self.cumulative > MAX_AHEAD || !self.mark(tsn) {
            self.ack = Ack::Now;
            return;
        }
        if data.is_immediate || !self.runs.is_empty() {
            self.ack = Ack::Now;
        }
        self.reassembly.add(tsn, data, out);
    }

    /// A packet with data has been taken in.
    pub(crate) fn packet_taken(&mut self, now: Instant) {
        self.unacknowledged += 1;
        if self.unacknowledged >= PACKETS_PER_ACK {
            self.ack = Ack::Now;
        } else if self.ack == Ack::None {
            self.ack = Ack::By(now + ACK_DELAY);
        }
    }

    /// The sender gives up everything up to this TSN, and these messages.
    pub(crate) fn skip(&mut self, cumulative: u32, skips: impl Iterator<Item = Skip>, out: &mut Vec<Message>) {
        let cumulative = near32(self.cumulative, cumulative);
        self.ack = Ack::Now;
        // Further ahead than anything that could have been sent.
        if cumulative.saturating_sub(self.cumulative) > MAX_AHEAD {
            return;
        }
        if cumulative > self.cumulative {
            self.cumulative = cumulative;
            self.runs.retain_mut(|(start, end)| {
                *start = (*start).max(cumulative + 1);
                start <= end
            });
            self.close_hole();
        }
        self.reassembly.skip(cumulative, skips, out);
    }

    pub(crate) fn ack_now(&mut self) {
        self.ack = Ack::Now;
    }

    pub(crate) fn ack_due(&self) -> Option<Instant> {
        match self.ack {
            Ack::By(due) => Some(due),
            Ack::None | Ack::Now => None,
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if matches!(self.ack, Ack::By(due) if due <= now) {
            self.ack = Ack::Now;
        }
    }

    /// Whether a SACK has to leave, or may ride on a packet with data.
    pub(crate) fn must_ack(&self) -> bool {
        self.ack == Ack::Now
    }

    pub(crate) fn wants_ack(&self) -> bool {
        self.ack != Ack::None
    }

    /// The other side was told of so small a window that it waits, and now there is more.
    pub(crate) fn has_window_opened(&self, window: usize, whole: usize) -> bool {
        self.told_window < whole / 4 && window >= whole / 2
    }

    /// Writes the SACK, in `room` bytes.
    pub(crate) fn put_ack(&mut self, packet: &mut Vec<u8>, window: usize, room: usize) {
        let cumulative = self.cumulative;
        let gaps = self.runs.iter().map(|(start, end)| ((start - cumulative) as u16, (end - cumulative) as u16));
        let told = u32::try_from(window).unwrap_or(u32::MAX);
        sack::put(packet, cumulative as u32, told, gaps, &self.duplicates, room);
        self.duplicates.clear();
        self.ack = Ack::None;
        self.unacknowledged = 0;
        self.told_window = window;
    }

    /// False: that would be one hole too many.
    fn mark(&mut self, tsn: u64) -> bool {
        if tsn == self.cumulative + 1 {
            self.cumulative = tsn;
            if !self.runs.is_empty() {
                self.close_hole();
            }
            return true;
        }
        let after = self.runs.partition_point(|(_, end)| end + 1 < tsn);
        let is_full = self.runs.len() >= MAX_GAPS;
        match self.runs.get_mut(after) {
            Some((_, end)) if *end + 1 == tsn => {
                *end = tsn;
                if self.runs.get(after + 1).is_some_and(|(start, _)| *start == tsn + 1) {
                    self.runs[after].1 = self.runs.remove(after + 1).1;
                }
            }
            Some((start, _)) if *start == tsn + 1 => *start = tsn,
            _ if is_full => return false,
            _ => self.runs.insert(after, (tsn, tsn)),
        }
        true
    }

    /// The first run may go on where everything before has come.
    fn close_hole(&mut self) {
        while self.runs.first().is_some_and(|(start, _)| *start == self.cumulative + 1) {
            self.cumulative = self.runs.remove(0).1;
        }
        if self.runs.is_empty() && self.runs.capacity() > 16 {
            self.runs = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(tsns: &[u32]) -> Receiver {
        let mut receiver = Receiver::new(1, false);
        for tsn in tsns {
            take(&mut receiver, *tsn);
        }
        receiver
    }

    fn take(receiver: &mut Receiver, tsn: u32) {
        let data = Data {
            tsn,
            stream: 0,
            number: 0,
            fsn: 0,
            ppid: 0,
            is_unordered: true,
            is_begin: true,
            is_end: true,
            is_immediate: false,
            payload: b"x",
        };
        receiver.take(&data, true, &mut Vec::new());
    }

    fn state(receiver: &Receiver) -> (u32, Vec<(u32, u32)>) {
        let runs = receiver.runs.iter().map(|(start, end)| (*start as u32, *end as u32));
        (receiver.cumulative as u32, runs.collect())
    }

    #[test]
    fn holes_are_closed_in_whatever_order_they_are_filled() {
        assert_eq!(state(&receiver(&[1, 2, 5, 6, 9])), (2, vec![(5, 6), (9, 9)]));
        assert_eq!(state(&receiver(&[1, 5, 3, 4])), (1, vec![(3, 5)]));
        assert_eq!(state(&receiver(&[3, 5, 4, 7, 1, 2])), (5, vec![(7, 7)]));
        assert_eq!(state(&receiver(&[6, 4, 2, 5, 3])), (0, vec![(2, 6)]));
    }

    #[test]
    fn what_came_before_is_told_as_a_duplicate() {
        let mut receiver = receiver(&[1, 1, 4, 4, 1]);
        assert_eq!(receiver.duplicates, [1, 4, 1]);
        let mut packet = Vec::new();
        receiver.put_ack(&mut packet, 9, 1000);
        assert!(receiver.duplicates.is_empty() && !receiver.wants_ack());
    }

    #[test]
    fn what_is_given_up_closes_holes_too() {
        let mut receiver = receiver(&[1, 3, 4, 7, 9]);
        receiver.skip(6, std::iter::empty(), &mut Vec::new());
        assert_eq!(state(&receiver), (7, vec![(9, 9)]));
        receiver.skip(2, std::iter::empty(), &mut Vec::new());
        assert_eq!(state(&receiver), (7, vec![(9, 9)]), "an old one changes nothing");
    }

    #[test]
    fn a_sender_of_nothing_but_holes_is_taken_up_to_a_bound() {
        let mut receiver = Receiver::new(1, false);
        for tsn in 1..20_000 {
            take(&mut receiver, tsn * 2);
        }
        assert_eq!(receiver.runs.len(), MAX_GAPS);
        take(&mut receiver, 1);
        assert_eq!(receiver.cumulative as u32, 2);
        take(&mut receiver, 70_000);
        assert_eq!(receiver.runs.last().map(|run| run.1 as u32), Some(2 * MAX_GAPS as u32), "too far ahead");
    }
}
