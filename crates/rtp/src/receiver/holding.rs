//! Frames are held back until they go out as evenly as they were made (W3C webrtc-extensions, `jitterBufferTarget`).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::frame::ReceivedFrame;

/// Four seconds, the longest that can be asked for, of 120 pictures a second.
const MAX_HELD: usize = 480;
/// And of 32 Mbit/s.
const MAX_BYTES: usize = 16 << 20;
/// Of so much time, or twice that, the frame counts that was under way least: what was late says nothing of the path.
const WINDOW: Duration = Duration::from_secs(10);
/// Timestamps that are so far behind began anew.
const MAX_LATE_US: i64 = 5_000_000;

#[derive(Debug, Default)]
pub(super) struct Holding {
    target: Duration,
    path: Option<Path>,
    held: VecDeque<(Instant, ReceivedFrame)>,
    /// What they hold.
    bytes: usize,
    /// When the newest goes out; none overtakes it.
    last_due: Option<Instant>,
}

/// What the timestamps of one clock say of when frames were made. Times are microseconds since the first frame came.
#[derive(Debug)]
struct Path {
    clock_hz: u32,
    began: Instant,
    timestamp: u32,
    ticks: i64,
    window_began: Instant,
    /// How much later than by their timestamps frames came: the least of this window, and of the one before.
    least_us: i64,
    before_us: Option<i64>,
}

impl Holding {
    pub(super) fn set_target(&mut self, target: Duration) {
        self.target = target;
    }

    pub(super) fn target(&self) -> Duration {
        self.target
    }

    /// Whether frames pass through it.
    pub(super) fn is_used(&self) -> bool {
        !self.target.is_zero() || !self.held.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.path = None;
        self.held.clear();
        self.bytes = 0;
        self.last_due = None;
    }

    pub(super) fn push(&mut self, frame: ReceivedFrame, clock_hz: u32) {
        let on_time = self.on_time(&frame, clock_hz.max(1));
        let due = self.last_due.map_or(on_time, |last| last.max(on_time));
        self.last_due = Some(due);
        self.bytes += frame.bytes.len();
        self.held.push_back((due, frame));
    }

    /// The next one that is due.
    pub(super) fn pop(&mut self, now: Instant) -> Option<ReceivedFrame> {
        let (due, _) = self.held.front()?;
        if *due > now && self.held.len() <= MAX_HELD && self.bytes <= MAX_BYTES {
            return None;
        }
        let (_, frame) = self.held.pop_front()?;
        self.bytes -= frame.bytes.len();
        Some(frame)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.held.front().map(|(due, _)| *due)
    }

    fn on_time(&mut self, frame: &ReceivedFrame, clock_hz: u32) -> Instant {
        let path = match &mut self.path {
            Some(path) if path.clock_hz == clock_hz => path,
            path => path.insert(Path::new(frame, clock_hz)),
        };
        let late_us = path.late_us(frame);
        if late_us - path.least_us > MAX_LATE_US {
            *path = Path::new(frame, clock_hz);
            self.last_due = None;
            return frame.arrived + self.target;
        }
        let least_us = path.least_us(late_us, frame.arrived);
        frame.arrived + self.target - Duration::from_micros((late_us - least_us).cast_unsigned()).min(self.target)
    }
}

impl Path {
    fn new(frame: &ReceivedFrame, clock_hz: u32) -> Self {
        Self {
            clock_hz,
            began: frame.arrived,
            timestamp: frame.timestamp,
            ticks: 0,
            window_began: frame.arrived,
            least_us: 0,
            before_us: None,
        }
    }

    fn late_us(&mut self, frame: &ReceivedFrame) -> i64 {
        self.ticks += i64::from(frame.timestamp.wrapping_sub(self.timestamp).cast_signed());
        self.timestamp = frame.timestamp;
        let made_us = (i128::from(self.ticks) * 1_000_000 / i128::from(self.clock_hz)) as i64;
        frame.arrived.saturating_duration_since(self.began).as_micros() as i64 - made_us
    }

    fn least_us(&mut self, late_us: i64, arrived: Instant) -> i64 {
        if arrived.saturating_duration_since(self.window_began) >= WINDOW {
            self.before_us = Some(self.least_us);
            self.least_us = late_us;
            self.window_began = arrived;
        }
        self.least_us = self.least_us.min(late_us);
        self.before_us.map_or(self.least_us, |before| before.min(self.least_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK_HZ: u32 = 90_000;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn frame(arrived: Instant, timestamp: u32) -> ReceivedFrame {
        ReceivedFrame { timestamp, ..ReceivedFrame::whole(7, 96, arrived) }
    }

    /// When each goes out; pushed as they arrive.
    fn played(holding: &mut Holding, arrivals: &[(Instant, u32)]) -> Vec<(u32, Instant)> {
        let mut out = Vec::new();
        let mut arrivals = arrivals.iter().copied().peekable();
        loop {
            let next = arrivals.peek().map(|(at, _)| *at);
            match (holding.poll_timeout(), next) {
                (Some(due), next) if next.is_none_or(|next| due <= next) => {
                    let frame = holding.pop(due).expect("it is due");
                    out.push((frame.timestamp, due));
                }
                (_, Some(at)) => holding.push(frame(at, arrivals.next().expect("it was peeked").1), CLOCK_HZ),
                (None | Some(_), None) => return out,
            }
        }
    }

    #[test]
    fn what_arrives_unevenly_goes_out_evenly() {
        let (start, mut holding) = (Instant::now(), Holding::default());
        holding.set_target(ms(100));
        let late = [0, 7, 31, 2, 64, 0, 11, 90, 0, 40];
        let arrivals: Vec<_> = late
            .iter()
            .zip(0_u32..)
            .map(|(late, count)| (start + ms(20) * count + ms(*late), 5_000 + count * 1800))
            .collect();
        let out = played(&mut holding, &arrivals);
        assert_eq!(out.len(), late.len());
        for (count, (timestamp, at)) in (0_u32..).zip(out) {
            assert_eq!((timestamp, at), (5_000 + count * 1800, start + ms(100) + ms(20) * count));
        }
    }

    #[test]
    fn what_is_later_than_the_target_goes_out_at_once_and_in_order() {
        let (start, mut holding) = (Instant::now(), Holding::default());
        holding.set_target(ms(50));
        let arrivals = [(start, 0), (start + ms(300), 1800), (start + ms(301), 3600), (start + ms(302), 5400)];
        let out = played(&mut holding, &arrivals);
        assert_eq!(out, [(0, start + ms(50)), (1800, arrivals[1].0), (3600, arrivals[2].0), (5400, arrivals[3].0)]);
    }

    #[test]
    fn a_sender_that_begins_anew_is_held_as_before() {
        let (start, mut holding) = (Instant::now(), Holding::default());
        holding.set_target(ms(50));
        let again = start + Duration::from_secs(20);
        let out =
            played(&mut holding, &[(start, 3_000_000_000), (again, 1_000_000_000), (again + ms(20), 1_000_001_800)]);
        assert_eq!(out[1..], [(1_000_000_000, again + ms(50)), (1_000_001_800, again + ms(70))]);
    }

    #[test]
    fn no_more_are_held_than_it_has_room_for() {
        let (now, mut holding) = (Instant::now(), Holding::default());
        holding.set_target(Duration::from_secs(4));
        for count in 0..1000 {
            holding.push(frame(now, count), CLOCK_HZ);
            while holding.pop(now).is_some() {}
        }
        assert_eq!(holding.held.len(), MAX_HELD);
        for count in 1000..1040 {
            holding.push(ReceivedFrame { bytes: vec![0; 1 << 20], ..frame(now, count) }, CLOCK_HZ);
            while holding.pop(now).is_some() {}
        }
        assert!((1 << 20..=MAX_BYTES).contains(&holding.bytes), "{}", holding.bytes);
        holding.clear();
        assert_eq!(holding.bytes, 0);
    }
}
