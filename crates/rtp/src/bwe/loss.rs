//! What loss says of the rate (draft-ietf-rmcat-gcc-02 §6): cut above 10 %, raise below 2 %, besides what the path loses
//! at any rate.

use std::time::{Duration, Instant};

use super::history::Report;

const LOW: f64 = 0.02;
const HIGH: f64 = 0.1;
/// Per second.
const INCREASE: f64 = 0.05;
/// Between low and high the draft holds the rate. A little growth there lets a path with some loss of its own recover
/// from worse times; what we cause ourselves soon leads back to high.
const SLOW_INCREASE: f64 = 0.01;

const MIN_WINDOW: Duration = Duration::from_millis(300);
const WINDOW: Duration = Duration::from_secs(1);
const MIN_PACKETS: f64 = 20.0;
const MANY_PACKETS: f64 = 300.0;

/// What arrives is what the path carries, if the loss is ours: the first cut goes below it, so that a full queue drains.
/// If the loss stays it is not ours, and further cuts are those of the draft.
const UNDER_ARRIVING: f64 = 0.95;
const FIRST_CUT_AGAIN: Duration = Duration::from_secs(3);

/// A path has some loss of its own if as much is lost after a cut as before. It is tried for so long; each time the
/// estimate moves by such a part of the way, and less than it moves it down always.
const TRIED: Duration = Duration::from_secs(1);
const MOVES_BY: f64 = 0.3;
const FALLS_BY: f64 = 0.1;
/// More than this is no path.
const MAX_OWN: f64 = 0.15;
/// Of its own loss so much more, and a little, is ours.
const ABOVE_OWN: f64 = 1.25;

/// The limit is none while loss was never high: loss at random is no reason to send less.
#[derive(Debug, Default)]
pub(crate) struct Loss {
    limit_bps: Option<f64>,
    window: Option<Window>,
    cut_at: Option<Instant>,
    /// What is lost since the last cut, and what of it is the path's own.
    after_cut: Option<Window>,
    own: Option<f64>,
    reported_at: Option<Instant>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    settled: f64,
    lost: f64,
}

/// In bits per second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    /// At which we send.
    pub(crate) target: f64,
    pub(crate) by_delay: f64,
    /// At which it arrives; none when that says nothing of the path.
    pub(crate) arriving: Option<f64>,
}

impl Loss {
    pub(crate) fn limit_bps(&self) -> Option<f64> {
        self.limit_bps
    }

    pub(crate) fn update(&mut self, now: Instant, report: &Report, rates: Rates, round_trip: Duration) {
        if self.has_cut_within(round_trip, now) {
            // What is reported now was sent before.
            return;
        }
        self.learn(now, report);
        let (low, high) = self.bounds();
        let window = self.window.get_or_insert(Window::new(now));
        window.add(report);
        let passed = now.saturating_duration_since(window.began);
        if window.settled < MIN_PACKETS || passed < MIN_WINDOW {
            return;
        }
        let fraction = window.lost / window.settled;
        if window.is_surely_above(high) {
            let arriving = rates.arriving.filter(|_| !self.has_cut_within(FIRST_CUT_AGAIN, now));
            let by_loss = rates.target * cut(fraction);
            self.limit_bps = Some(arriving.map_or(by_loss, |bps| by_loss.min(bps * UNDER_ARRIVING)));
            self.cut_at = Some(now);
            self.window = None;
            self.after_cut = Some(Window::new(now));
        } else if passed >= WINDOW && fraction <= high {
            self.window = None;
            self.own = self.own.map(|own| own - (own - fraction).max(0.0) * FALLS_BY);
            if rates.arriving.is_some() {
                self.limit_bps = self.limit_bps.map(|limit| limit * growth(fraction, low, passed));
            }
        }
        // It limits nothing any more.
        self.limit_bps = self.limit_bps.filter(|limit| *limit < rates.by_delay);
    }

    /// From a receiver report; gives what to multiply the rate by.
    pub(crate) fn reported(&mut self, now: Instant, fraction: f64, round_trip: Duration) -> f64 {
        if self.after_cut.as_ref().is_some_and(|after| now.saturating_duration_since(after.began) >= TRIED) {
            self.tried(fraction);
        }
        let (low, high) = self.bounds();
        if fraction > high && self.has_cut_within(MIN_WINDOW + round_trip, now) {
            return 1.0;
        }
        let passed = now.saturating_duration_since(self.reported_at.unwrap_or(now));
        self.reported_at = self.reported_at.max(Some(now));
        let factor = if fraction > high { cut(fraction) } else { growth(fraction, low, passed) };
        if factor < 1.0 {
            self.cut_at = Some(now);
            self.after_cut = Some(Window::new(now));
        }
        factor
    }

    /// A probe came through at that rate.
    pub(crate) fn probed(&mut self, bps: f64) {
        self.limit_bps = self.limit_bps.map(|limit| limit.max(bps));
    }

    /// How much may be lost where the rate grows quickly, and where it is not cut.
    fn bounds(&self) -> (f64, f64) {
        let own = self.own.unwrap_or_default();
        (LOW + own, HIGH.max(own * ABOVE_OWN + LOW))
    }

    fn learn(&mut self, now: Instant, report: &Report) {
        let Some(after) = &mut self.after_cut else { return };
        after.add(report);
        if after.settled < MIN_PACKETS || now.saturating_duration_since(after.began) < TRIED {
            return;
        }
        let fraction = after.lost / after.settled;
        self.tried(fraction);
    }

    /// So much is lost at a rate that was cut.
    fn tried(&mut self, fraction: f64) {
        let fraction = fraction.min(MAX_OWN);
        self.own = Some(self.own.map_or(fraction, |own| own + (fraction - own) * MOVES_BY));
        self.after_cut = None;
    }

    fn has_cut_within(&self, time: Duration, now: Instant) -> bool {
        self.cut_at.is_some_and(|at| now.saturating_duration_since(at) < time)
    }
}

impl Window {
    fn new(now: Instant) -> Self {
        Self { began: now, settled: 0.0, lost: 0.0 }
    }

    fn add(&mut self, report: &Report) {
        self.settled += f64::from(report.settled);
        self.lost = (self.lost + f64::from(report.lost) - f64::from(report.late)).max(0.0);
    }

    /// Of few packets many may be lost by chance.
    fn is_surely_above(&self, high: f64) -> bool {
        let chance = if self.settled < MANY_PACKETS { 2.0 * self.lost.sqrt() } else { 0.0 };
        self.lost - chance > high * self.settled
    }
}

/// What a rate is multiplied by that lost too much.
fn cut(fraction: f64) -> f64 {
    1.0 - 0.5 * fraction.min(1.0)
}

/// What a rate is multiplied by that lost no more than it may, for so long.
fn growth(fraction: f64, low: f64, passed: Duration) -> f64 {
    let increase = if fraction <= low { INCREASE } else { SLOW_INCREASE };
    (1.0 + increase).powf(passed.as_secs_f64().min(1.0))
}
