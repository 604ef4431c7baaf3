//! Whether the queue in the path grows: the slope of the delay against an adaptive threshold (draft-ietf-rmcat-gcc-02
//! §5.3 to §5.5, with a line fitted through the delays in place of the Kalman filter).

use std::collections::VecDeque;

use super::groups::Delta;

const WINDOW: usize = 20;
/// Of the delay so far that stays in the smoothed one.
const SMOOTHING: f64 = 0.9;
/// What makes of a slope the milliseconds that the threshold is in; a slope of more groups is more certain.
const GAIN: f64 = 4.0;
const MAX_CERTAINTY: u32 = 60;

const FIRST_THRESHOLD_MS: f64 = 12.5;
const MIN_THRESHOLD_MS: f64 = 6.0;
const MAX_THRESHOLD_MS: f64 = 600.0;
/// How fast the threshold follows upwards and downwards, per millisecond.
const UP: f64 = 0.0087;
const DOWN: f64 = 0.039;
/// What is so far above the threshold is an event of its own and does not move it.
const MAX_ABOVE_MS: f64 = 15.0;
const MAX_STEP_MS: f64 = 100.0;
/// The trend must be over the threshold for longer than this.
const OVERUSE_AFTER_MS: f64 = 10.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    Normal,
    Over,
    Under,
}

#[derive(Debug)]
pub(crate) struct Trend {
    /// Receiver's time since the start and smoothed delay at that time, both in milliseconds.
    delays: VecDeque<(f64, f64)>,
    arrival_ms: f64,
    delay_ms: f64,
    smoothed_ms: f64,
    groups: u32,
    slope: f64,
    threshold_ms: f64,
    over: Option<Over>,
    usage: Usage,
}

#[derive(Debug)]
struct Over {
    for_ms: f64,
    groups: u32,
}

impl Trend {
    pub(crate) fn new() -> Self {
        Self {
            delays: VecDeque::with_capacity(WINDOW + 1),
            arrival_ms: 0.0,
            delay_ms: 0.0,
            smoothed_ms: 0.0,
            groups: 0,
            slope: 0.0,
            threshold_ms: FIRST_THRESHOLD_MS,
            over: None,
            usage: Usage::Normal,
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    pub(crate) fn update(&mut self, delta: Delta) {
        self.groups = (self.groups + 1).min(MAX_CERTAINTY);
        self.arrival_ms += delta.arrival_ms;
        self.delay_ms += delta.arrival_ms - delta.sent_ms;
        self.smoothed_ms = SMOOTHING * self.smoothed_ms + (1.0 - SMOOTHING) * self.delay_ms;
        self.delays.push_back((self.arrival_ms, self.smoothed_ms));
        if self.delays.len() > WINDOW {
            self.delays.pop_front();
        }
        let slope = if self.delays.len() == WINDOW { slope(&self.delays).unwrap_or(self.slope) } else { 0.0 };
        self.detect(slope, delta);
    }

    fn detect(&mut self, slope: f64, delta: Delta) {
        let trend_ms = slope * f64::from(self.groups) * GAIN;
        if trend_ms > self.threshold_ms {
            let over = self.over.get_or_insert(Over { for_ms: -delta.sent_ms / 2.0, groups: 0 });
            over.for_ms += delta.sent_ms;
            over.groups += 1;
            if over.for_ms > OVERUSE_AFTER_MS && over.groups > 1 && slope >= self.slope {
                self.over = None;
                self.usage = Usage::Over;
            }
        } else {
            self.over = None;
            self.usage = if trend_ms < -self.threshold_ms { Usage::Under } else { Usage::Normal };
        }
        self.slope = slope;
        self.adapt(trend_ms.abs(), delta.arrival_ms.min(MAX_STEP_MS));
    }

    fn adapt(&mut self, trend_ms: f64, step_ms: f64) {
        let above_ms = trend_ms - self.threshold_ms;
        if above_ms <= MAX_ABOVE_MS {
            let speed = if above_ms < 0.0 { DOWN } else { UP };
            self.threshold_ms =
                (self.threshold_ms + speed * above_ms * step_ms).clamp(MIN_THRESHOLD_MS, MAX_THRESHOLD_MS);
        }
    }
}

/// By least squares; none through points of one moment.
fn slope(points: &VecDeque<(f64, f64)>) -> Option<f64> {
    let count = points.len() as f64;
    let (sum_x, sum_y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let (mut above, mut below) = (0.0, 0.0);
    for (x, y) in points {
        above += (x - mean_x) * (y - mean_y);
        below += (x - mean_x).powi(2);
    }
    (below > 0.0).then(|| above / below)
}
