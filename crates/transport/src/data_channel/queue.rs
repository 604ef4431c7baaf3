//! `bufferedAmount` of one channel: what the application queued, without what the protocol adds.
//!
//! SCTP counts the OPEN message and the byte that stands for an empty message; W3C does not.

use std::collections::VecDeque;

#[derive(Debug, Default)]
pub(super) struct QueueAccount {
    /// All bytes ever given to SCTP for this channel.
    given: u64,
    /// Where in that stream of bytes lies what the application did not send: start and end.
    overhead: VecDeque<(u64, u64)>,
    pub(super) low_threshold: usize,
    is_above: bool,
}

impl QueueAccount {
    pub(super) fn add(&mut self, bytes: usize, is_overhead: bool) {
        let start = self.given;
        self.given += bytes as u64;
        if is_overhead {
            match self.overhead.back_mut() {
                Some((_, end)) if *end == start => *end = self.given,
                _ => self.overhead.push_back((start, self.given)),
            }
        }
    }

    /// What the application has queued, when SCTP holds `queued` bytes.
    pub(super) fn amount(&self, queued: usize) -> usize {
        let gone = self.given.saturating_sub(queued as u64);
        let overhead: u64 = self.overhead.iter().map(|(start, end)| end.saturating_sub(gone.max(*start))).sum();
        queued.saturating_sub(overhead as usize)
    }

    /// Call after sending: a later fall to the threshold is news only if it was passed.
    pub(super) fn note(&mut self, queued: usize) {
        let gone = self.given.saturating_sub(queued as u64);
        while self.overhead.front().is_some_and(|(_, end)| *end <= gone) {
            self.overhead.pop_front();
        }
        self.is_above |= self.amount(queued) > self.low_threshold;
    }

    /// Setting it is never news by itself.
    pub(super) fn set_low_threshold(&mut self, bytes: usize, queued: usize) {
        self.low_threshold = bytes;
        self.is_above = self.amount(queued) > bytes;
    }

    /// Whether the amount has fallen to the threshold since it was above.
    pub(super) fn has_become_low(&mut self, queued: usize) -> bool {
        self.note(queued);
        self.is_above && self.amount(queued) <= self.low_threshold && {
            self.is_above = false;
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_protocol_adds_is_not_counted() {
        let mut account = QueueAccount::default();
        account.add(20, true);
        account.add(100, false);
        account.add(1, true);
        account.add(1, true);
        assert_eq!(account.amount(122), 100);
        assert_eq!(account.amount(110), 100, "half of OPEN is sent");
        assert_eq!(account.amount(52), 50);
        assert_eq!(account.amount(2), 0);
        assert_eq!(account.amount(0), 0);
    }

    #[test]
    fn low_is_told_once_each_time_the_threshold_was_passed() {
        let mut account = QueueAccount::default();
        account.set_low_threshold(50, 0);
        account.add(50, false);
        account.note(50);
        assert!(!account.has_become_low(0), "it was never above");
        account.add(60, false);
        account.note(60);
        assert!(!account.has_become_low(55));
        assert!(account.has_become_low(50));
        assert!(!account.has_become_low(0));
    }

    #[test]
    fn raising_the_threshold_is_no_event() {
        let mut account = QueueAccount::default();
        account.add(60, false);
        account.note(60);
        account.set_low_threshold(100, 60);
        assert!(!account.has_become_low(60));
    }
}
