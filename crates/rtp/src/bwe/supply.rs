//! Whether the application fills the rate it has: a budget that sending uses up (as draft-ietf-rmcat-gcc-02 §5.5 asks
//! of the sender before what arrives may stand for what the path carries).

use std::time::{Duration, Instant};

/// Of the target; who sends less leaves some of the budget.
const SHARE: f64 = 0.65;
const WINDOW: Duration = Duration::from_millis(500);
/// Of a whole window's budget that is left.
const LIMITED_ABOVE: f64 = 0.8;
const FILLED_BELOW: f64 = 0.5;

#[derive(Debug, Default)]
pub(crate) struct Supply {
    left_bits: f64,
    updated: Option<Instant>,
    is_limited: bool,
}

impl Supply {
    pub(crate) fn is_limited(&self) -> bool {
        self.is_limited
    }

    pub(crate) fn update(&mut self, now: Instant, sent_bytes: usize, target_bps: f64) {
        if self.updated.is_none() && sent_bytes == 0 {
            // Perhaps nobody tells what is sent.
            return;
        }
        let passed = now.saturating_duration_since(*self.updated.get_or_insert(now)).min(WINDOW * 2);
        self.updated = self.updated.max(Some(now));
        let whole_bits = target_bps * SHARE * WINDOW.as_secs_f64();
        let earned_bits = target_bps * SHARE * passed.as_secs_f64();
        self.left_bits = (self.left_bits + earned_bits - sent_bytes as f64 * 8.0).clamp(-whole_bits, whole_bits);
        if self.left_bits > whole_bits * LIMITED_ABOVE {
            self.is_limited = true;
        } else if self.left_bits < whole_bits * FILLED_BELOW {
            self.is_limited = false;
        }
    }
}
