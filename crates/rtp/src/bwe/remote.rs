//! The same at the receiver, for a sender that obeys a rate and reports nothing to itself: by the times that its packets
//! carry (abs-send-time; draft-alvestrand-rmcat-remb-03, draft-ietf-rmcat-gcc-02 §3).

use std::time::{Duration, Instant};

use super::acknowledged::Acknowledged;
use super::groups::Groups;
use super::history::Arrived;
use super::rate::Rate;
use super::trend::{Trend, Usage};
use super::{BweSettings, REST};

/// Of the 24 bits, 18 are of a fraction of a second.
const TICKS_PER_SECOND: f64 = 262_144.0;
const EACH: Duration = Duration::from_secs(1);
/// A rate that fell by more than this is said at once.
const NEWS: f64 = 0.97;
/// Until the queue has grown once, nobody knows what the path carries: it is tried, in steps that double it in two seconds.
const TRY: f64 = 1.5;

/// What a transport's sender may be told.
#[derive(Debug)]
pub(crate) struct Remote {
    clock: Option<Clock>,
    groups: Groups,
    trend: Trend,
    acknowledged: Acknowledged,
    rate: Rate,
    has_overused: bool,
    last_at: Option<Instant>,
    told: Option<(Instant, f64)>,
}

/// The sender's, which wraps each 64 seconds.
#[derive(Debug, Clone, Copy)]
struct Clock {
    last: u32,
    /// Of the newest packet, on a scale of ours.
    sent_at: Instant,
}

impl Default for Remote {
    fn default() -> Self {
        let limits = BweSettings::default();
        Self {
            clock: None,
            groups: Groups::default(),
            trend: Trend::new(),
            acknowledged: Acknowledged::default(),
            rate: Rate::new(limits.start_bps as f64, limits.min_bps as f64, limits.max_bps as f64),
            has_overused: false,
            last_at: None,
            told: None,
        }
    }
}

impl Remote {
    pub(crate) fn set_round_trip(&mut self, round_trip: Duration) {
        self.rate.set_round_trip(round_trip);
    }

    /// A packet that carries its time came; `since` any moment, the same for all; `size` in bytes on the wire.
    pub(crate) fn arrived(&mut self, now: Instant, since: Duration, sent: u32, size: usize) {
        if self.last_at.is_some_and(|at| now.saturating_duration_since(at) > REST) {
            *self = Self { rate: std::mem::replace(&mut self.rate, Self::default().rate), ..Self::default() };
        }
        self.last_at = Some(now);
        let Some(sent_at) = self.unwrap(now, sent) else { return };
        let packet = Arrived { sent_at, arrival_us: since.as_micros() as i64, size, probe: None };
        self.acknowledged.arrived(&packet);
        let Some(delta) = self.groups.arrived(now, &packet) else { return };
        self.trend.update(delta);
        let arriving_bps = self.acknowledged.bps();
        match (self.trend.usage(), arriving_bps) {
            (Usage::Over, _) => {
                self.has_overused = true;
                self.rate.overused(now, arriving_bps, false);
            }
            (Usage::Normal, Some(bps)) if !self.has_overused => {
                self.rate.probed(now, bps * TRY);
            }
            (usage, _) => self.rate.update(now, usage, arriving_bps),
        }
    }

    /// What is to be said now, if anything is: each second, and when it fell.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<u64> {
        if self.poll_timeout(now)? > now {
            return None;
        }
        self.told = Some((now, self.rate.bps()));
        Some(self.rate.bps() as u64)
    }

    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        self.acknowledged.bps()?;
        self.last_at.filter(|at| now.saturating_duration_since(*at) <= REST)?;
        Some(match self.told {
            Some((at, bps)) if self.rate.bps() >= bps * NEWS => at + EACH,
            _ => now,
        })
    }

    /// `None`: it is far from where the clock was, and the clock begins here.
    fn unwrap(&mut self, now: Instant, sent: u32) -> Option<Instant> {
        let Some(clock) = &mut self.clock else {
            // Far enough from the beginning of time for what overtook it.
            self.clock = Some(Clock { last: sent, sent_at: now });
            return Some(now);
        };
        // 24 bits, with a sign.
        let ahead = (sent.wrapping_sub(clock.last) << 8).cast_signed() >> 8;
        let apart = Duration::from_secs_f64(f64::from(ahead.unsigned_abs()) / TICKS_PER_SECOND);
        if ahead < 0 {
            return clock.sent_at.checked_sub(apart);
        }
        *clock = Clock { last: sent, sent_at: clock.sent_at + apart };
        Some(clock.sent_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: usize = 1200;

    /// Who sends what it is told, over a path of such a rate, for such a time; gives what it was told.
    fn told(rate_bps: f64, seconds: u64) -> Vec<(Duration, u64)> {
        let start = Instant::now();
        let (mut remote, mut sending_bps) = (Remote::default(), 300_000.0);
        let mut said = Vec::new();
        let (mut sent, mut free) = (Duration::ZERO, Duration::ZERO);
        while sent < Duration::from_secs(seconds) {
            free = free.max(sent) + Duration::from_secs_f64(PACKET as f64 * 8.0 / rate_bps);
            let arrival = free + Duration::from_millis(20);
            let ticks = (sent.as_secs_f64() * TICKS_PER_SECOND) as u64 as u32 & 0xff_ffff;
            remote.arrived(start + arrival, arrival, ticks, PACKET);
            if let Some(bps) = remote.poll(start + arrival) {
                said.push((arrival, bps));
                sending_bps = bps as f64;
            }
            sent += Duration::from_secs_f64(PACKET as f64 * 8.0 / sending_bps);
        }
        said
    }

    #[test]
    fn a_sender_that_obeys_comes_near_what_the_path_carries_and_stays_there() {
        for rate_bps in [500_000.0, 2_500_000.0, 8_000_000.0] {
            let told = told(rate_bps, 90);
            let soon = told.iter().find(|(_, bps)| *bps as f64 > rate_bps * 0.7).expect("it comes near");
            assert!(soon.0 < Duration::from_secs(12), "{rate_bps} after {:?}", soon.0);
            let late: Vec<f64> =
                told.iter().filter(|(at, _)| at.as_secs() > 30).map(|(_, bps)| *bps as f64 / rate_bps).collect();
            let mean = late.iter().sum::<f64>() / late.len() as f64;
            assert!((0.6..1.05).contains(&mean), "{rate_bps}: {mean}");
        }
    }

    #[test]
    fn the_clock_goes_on_past_its_wrap_and_a_wild_one_breaks_nothing() {
        let (start, mut remote) = (Instant::now(), Remote::default());
        let mut numbers = 12_345_u32;
        for count in 0..5_000_u64 {
            numbers = numbers.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let since = Duration::from_micros(count * u64::from(numbers >> 20));
            remote.arrived(start + since, since, numbers & 0xff_ffff, 65_535);
            let _ = remote.poll(start + since);
        }
        let (mut remote, first) = (Remote::default(), 0xff_fff0_u32);
        let before = remote.unwrap(start, first).unwrap();
        let after = remote.unwrap(start, 0x000_010).unwrap();
        assert_eq!((after - before).as_micros(), (32.0 / TICKS_PER_SECOND * 1e6) as u128);
        assert!(remote.unwrap(start, first).unwrap() <= before);
    }

    #[test]
    fn nothing_is_said_before_it_is_known_and_after_all_is_silent() {
        let (start, mut remote) = (Instant::now(), Remote::default());
        remote.arrived(start, Duration::ZERO, 0, PACKET);
        assert_eq!(remote.poll(start), None);
        for count in 1..400_u32 {
            let since = Duration::from_millis(u64::from(count) * 5);
            remote.arrived(start + since, since, (f64::from(count) * 0.005 * TICKS_PER_SECOND) as u32, PACKET);
        }
        let now = start + Duration::from_secs(2);
        assert!(remote.poll(now).is_some_and(|bps| bps > 2_000_000));
        assert_eq!(remote.poll(now), None);
        assert!(remote.poll(now + EACH).is_some());
        assert_eq!(remote.poll_timeout(now + REST * 2), None);
    }
}
