//! When packets of a transport came, for its sender's congestion control (transport-wide feedback, draft-holmer-rmcat-transport-wide-cc-extensions-01).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use peerline_wire::rtcp::write_transport_feedback;

use crate::sequence::Unwrapper;

const INTERVAL: Duration = Duration::from_millis(50);
/// So many fit one feedback; more than that at once, and it is said early.
const MAX_UNTOLD: usize = 500;

#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    unwrapper: Unwrapper,
    /// The first one that was not told of yet.
    first: u64,
    times: VecDeque<Option<i64>>,
    feedbacks: u8,
    due: Option<Instant>,
    media_ssrc: u32,
}

impl Arrivals {
    /// `at`: since any moment, the same for all.
    pub(crate) fn add(&mut self, now: Instant, at: Duration, sequence: u16, media_ssrc: u32) {
        let number = self.unwrapper.unwrap(sequence);
        self.media_ssrc = media_ssrc;
        if self.due.is_none() {
            self.due = Some(now + INTERVAL);
        }
        if self.times.is_empty() && (number < self.first || number - self.first > MAX_UNTOLD as u64) {
            self.first = number;
        }
        // Of those before, it was told that they did not come.
        let Some(place) = number.checked_sub(self.first).map(|place| place as usize) else { return };
        if place >= 2 * MAX_UNTOLD {
            self.times.clear();
            self.first = number;
            return self.times.push_back(Some(at.as_micros() as i64));
        }
        if self.times.len() <= place {
            self.times.resize(place + 1, None);
        }
        self.times[place] = Some(at.as_micros() as i64);
        if self.times.len() >= MAX_UNTOLD {
            self.due = Some(now);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Appends the feedback that is due.
    pub(crate) fn write(&mut self, now: Instant, sender: u32, compound: &mut Vec<u8>) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        let (media, number) = (self.media_ssrc, self.feedbacks);
        let told =
            write_transport_feedback(compound, sender, media, number, self.first as u16, self.times.make_contiguous());
        self.feedbacks = number.wrapping_add(1);
        self.times.drain(..told.max(1).min(self.times.len()));
        self.first += told.max(1) as u64;
        self.due = (!self.times.is_empty()).then_some(now);
    }
}

#[cfg(test)]
mod tests {
    use peerline_wire::rtcp::{Rtcp, packets};

    use super::*;

    fn told(arrivals: &mut Arrivals, now: Instant) -> Vec<(u16, Option<i64>)> {
        let mut compound = Vec::new();
        arrivals.write(now, 1, &mut compound);
        let found = packets(&compound).flat_map(|packet| match packet {
            Rtcp::TransportFeedback(feedback) => feedback.arrivals().collect::<Vec<_>>(),
            _ => Vec::new(),
        });
        found.collect()
    }

    #[test]
    fn what_came_and_what_did_not_is_told_once() {
        let (now, mut arrivals) = (Instant::now(), Arrivals::default());
        for (sequence, at_ms) in [(0xffff, 10), (1, 20), (2, 30)] {
            arrivals.add(now, Duration::from_millis(at_ms), sequence, 5);
        }
        assert!(told(&mut arrivals, now).is_empty());
        let due = arrivals.poll_timeout().unwrap();
        let ms = |ms: i64| Some(ms * 1000);
        assert_eq!(told(&mut arrivals, due), [(0xffff, ms(10)), (0, None), (1, ms(20)), (2, ms(30))]);
        assert_eq!(arrivals.poll_timeout(), None);
        arrivals.add(due, Duration::from_millis(80), 4, 5);
        assert_eq!(told(&mut arrivals, due + INTERVAL), [(3, None), (4, ms(80))]);
    }

    #[test]
    fn late_ones_and_jumps_break_nothing() {
        let (now, mut arrivals) = (Instant::now(), Arrivals::default());
        for sequence in [10, 20_000, 19_000, 5, 60_000, 20_001] {
            arrivals.add(now, Duration::from_millis(1), sequence, 5);
        }
        assert!(!told(&mut arrivals, now + INTERVAL).is_empty());
        assert!(arrivals.times.len() <= 2 * MAX_UNTOLD);
    }
}
