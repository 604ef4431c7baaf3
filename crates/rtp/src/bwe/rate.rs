//! The rate that the delay allows: more until the queue grows, then less (draft-ietf-rmcat-gcc-02 §5.5).

use std::time::{Duration, Instant};

use super::trend::Usage;

const DECREASE: f64 = 0.85;
/// Per second, while the capacity of the path is not known.
const INCREASE: f64 = 1.08;
const MIN_INCREASE_BPS: f64 = 4_000.0;
const PACKET_BITS: f64 = 1200.0 * 8.0;
/// Until a queue shows up in the feedback, beside the round trip.
const REACTION: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) struct Rate {
    bps: f64,
    min_bps: f64,
    max_bps: f64,
    round_trip: Duration,
    /// Since when the rate grows; none after the queue has grown or while it drains.
    grew_at: Option<Instant>,
    reduced_at: Option<Instant>,
    capacity: Capacity,
}

/// Where the queue has begun to grow before.
#[derive(Debug, Default)]
struct Capacity {
    kbps: Option<f64>,
    /// In proportion to the mean.
    variance: f64,
}

impl Rate {
    pub(crate) fn new(start_bps: f64, min_bps: f64, max_bps: f64) -> Self {
        Self {
            bps: start_bps,
            min_bps,
            max_bps,
            round_trip: Duration::from_millis(200),
            grew_at: None,
            reduced_at: None,
            capacity: Capacity::default(),
        }
    }

    pub(crate) fn bps(&self) -> f64 {
        self.bps
    }

    /// The queue has grown.
    pub(crate) fn was_reduced(&self) -> bool {
        self.reduced_at.is_some()
    }

    pub(crate) fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
    }

    /// Something other than the delay knows better.
    pub(crate) fn set(&mut self, bps: f64) {
        self.bps = bps.clamp(self.min_bps, self.max_bps);
    }

    /// The path has shown that it carries that much.
    pub(crate) fn probed(&mut self, now: Instant, bps: f64) {
        if bps > self.bps {
            self.capacity.forget_if_outside(bps);
            self.set(bps);
            self.grew_at = Some(now);
        }
    }

    /// The queue does not grow.
    pub(crate) fn update(&mut self, now: Instant, usage: Usage, acknowledged_bps: Option<f64>) {
        let began = self.grew_at.replace(now);
        if usage == Usage::Under {
            // What has queued up drains before we go on.
            self.grew_at = None;
        } else if let (Some(began), Some(acknowledged_bps)) = (began, acknowledged_bps) {
            let passed = now.saturating_duration_since(began).as_secs_f64().min(1.0);
            self.increase(passed, acknowledged_bps);
        }
    }

    /// The queue grows; says whether the rate was reduced.
    pub(crate) fn overused(&mut self, now: Instant, acknowledged_bps: Option<f64>, is_limited: bool) -> bool {
        self.grew_at = None;
        if self.has_just_reduced(now, acknowledged_bps, is_limited) {
            return false;
        }
        let before = self.bps;
        match acknowledged_bps {
            // What arrives is then less than the path carries.
            Some(_) if is_limited => self.set(self.bps * DECREASE),
            Some(acknowledged_bps) => self.decrease(acknowledged_bps),
            None => self.set(self.bps / 2.0),
        }
        self.reduced_at = Some(now);
        self.bps < before
    }

    fn has_just_reduced(&self, now: Instant, acknowledged_bps: Option<f64>, is_limited: bool) -> bool {
        let pause = match acknowledged_bps {
            Some(_) if !is_limited => self.round_trip.clamp(Duration::from_millis(10), Duration::from_millis(200)),
            _ => self.round_trip + REACTION,
        };
        let is_far_above = !is_limited && acknowledged_bps.is_some_and(|bps| bps < self.bps / 2.0);
        !is_far_above && self.reduced_at.is_some_and(|at| now.saturating_duration_since(at) < pause)
    }

    fn decrease(&mut self, acknowledged_bps: f64) {
        let mut bps = acknowledged_bps * DECREASE;
        if bps > self.bps {
            // More arrived than the rate allows, as after a probe: the last capacity tells more.
            bps = self.capacity.kbps.map_or(bps, |kbps| kbps * 1000.0 * DECREASE);
        }
        self.capacity.forget_if_outside(acknowledged_bps);
        self.capacity.add(acknowledged_bps);
        self.set(self.bps.min(bps));
    }

    fn increase(&mut self, seconds: f64, acknowledged_bps: f64) {
        // Beyond this it would be a guess: the path was not tried at such a rate.
        let limit_bps = acknowledged_bps * 1.5 + 10_000.0;
        if self.bps >= limit_bps {
            return;
        }
        self.capacity.forget_if_above(acknowledged_bps);
        let grown = if self.capacity.kbps.is_some() {
            let response = (self.round_trip + REACTION).as_secs_f64();
            self.bps + (PACKET_BITS / 2.0 / response).max(MIN_INCREASE_BPS) * seconds
        } else {
            self.bps * INCREASE.powf(seconds)
        };
        self.set(grown.max(self.bps + 1000.0 * seconds).min(limit_bps));
    }
}

impl Capacity {
    fn add(&mut self, bps: f64) {
        let sample = bps / 1000.0;
        let Some(mean) = self.kbps else {
            *self = Self { kbps: Some(sample), variance: 0.4 };
            return;
        };
        let mean = 0.95 * mean + 0.05 * sample;
        let error = (mean - sample).powi(2) / mean.max(1.0);
        *self = Self { kbps: Some(mean), variance: (0.95 * self.variance + 0.05 * error).clamp(0.4, 2.5) };
    }

    fn forget_if_above(&mut self, bps: f64) {
        if self.kbps.is_some_and(|mean| bps / 1000.0 > mean + self.margin(mean)) {
            self.kbps = None;
        }
    }

    fn forget_if_outside(&mut self, bps: f64) {
        if self.kbps.is_some_and(|mean| (bps / 1000.0 - mean).abs() > self.margin(mean)) {
            self.kbps = None;
        }
    }

    /// Three standard deviations.
    fn margin(&self, mean: f64) -> f64 {
        3.0 * (self.variance * mean).sqrt()
    }
}
