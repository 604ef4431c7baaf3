//! How well a source is heard: losses, jitter, and what its reports say (RFC 3550 §6.4.1, appendix A).

use std::time::{Duration, Instant};

use peerline_wire::rtcp::{ReportBlock, SenderInfo};

/// Of one source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reception {
    base: Option<u64>,
    highest: u64,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) header_bytes: u64,
    pub(crate) last_at: Option<Instant>,
    /// In ticks.
    jitter: f64,
    last_transit: Option<(Instant, u32)>,
    /// What the last report of ours told.
    reported: (u64, u64),
    last_sender_report: Option<(Instant, SenderInfo)>,
    pub(crate) sender_reports: u64,
}

impl Reception {
    /// A packet of this number arrived, which never was here before.
    pub(crate) fn received(
        &mut self,
        now: Instant,
        number: u64,
        timestamp: u32,
        clock_hz: u32,
        (header_len, payload_len): (usize, usize),
    ) {
        let base = self.base.get_or_insert(number);
        *base = number.min(*base);
        self.packets += 1;
        self.bytes += payload_len as u64;
        self.header_bytes += header_len as u64;
        self.last_at = Some(now);
        if number > self.highest {
            self.highest = number;
            self.measure(now, timestamp, clock_hz);
        }
    }

    /// Packets of one frame share a timestamp, and say nothing of jitter but for the first.
    fn measure(&mut self, now: Instant, timestamp: u32, clock_hz: u32) {
        let Some((last_at, last)) = self.last_transit.replace((now, timestamp)) else { return };
        if last == timestamp {
            self.last_transit = Some((last_at, last));
            return;
        }
        let apart = now.saturating_duration_since(last_at).as_secs_f64() * f64::from(clock_hz);
        let stamped = f64::from(timestamp.wrapping_sub(last).cast_signed());
        let difference = (apart - stamped).abs();
        // A jump of the timestamps is not jitter.
        if difference < 5.0 * f64::from(clock_hz) {
            self.jitter += (difference - self.jitter) / 16.0;
        }
    }

    pub(crate) fn jitter(&self, clock_hz: u32) -> Duration {
        Duration::from_secs_f64(self.jitter / f64::from(clock_hz.max(1)))
    }

    pub(crate) fn expected(&self) -> u64 {
        self.base.map_or(0, |base| self.highest - base + 1)
    }

    /// Below zero where packets came twice.
    pub(crate) fn lost(&self) -> i64 {
        self.expected().cast_signed() - self.packets.cast_signed()
    }

    pub(crate) fn sender_reported(&mut self, now: Instant, info: SenderInfo) {
        self.last_sender_report = Some((now, info));
        self.sender_reports += 1;
    }

    pub(crate) fn last_sender_report(&self) -> Option<(Instant, SenderInfo)> {
        self.last_sender_report
    }

    /// For our next report; what was lost since the one before is in it.
    pub(crate) fn block(&mut self, now: Instant, ssrc: u32) -> ReportBlock {
        let (expected, packets) = (self.expected(), self.packets);
        let (expected_then, packets_then) = std::mem::replace(&mut self.reported, (expected, packets));
        let interval = expected.saturating_sub(expected_then);
        let lost = interval.saturating_sub(packets.saturating_sub(packets_then));
        let fraction = (lost * 256).checked_div(interval).unwrap_or(0).min(255);
        let (last_report, delay) = self.last_sender_report.map_or((0, 0), |(at, info)| {
            let delay = now.saturating_duration_since(at).as_secs_f64() * 65536.0;
            ((info.ntp >> 16) as u32, delay as u32)
        });
        ReportBlock {
            ssrc,
            fraction_lost: fraction as u8,
            total_lost: self.lost().clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_sequence: self.highest.wrapping_sub(1 << 16) as u32,
            jitter: self.jitter as u32,
            last_report,
            delay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: u64 = (1 << 16) + 100;

    #[test]
    fn what_is_missing_is_lost_until_it_comes() {
        let now = Instant::now();
        let mut reception = Reception::default();
        for number in [0, 1, 2, 5, 6, 7] {
            reception.received(now, FIRST + number, 0, 90000, (12, 100));
        }
        let block = reception.block(now, 7);
        assert_eq!((block.total_lost, block.fraction_lost, block.ssrc), (2, 64, 7));
        assert_eq!(block.highest_sequence, 107);
        reception.received(now, FIRST + 3, 0, 90000, (12, 100));
        let block = reception.block(now, 7);
        assert_eq!((block.total_lost, block.fraction_lost), (1, 0));
        assert_eq!((reception.bytes, reception.header_bytes), (700, 84));
    }

    #[test]
    fn frames_that_come_in_time_have_no_jitter_and_others_have() {
        let start = Instant::now();
        let mut reception = Reception::default();
        for number in 0..50_u32 {
            let at = start + Duration::from_millis(20) * number;
            reception.received(at, FIRST + u64::from(number), number * 960, 48000, (12, 100));
        }
        assert!(reception.jitter(48000) < Duration::from_micros(10));
        for number in 50..100_u32 {
            let at = start + Duration::from_millis(20) * number + Duration::from_millis(u64::from(number % 2) * 10);
            reception.received(at, FIRST + u64::from(number), number * 960, 48000, (12, 100));
        }
        assert!(reception.jitter(48000) > Duration::from_millis(5));
    }

    #[test]
    fn a_report_says_when_the_last_one_of_the_sender_came() {
        let now = Instant::now();
        let mut reception = Reception::default();
        let info = SenderInfo { ntp: 0x1234_5678_9abc_def0, timestamp: 0, packets: 0, octets: 0 };
        reception.sender_reported(now, info);
        let block = reception.block(now + Duration::from_millis(500), 7);
        assert_eq!((block.last_report, block.delay), (0x5678_9abc, 0x8000));
    }
}
