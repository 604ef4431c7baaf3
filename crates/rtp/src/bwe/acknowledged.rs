//! At which rate what we send arrives: short windows, each believed the less the more it differs (as the incoming rate
//! R_hat of draft-ietf-rmcat-gcc-02 §5.5).

use super::history::Arrived;

const FIRST_WINDOW_US: i64 = 500_000;
const WINDOW_US: i64 = 150_000;
const MAX_GAP_US: i64 = 2_000_000;
/// How uncertain a window is that differs by all of the estimate, in kbit/s; and how much more uncertain the estimate
/// becomes with each window.
const UNCERTAINTY: f64 = 10.0;
const DRIFT: f64 = 5.0;
const FIRST_VARIANCE: f64 = 50.0;
/// When the sender changes its rate at once, the estimate must be ready to follow.
const CHANGE_VARIANCE: f64 = 200.0;

#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    window: Option<Window>,
    estimate: Option<Estimate>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began_us: i64,
    last_us: i64,
    bytes: usize,
}

#[derive(Debug)]
struct Estimate {
    kbps: f64,
    variance: f64,
}

impl Acknowledged {
    pub(crate) fn bps(&self) -> Option<f64> {
        self.estimate.as_ref().map(|estimate| estimate.kbps * 1000.0)
    }

    /// A packet that arrived after those before.
    pub(crate) fn arrived(&mut self, packet: &Arrived) {
        let fresh = Window { began_us: packet.arrival_us, last_us: packet.arrival_us, bytes: 0 };
        let window = self.window.get_or_insert(fresh);
        let length_us = if self.estimate.is_some() { WINDOW_US } else { FIRST_WINDOW_US };
        let gap_us = packet.arrival_us.saturating_sub(window.last_us);
        if !(-WINDOW_US..=MAX_GAP_US).contains(&gap_us) {
            // Another clock, or a rest: this window would tell of neither.
            *window = fresh;
        }
        let passed_us = packet.arrival_us.saturating_sub(window.began_us);
        if passed_us >= length_us {
            let sample_kbps = window.bytes as f64 * 8000.0 / passed_us as f64;
            window.began_us = packet.arrival_us;
            window.bytes = 0;
            Self::combine(&mut self.estimate, sample_kbps);
        }
        window.bytes = window.bytes.saturating_add(packet.size);
        window.last_us = window.last_us.max(packet.arrival_us);
    }

    pub(crate) fn expect_change(&mut self) {
        if let Some(estimate) = &mut self.estimate {
            estimate.variance += CHANGE_VARIANCE;
        }
    }

    fn combine(estimate: &mut Option<Estimate>, sample_kbps: f64) {
        let Some(estimate) = estimate else {
            *estimate = Some(Estimate { kbps: sample_kbps, variance: FIRST_VARIANCE });
            return;
        };
        let difference = (estimate.kbps - sample_kbps).abs() / (estimate.kbps + sample_kbps).max(1.0);
        let sample_variance = (UNCERTAINTY * difference).powi(2).max(1e-3);
        let variance = estimate.variance + DRIFT;
        estimate.kbps = (sample_variance * estimate.kbps + variance * sample_kbps) / (sample_variance + variance);
        estimate.variance = sample_variance * variance / (sample_variance + variance);
    }
}
