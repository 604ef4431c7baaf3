//! How much may be under way: CUBIC (RFC 9438), in bytes, with the initial window of RFC 6928.

use std::time::{Duration, Instant};

const C: f64 = 0.4;
const BETA: f64 = 0.7;
const INITIAL_PACKETS: usize = 10;
const MIN_PACKETS: usize = 2;

#[derive(Debug)]
pub(crate) struct Congestion {
    packet: usize,
    window: usize,
    slow_start_until: usize,
    /// Losses of what was sent before this count once.
    recovery_until: u64,
    epoch: Option<Epoch>,
    largest: f64,
}

/// Since the last loss; windows in packets.
#[derive(Debug)]
struct Epoch {
    began: Instant,
    /// Seconds until the window is back at its largest.
    k: f64,
    origin: f64,
    /// What Reno would have by now; we are no slower.
    reno: f64,
}

impl Congestion {
    pub(crate) fn new(packet: usize) -> Self {
        Self {
            packet,
            window: packet * INITIAL_PACKETS,
            slow_start_until: usize::MAX,
            recovery_until: 0,
            epoch: None,
            largest: 0.0,
        }
    }

    /// Packets carry more from now on.
    pub(crate) fn packet_grew(&mut self, packet: usize) {
        self.packet = packet;
        self.window = self.window.max(packet * MIN_PACKETS);
    }

    /// In bytes.
    pub(crate) fn window(&self) -> usize {
        self.window
    }

    pub(crate) fn is_slow_start(&self) -> bool {
        self.window < self.slow_start_until
    }

    /// `bytes` have arrived. `was_full`: the window was in the way, so that a larger one would have been used.
    pub(crate) fn acknowledged(&mut self, now: Instant, bytes: usize, rtt: Duration, was_full: bool) {
        if !was_full || bytes == 0 {
            return;
        }
        if self.is_slow_start() {
            self.window += bytes;
            return;
        }
        let packet = self.packet as f64;
        let window = self.window as f64 / packet;
        let largest = self.largest;
        let epoch = self.epoch.get_or_insert_with(|| Epoch {
            began: now,
            k: ((largest - window).max(0.0) / C).cbrt(),
            origin: largest.max(window),
            reno: window,
        });
        let acked = bytes as f64 / packet;
        epoch.reno += 3.0 * (1.0 - BETA) / (1.0 + BETA) * acked / window;
        let ahead = (now - epoch.began + rtt).as_secs_f64() - epoch.k;
        let target = (epoch.origin + C * ahead.powi(3)).clamp(window, window * 1.5);
        let grown = (window + (target - window) / window * acked).max(epoch.reno);
        self.window = (grown * packet) as usize;
    }

    /// Something sent as the `order`-th packet is lost; `next_order` will be the next to leave.
    pub(crate) fn lost(&mut self, order: u64, next_order: u64) {
        if order < self.recovery_until {
            return;
        }
        self.recovery_until = next_order;
        self.reduce();
        self.window = self.slow_start_until;
    }

    /// Nothing has come back at all.
    pub(crate) fn timed_out(&mut self, next_order: u64) {
        self.recovery_until = next_order;
        self.reduce();
        self.window = self.packet * MIN_PACKETS;
    }

    /// Nothing was sent for a while: what the path takes now is not known any more.
    pub(crate) fn rested(&mut self) {
        self.window = self.window.min((self.window / 2).max(self.packet * INITIAL_PACKETS));
        self.epoch = None;
    }

    fn reduce(&mut self) {
        let window = self.window as f64 / self.packet as f64;
        // A flow that lost before it was back where it had been leaves room for others (RFC 9438 §4.7).
        self.largest = if window < self.largest { window * (1.0 + BETA) / 2.0 } else { window };
        self.slow_start_until = ((self.window as f64 * BETA) as usize).max(self.packet * MIN_PACKETS);
        self.epoch = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(50);

    #[test]
    fn it_doubles_each_round_trip_until_the_first_loss() {
        let now = Instant::now();
        let mut congestion = Congestion::new(1000);
        for _ in 0..3 {
            let window = congestion.window();
            congestion.acknowledged(now, window, RTT, true);
        }
        assert_eq!(congestion.window(), 80_000);
        congestion.lost(5, 100);
        assert_eq!(congestion.window(), 56_000);
        congestion.lost(99, 120);
        assert_eq!(congestion.window(), 56_000, "losses of one round trip count once");
        congestion.lost(100, 200);
        assert!(congestion.window() < 56_000);
    }

    #[test]
    fn it_comes_back_to_where_it_was_and_goes_on() {
        let mut now = Instant::now();
        let mut congestion = Congestion::new(1000);
        congestion.acknowledged(now, 90_000, RTT, true);
        congestion.lost(0, 1);
        let mut windows = Vec::new();
        for _ in 0..200 {
            now += RTT;
            congestion.acknowledged(now, congestion.window(), RTT, true);
            windows.push(congestion.window());
        }
        assert!(windows.is_sorted());
        assert!(windows[40] < 110_000 && windows[199] > 150_000, "{windows:?}");
    }

    #[test]
    fn what_is_not_used_does_not_grow() {
        let mut congestion = Congestion::new(1000);
        congestion.acknowledged(Instant::now(), 10_000, RTT, false);
        assert_eq!(congestion.window(), 10_000);
        congestion.timed_out(9);
        assert_eq!(congestion.window(), 2000);
        congestion.rested();
        assert_eq!(congestion.window(), 2000, "rest is no reward");
    }
}
