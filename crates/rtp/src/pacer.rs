//! When a packet may leave: sound at once, pictures evenly, so that no queue on the way fills up (RFC 8698 §5.2.2 calls it the rate shaping buffer).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Pictures leave faster than they are made, so that they arrive soon; slower, a key frame would hold up what follows.
const HEADROOM: f64 = 2.5;
/// What may leave in one go.
const BURST: Duration = Duration::from_millis(5);
const MIN_BPS: f64 = 300_000.0;

/// A packet that waits in its sender's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) is_repair: bool,
    pub(crate) len: usize,
    pub(crate) since: Instant,
}

#[derive(Debug)]
pub(crate) struct Pacer {
    sound: VecDeque<Waiting>,
    repairs: VecDeque<Waiting>,
    pictures: VecDeque<Waiting>,
    rate_bps: f64,
    /// Bytes; below zero: the last packet was larger than what was allowed.
    allowed: f64,
    at: Instant,
}

impl Pacer {
    pub(crate) fn new(now: Instant, target_bps: u64) -> Self {
        let mut made = Self {
            sound: VecDeque::new(),
            repairs: VecDeque::new(),
            pictures: VecDeque::new(),
            rate_bps: 0.0,
            allowed: 0.0,
            at: now,
        };
        made.set_target(target_bps);
        made
    }

    pub(crate) fn set_target(&mut self, target_bps: u64) {
        self.rate_bps = (target_bps as f64 * HEADROOM).max(MIN_BPS);
    }

    pub(crate) fn push(&mut self, is_video: bool, packet: Waiting) {
        match (is_video, packet.is_repair) {
            (false, _) => self.sound.push_back(packet),
            (true, true) => self.repairs.push_back(packet),
            (true, false) => self.pictures.push_back(packet),
        }
    }

    /// The next one that may leave. At `probe_bps`, if a probe is under way.
    pub(crate) fn pop(&mut self, now: Instant, probe_bps: Option<u64>) -> Option<Waiting> {
        self.refill(now, probe_bps);
        if let Some(packet) = self.sound.pop_front() {
            self.allowed -= packet.len as f64;
            return Some(packet);
        }
        if self.allowed < 0.0 {
            return None;
        }
        let packet = self.repairs.pop_front().or_else(|| self.pictures.pop_front())?;
        self.allowed -= packet.len as f64;
        Some(packet)
    }

    /// Whether a packet of a probe may leave; it is counted as one of this length.
    pub(crate) fn take_for_probe(&mut self, now: Instant, probe_bps: u64, len: usize) -> bool {
        self.refill(now, Some(probe_bps));
        let is_allowed = self.allowed >= 0.0;
        if is_allowed {
            self.allowed -= len as f64;
        }
        is_allowed
    }

    /// When the next one may leave, if one waits (or `is_probing`).
    pub(crate) fn poll_timeout(&self, probe_bps: Option<u64>) -> Option<Instant> {
        if !self.sound.is_empty() {
            return Some(self.at);
        }
        if self.repairs.is_empty() && self.pictures.is_empty() && probe_bps.is_none() {
            return None;
        }
        let wait = (-self.allowed).max(0.0) * 8.0 / self.rate(probe_bps);
        Some(self.at + Duration::from_secs_f64(wait) + Duration::from_micros(u64::from(self.allowed < 0.0)))
    }

    /// Packets of pictures of this source that wait.
    pub(crate) fn queued(&self, ssrc: u32) -> usize {
        self.pictures.iter().filter(|packet| packet.ssrc == ssrc).count()
    }

    /// Since when the oldest picture waits.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.pictures.front().map(|packet| packet.since)
    }

    /// Forgets what waits of this source; says how many packets.
    pub(crate) fn drop_queued(&mut self, ssrc: u32) -> usize {
        let before = self.pictures.len() + self.repairs.len() + self.sound.len();
        for queue in [&mut self.sound, &mut self.repairs, &mut self.pictures] {
            queue.retain(|packet| packet.ssrc != ssrc);
        }
        before - self.pictures.len() - self.repairs.len() - self.sound.len()
    }

    fn rate(&self, probe_bps: Option<u64>) -> f64 {
        probe_bps.map_or(self.rate_bps, |bps| (bps as f64).max(MIN_BPS))
    }

    fn refill(&mut self, now: Instant, probe_bps: Option<u64>) {
        let rate = self.rate(probe_bps);
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        let most = rate / 8.0 * BURST.as_secs_f64();
        // Sound goes in any case, and pictures wait for it; not for ever.
        self.allowed = (self.allowed + since * rate / 8.0).clamp(-4.0 * most.max(1500.0), most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(now: Instant, sequence: u16, len: usize) -> Waiting {
        Waiting { ssrc: 1, sequence, is_repair: false, len, since: now }
    }

    #[test]
    fn pictures_leave_evenly_and_sound_at_once() {
        let mut now = Instant::now();
        let begin = now;
        let mut pacer = Pacer::new(now, 1_000_000);
        for sequence in 0..100 {
            pacer.push(true, packet(now, sequence, 1200));
        }
        let mut left = 0;
        let mut largest_run = 0;
        while left < 100 {
            let mut run = 0;
            while pacer.pop(now, None).is_some() {
                run += 1;
            }
            largest_run = largest_run.max(run);
            left += run;
            if let Some(next) = pacer.poll_timeout(None) {
                assert!(next > now);
                now = next;
            }
        }
        // 120,000 bytes at 2.5 Mbit/s.
        let took = now - begin;
        assert!(took > Duration::from_millis(370) && took < Duration::from_millis(400), "{took:?}");
        assert!(largest_run <= 3, "{largest_run}");
        pacer.push(true, packet(now, 200, 1200));
        pacer.push(false, packet(now, 201, 100));
        assert_eq!(pacer.pop(now, None).unwrap().sequence, 201);
    }

    #[test]
    fn what_waits_of_a_source_can_be_dropped() {
        let now = Instant::now();
        let mut pacer = Pacer::new(now, 100_000);
        (0..10).for_each(|sequence| pacer.push(true, packet(now, sequence, 1200)));
        pacer.push(true, Waiting { ssrc: 2, ..packet(now, 0, 1200) });
        assert_eq!((pacer.queued(1), pacer.oldest()), (10, Some(now)));
        assert_eq!(pacer.drop_queued(1), 10);
        assert_eq!((pacer.queued(1), pacer.queued(2)), (0, 1));
    }
}
