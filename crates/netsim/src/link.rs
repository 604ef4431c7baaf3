//! One direction of one link: when a packet arrives, and how often.

use std::time::{Duration, Instant};

use super::dice::Dice;
use super::network::Counters;

/// What a link does to packets. Shares are between 0 and 1, each packet by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// The share that vanishes.
    pub loss: f64,
    /// The share that arrives twice.
    pub duplicate: f64,
    /// From one end to the other, besides what rate and queue cost.
    pub delay: Duration,
    /// Up to so much more. A packet never overtakes another for it.
    pub jitter: Duration,
    /// The share that is held back, by up to `reorder_by`, while others pass.
    pub reorder: f64,
    pub reorder_by: Duration,
    /// Bits per second; `None`: as fast as it goes.
    pub rate_bps: Option<u64>,
    /// What may wait for its turn where there is a rate; a packet that finds it full is dropped.
    pub queue_bytes: usize,
    /// The largest IP packet; a larger one is dropped, as if fragments were not let through.
    pub mtu: usize,
    /// Nothing gets through.
    pub is_cut: bool,
}

impl Quality {
    pub const PERFECT: Self = Self {
        loss: 0.0,
        duplicate: 0.0,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        reorder: 0.0,
        reorder_by: Duration::ZERO,
        rate_bps: None,
        queue_bytes: 256 * 1024,
        mtu: 1500,
        is_cut: false,
    };

    pub const CUT: Self = Self { is_cut: true, ..Self::PERFECT };

    /// Nothing but a delay.
    pub const fn delayed(milliseconds: u64) -> Self {
        Self { delay: Duration::from_millis(milliseconds), ..Self::PERFECT }
    }

    /// Loses so many percent, repeats 3 %, holds back 10 %, and varies between 5 and 25 ms.
    pub fn lossy(percent: u32) -> Self {
        Self {
            loss: f64::from(percent) / 100.0,
            duplicate: 0.03,
            reorder: 0.1,
            reorder_by: Duration::from_millis(20),
            jitter: Duration::from_millis(20),
            ..Self::delayed(5)
        }
    }
}

/// One direction of one link.
#[derive(Debug, Clone)]
pub struct Link {
    pub quality: Quality,
    /// When the last packet that was taken has left.
    busy_until: Option<Instant>,
    /// When the last one arrives that nothing overtakes.
    last_arrival: Option<Instant>,
}

impl Link {
    pub fn new(quality: Quality) -> Self {
        Self { quality, busy_until: None, last_arrival: None }
    }

    /// When an IP packet of this size that is sent now arrives: never, once or twice.
    pub fn carry(&mut self, now: Instant, size: usize, dice: &mut Dice, counters: &mut Counters) -> Vec<Instant> {
        let quality = self.quality;
        if quality.is_cut {
            counters.cut += 1;
            return Vec::new();
        }
        if size > quality.mtu {
            counters.too_large += 1;
            return Vec::new();
        }
        let Some(leaves) = self.queue(now, size) else {
            counters.queue_full += 1;
            return Vec::new();
        };
        if dice.chance(quality.loss) {
            counters.lost += 1;
            return Vec::new();
        }
        let mut arrivals = vec![self.arrival(leaves, dice, counters)];
        if dice.chance(quality.duplicate) {
            counters.duplicated += 1;
            arrivals.push(self.arrival(leaves, dice, counters));
        }
        arrivals
    }

    /// When the last bit of it is out.
    fn queue(&mut self, now: Instant, size: usize) -> Option<Instant> {
        let Some(rate_bps) = self.quality.rate_bps else { return Some(now) };
        let turn = self.busy_until.map_or(now, |until| until.max(now));
        let waiting = (turn - now).as_secs_f64() * rate_bps as f64 / 8.0;
        if waiting as usize + size > self.quality.queue_bytes {
            return None;
        }
        let leaves = turn + Duration::from_secs_f64(size as f64 * 8.0 / rate_bps as f64);
        self.busy_until = Some(leaves);
        Some(leaves)
    }

    fn arrival(&mut self, leaves: Instant, dice: &mut Dice, counters: &mut Counters) -> Instant {
        let quality = self.quality;
        let arrives = leaves + quality.delay + dice.duration(quality.jitter);
        let arrives = self.last_arrival.map_or(arrives, |last| last.max(arrives));
        if dice.chance(quality.reorder) {
            counters.held_back += 1;
            return arrives + dice.duration(quality.reorder_by);
        }
        self.last_arrival = Some(arrives);
        arrives
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends so many packets of 1,000 bytes at once; the milliseconds after which they arrive.
    fn carried(quality: Quality, packets: usize) -> (Vec<u128>, Counters) {
        let (mut link, mut dice, mut counters) = (Link::new(quality), Dice::new(1), Counters::default());
        let now = Instant::now();
        let arrivals: Vec<u128> = (0..packets)
            .flat_map(|_| link.carry(now, 1000, &mut dice, &mut counters))
            .map(|at| (at - now).as_millis())
            .collect();
        (arrivals, counters)
    }

    #[test]
    fn a_delay_delays_and_a_cut_link_carries_nothing() {
        assert_eq!(carried(Quality::delayed(150), 3).0, [150, 150, 150]);
        let (arrivals, counters) = carried(Quality::CUT, 3);
        assert_eq!((arrivals.len(), counters.cut), (0, 3));
    }

    #[test]
    fn a_rate_spreads_packets_and_a_full_queue_drops_the_rest() {
        // A packet takes 10 ms; five fit.
        let quality = Quality { rate_bps: Some(800_000), queue_bytes: 5000, ..Quality::PERFECT };
        let (arrivals, counters) = carried(quality, 8);
        assert_eq!(arrivals, [10, 20, 30, 40, 50]);
        assert_eq!(counters.queue_full, 3);
    }

    #[test]
    fn what_is_larger_than_the_mtu_is_dropped() {
        assert_eq!(carried(Quality { mtu: 1000, ..Quality::PERFECT }, 1).0.len(), 1);
        let (arrivals, counters) = carried(Quality { mtu: 999, ..Quality::PERFECT }, 1);
        assert_eq!((arrivals.len(), counters.too_large), (0, 1));
    }

    #[test]
    fn jitter_alone_keeps_the_order_and_reordering_does_not() {
        let jitter = Quality { jitter: Duration::from_millis(50), ..Quality::delayed(10) };
        let (arrivals, _) = carried(jitter, 200);
        assert!(arrivals.is_sorted() && arrivals[0] < 59 && *arrivals.last().unwrap() <= 60);
        let (arrivals, counters) =
            carried(Quality { reorder: 0.2, reorder_by: Duration::from_millis(30), ..jitter }, 200);
        assert!(!arrivals.is_sorted() && counters.held_back > 20);
    }

    #[test]
    fn shares_are_lost_and_repeated() {
        let (arrivals, counters) = carried(Quality { loss: 0.2, duplicate: 0.1, ..Quality::PERFECT }, 10_000);
        assert!((1_800..2_200).contains(&counters.lost), "{counters:?}");
        assert!((700..900).contains(&counters.duplicated), "{counters:?}");
        assert_eq!(arrivals.len() as u64, 10_000 - counters.lost + counters.duplicated);
    }
}
