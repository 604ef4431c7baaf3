//! How long an answer takes, and how long to wait for one (RFC 6298, RFC 9260 §6.3.1).

use std::time::Duration;

use crate::settings::{ACK_DELAY, RTO_INITIAL, RTO_MAX, RTO_MIN};

#[derive(Debug, Default)]
pub(crate) struct Rtt {
    smoothed: Option<Duration>,
    variance: Duration,
    backoff: u32,
}

impl Rtt {
    pub(crate) fn smoothed(&self) -> Option<Duration> {
        self.smoothed
    }

    /// A chunk that was sent once was acknowledged after so long.
    pub(crate) fn measured(&mut self, rtt: Duration) {
        match self.smoothed {
            None => (self.smoothed, self.variance) = (Some(rtt), rtt / 2),
            Some(smoothed) => {
                self.variance = (self.variance * 3 + smoothed.abs_diff(rtt)) / 4;
                self.smoothed = Some((smoothed * 7 + rtt) / 8);
            }
        }
        self.backoff = 0;
    }

    /// Nothing came in time.
    pub(crate) fn back_off(&mut self) {
        self.backoff = (self.backoff + 1).min(16);
    }

    /// Something came.
    pub(crate) fn answered(&mut self) {
        self.backoff = 0;
    }

    /// How long to wait before everything counts as lost.
    pub(crate) fn timeout(&self) -> Duration {
        let plain = self.smoothed.map_or(RTO_INITIAL, |rtt| (rtt + self.variance * 4).max(RTO_MIN));
        plain.saturating_mul(1 << self.backoff).min(RTO_MAX)
    }

    /// How long to wait before asking what has become of the last packet (RFC 9002 §6.2.1).
    pub(crate) fn probe_timeout(&self) -> Duration {
        let plain = self.smoothed.map_or(RTO_INITIAL, |rtt| rtt + (self.variance * 4).max(Duration::from_millis(1)));
        (plain + ACK_DELAY).min(self.timeout())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_what_was_measured_and_doubles_while_nothing_comes() {
        let mut rtt = Rtt::default();
        assert_eq!(rtt.timeout(), RTO_INITIAL);
        (0..50).for_each(|_| rtt.measured(Duration::from_millis(300)));
        assert_eq!(rtt.smoothed(), Some(Duration::from_millis(300)));
        assert!(rtt.timeout() < Duration::from_millis(310));
        let before = rtt.timeout();
        rtt.back_off();
        assert_eq!(rtt.timeout(), before * 2);
        (0..40).for_each(|_| rtt.back_off());
        assert_eq!(rtt.timeout(), RTO_MAX);
        rtt.answered();
        assert_eq!(rtt.timeout(), before);
    }
}
