//! How much the path to the peer carries: Google Congestion Control at the sender (draft-ietf-rmcat-gcc-02).

mod acknowledged;
mod groups;
mod history;
mod loss;
mod probe;
mod rate;
mod remote;
mod supply;
mod trend;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use acknowledged::Acknowledged;
use groups::Groups;
use history::History;
use loss::{Loss, Rates};
use probe::Probes;
use rate::Rate;
use supply::Supply;
use trend::{Trend, Usage};

pub use probe::Probe;
pub(crate) use remote::Remote;

/// Without feedback for that long the target is halved, and again after each `HALVE_AGAIN`.
const HALVE_AFTER: Duration = Duration::from_millis(2500);
const HALVE_AGAIN: Duration = Duration::from_secs(1);
/// A peer that sends receiver reports alone sends them every five seconds or so.
const HALVE_AFTER_REPORT: Duration = Duration::from_secs(12);
/// So long after the first probes, and so often, it is tried again whether the path carries more, as long as it has not
/// shown that it does not: those first ones are few packets, and anything may have held them up.
const TRY_AGAIN: Duration = Duration::from_secs(1);
const TRY_FOR: Duration = Duration::from_secs(10);
/// After such a rest the delays of before have no part in a trend.
const REST: Duration = Duration::from_secs(2);
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(200);
const MAX_ROUND_TRIP: Duration = Duration::from_secs(5);
const LEAST_BPS: u64 = 1_000;
const MOST_BPS: u64 = 10_000_000_000;

/// The defaults: 300 kbit/s carries audio and a small picture at once on almost any path; 30 kbit/s audio alone; and 50
/// Mbit/s is more than any camera needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BweSettings {
    pub start_bps: u64,
    pub min_bps: u64,
    pub max_bps: u64,
}

/// The estimator of one transport.
#[derive(Debug)]
pub struct Bwe {
    min_bps: f64,
    max_bps: f64,
    remb_bps: Option<f64>,
    wanted_bps: Option<f64>,
    round_trip: Duration,
    history: History,
    groups: Groups,
    trend: Trend,
    acknowledged: Acknowledged,
    supply: Supply,
    rate: Rate,
    loss: Loss,
    probes: Probes,
    /// The first probes are planned by the first question for them.
    start_bps: Option<f64>,
    /// When it is tried again, and until when.
    try_again: Option<(Instant, Instant)>,
    /// When something arrived by what a feedback said.
    feedback_at: Option<Instant>,
    has_reports: bool,
    /// Something was sent and nothing heard since: then the target is halved.
    halve_at: Option<Instant>,
    has_halved: bool,
}

impl Default for BweSettings {
    fn default() -> Self {
        Self { start_bps: 300_000, min_bps: 30_000, max_bps: 50_000_000 }
    }
}

impl Bwe {
    /// Where the settings contradict each other the minimum holds.
    pub fn new(settings: BweSettings) -> Self {
        let min_bps = settings.min_bps.clamp(LEAST_BPS, MOST_BPS) as f64;
        let max_bps = (settings.max_bps.min(MOST_BPS) as f64).max(min_bps);
        let start_bps = (settings.start_bps as f64).clamp(min_bps, max_bps);
        let mut rate = Rate::new(start_bps, min_bps, max_bps);
        rate.set_round_trip(FIRST_ROUND_TRIP);
        Self {
            min_bps,
            max_bps,
            remb_bps: None,
            wanted_bps: None,
            round_trip: FIRST_ROUND_TRIP,
            history: History::default(),
            groups: Groups::default(),
            trend: Trend::new(),
            acknowledged: Acknowledged::default(),
            supply: Supply::default(),
            rate,
            loss: Loss::default(),
            probes: Probes::default(),
            start_bps: Some(start_bps),
            try_again: None,
            feedback_at: None,
            has_reports: false,
            halve_at: None,
            has_halved: false,
        }
    }

    /// A packet with that transport-wide number (unwrapped, increasing) left; `size` in bytes on the wire; `probe`: the
    /// cluster it belongs to. Where packets have no such numbers, nothing need be told.
    pub fn sent(&mut self, now: Instant, number: u64, size: usize, probe: Option<u32>) {
        self.history.sent(now, number, size, probe);
        self.supply.update(now, size, self.target());
        let patience = self.patience();
        self.halve_at.get_or_insert(now + patience);
    }

    /// What a feedback said of each packet: number, and when it arrived in microseconds of the receiver's clock (none:
    /// lost, or not yet). What was never sent, or told before, is ignored.
    pub fn feedback(&mut self, now: Instant, arrivals: impl Iterator<Item = (u64, Option<i64>)>) {
        let report = self.history.feedback(arrivals);
        if report.arrived.is_empty() {
            return;
        }
        if self.feedback_at.is_none_or(|at| now.saturating_duration_since(at) > REST) {
            self.groups = Groups::default();
            self.trend = Trend::new();
        }
        self.feedback_at = Some(now);
        for packet in &report.arrived {
            if let Some(delta) = self.groups.arrived(now, packet) {
                self.trend.update(delta);
            }
            self.acknowledged.arrived(packet);
            self.probes.arrived(packet);
        }
        let was_limited = self.supply.is_limited();
        self.supply.update(now, 0, self.target());
        let is_limited = self.supply.is_limited();
        if was_limited && !is_limited {
            self.acknowledged.expect_change();
        }
        self.follow_delay(now, is_limited);
        let rates = Rates {
            target: self.target(),
            by_delay: self.rate.bps(),
            arriving: self.acknowledged.bps().filter(|_| !is_limited),
        };
        self.loss.update(now, &report, rates, self.round_trip);
        self.heard(now);
    }

    /// From receiver reports, where there is no transport-wide feedback: fraction lost (0.0..=1.0). With such feedback
    /// they are ignored, as it says the same and more.
    pub fn loss_report(&mut self, now: Instant, fraction_lost: f64) {
        if !fraction_lost.is_finite() || self.feedback_at.is_some_and(|at| now.saturating_duration_since(at) <= REST) {
            return;
        }
        self.has_reports = true;
        self.supply.update(now, 0, self.target());
        let factor = self.loss.reported(now, fraction_lost.clamp(0.0, 1.0), self.round_trip);
        if factor < 1.0 {
            self.rate.set(self.target() * factor);
        } else if !self.supply.is_limited() && self.rate.bps() < self.limit() {
            self.rate.set(self.rate.bps() * factor);
        }
        self.heard(now);
    }

    /// What the receiver says it can take; it holds until it says something else.
    pub fn remb(&mut self, now: Instant, bitrate_bps: u64) {
        self.has_reports = true;
        self.remb_bps = Some(bitrate_bps as f64);
        self.heard(now);
    }

    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip.min(MAX_ROUND_TRIP);
        self.rate.set_round_trip(self.round_trip);
    }

    /// Highest that anybody wants (sum of encodings' limits); none: no limit but that of the settings. Wanting more
    /// tries at once whether there is more.
    pub fn set_wanted(&mut self, now: Instant, bitrate_bps: Option<u64>) {
        let before_bps = self.limit();
        self.wanted_bps = bitrate_bps.map(|bps| bps as f64);
        let target_bps = self.target();
        if self.start_bps.is_none() && self.limit() > before_bps.max(target_bps) {
            self.probes.plan(now, &[target_bps * 2.0]);
        }
    }

    /// At which to send now. An application that sends much less keeps the target it had, as what arrives then says
    /// nothing about the path; but it gets no more than half as much again as arrives, and a little.
    pub fn target_bps(&self) -> u64 {
        self.target() as u64
    }

    /// The next probe that is due; each is given out once. The first question, once the transport is open, begins the
    /// first probes.
    pub fn poll_probe(&mut self, now: Instant) -> Option<Probe> {
        if let Some(start_bps) = self.start_bps.take() {
            self.probes.plan(now, &[start_bps * 3.0, start_bps * 6.0]);
            self.try_again = Some((now + TRY_AGAIN, now + TRY_FOR));
        }
        self.plan_again(now);
        let (target_bps, limit_bps) = (self.target(), self.limit());
        self.probes.poll(now, target_bps, limit_bps)
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if self.halve_at.is_some_and(|at| at <= now) {
            self.rate.set(self.target() / 2.0);
            self.probes.cancel();
            self.try_again = None;
            self.has_halved = true;
            // The next packet sets it again: who sends nothing hears nothing.
            self.halve_at = None;
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.halve_at
    }

    fn plan_again(&mut self, now: Instant) {
        let Some((at, until)) = self.try_again.filter(|(at, _)| *at <= now) else { return };
        let is_lossy = self.loss.limit_bps().is_some_and(|bps| bps < self.rate.bps());
        let is_over = at > until || is_lossy || self.rate.was_reduced() || self.target() >= self.limit();
        self.try_again = (!is_over).then_some((now + TRY_AGAIN, until));
        // Who is held back sends all it may, and it arrives.
        let is_held_back = self.acknowledged.bps().is_some_and(|bps| bps > self.target() * 0.8);
        if !is_over && is_held_back {
            self.probes.plan(now, &[self.target() * 2.0]);
        }
    }

    fn follow_delay(&mut self, now: Instant, is_limited: bool) {
        let acknowledged_bps = self.acknowledged.bps();
        let probed_bps = self.probes.result(now, self.limit());
        match (self.trend.usage(), probed_bps) {
            (Usage::Over, _) => {
                if self.rate.overused(now, acknowledged_bps, is_limited) {
                    self.probes.cancel();
                }
            }
            (_, Some(probed_bps)) => {
                self.rate.probed(now, probed_bps);
                self.loss.probed(probed_bps);
            }
            (usage, None) => self.rate.update(now, usage, acknowledged_bps),
        }
    }

    /// The peer is there. After a silence that may have been short it is worth a try whether the path is as before.
    fn heard(&mut self, now: Instant) {
        self.halve_at = None;
        if std::mem::take(&mut self.has_halved) {
            self.probes.plan(now, &[self.target() * 2.0]);
        }
    }

    fn patience(&self) -> Duration {
        if self.has_halved {
            HALVE_AGAIN
        } else if self.has_reports && self.feedback_at.is_none() {
            HALVE_AFTER_REPORT
        } else {
            HALVE_AFTER
        }
    }

    fn target(&self) -> f64 {
        let by_loss = self.loss.limit_bps().unwrap_or(f64::INFINITY);
        self.rate.bps().min(by_loss).min(self.limit()).max(self.min_bps)
    }

    /// What nothing may go beyond, whatever the path carries.
    fn limit(&self) -> f64 {
        let by_remb = self.remb_bps.unwrap_or(f64::INFINITY);
        let by_wish = self.wanted_bps.unwrap_or(f64::INFINITY);
        self.max_bps.min(by_remb).min(by_wish).max(self.min_bps)
    }
}
