//! A sender on a simulated path, in virtual time.

use std::collections::VecDeque;

use crate::bwe::*;

pub(super) const MBIT: f64 = 1e6;
pub(super) const PACKET: usize = 1200;
pub(super) const FEEDBACK_EVERY: Duration = Duration::from_millis(50);

pub(super) type Arrivals = Vec<(u64, Option<i64>)>;

/// Numbers as they come from a fixed seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(super) fn is_under(&mut self, probability: f64) -> bool {
        (self.next() as f64) < probability * (1u64 << 31) as f64
    }
}

/// A bottleneck with a queue in front, that drops what does not fit.
pub(super) struct Link {
    pub(super) rate_bps: f64,
    pub(super) delay: Duration,
    pub(super) queue: Duration,
    pub(super) jitter: Duration,
    pub(super) loss: f64,
    pub(super) busy_until: Instant,
    pub(super) last_arrival: Instant,
    pub(super) dice: Dice,
}

pub(super) struct Path {
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) bwe: Bwe,
    pub(super) link: Link,
    /// What the application has; none: as much as it may.
    pub(super) application_bps: Option<f64>,
    pub(super) has_feedback: bool,
    pub(super) has_probes: bool,
    /// What the receiver's clock showed at our start.
    pub(super) clock_us: i64,
    pub(super) number: u64,
    pub(super) next_packet: Instant,
    pub(super) probe: Option<(Probe, u32, usize)>,
    pub(super) next_probe_packet: Instant,
    /// Numbers under way, and when they arrive; lost ones never do.
    pub(super) under_way: VecDeque<(u64, Option<Instant>)>,
    pub(super) next_feedback: Instant,
    pub(super) feedbacks: VecDeque<(Instant, Arrivals)>,
    /// Per packet: when sent, how long it stood in the queue; none when dropped.
    pub(super) queued: Vec<(Instant, Option<Duration>)>,
}

impl Path {
    pub(super) fn new(rate_bps: f64) -> Self {
        Self::with(rate_bps, BweSettings::default())
    }

    pub(super) fn with(rate_bps: f64, settings: BweSettings) -> Self {
        let start = Instant::now();
        let mut bwe = Bwe::new(settings);
        bwe.set_round_trip(Duration::from_millis(60));
        Self {
            start,
            now: start,
            bwe,
            link: Link {
                rate_bps,
                delay: Duration::from_millis(30),
                queue: Duration::from_millis(300),
                jitter: Duration::ZERO,
                loss: 0.0,
                busy_until: start,
                last_arrival: start,
                dice: Dice(7),
            },
            application_bps: None,
            has_feedback: true,
            has_probes: true,
            clock_us: 9_000_000_000,
            number: 0,
            next_packet: start,
            probe: None,
            next_probe_packet: start,
            under_way: VecDeque::new(),
            next_feedback: start + FEEDBACK_EVERY,
            feedbacks: VecDeque::new(),
            queued: Vec::new(),
        }
    }

    /// Runs for so many seconds and gives the target at each tenth of one.
    pub(super) fn run(&mut self, seconds: f64) -> Vec<f64> {
        let until = self.now + Duration::from_secs_f64(seconds);
        let mut targets = Vec::new();
        let mut steps = 0;
        while self.now < until {
            self.now += Duration::from_millis(1);
            self.step();
            steps += 1;
            if steps % 100 == 0 {
                targets.push(self.bwe.target_bps() as f64);
            }
        }
        targets
    }

    pub(super) fn step(&mut self) {
        if self.bwe.poll_timeout().is_some_and(|at| at <= self.now) {
            self.bwe.handle_timeout(self.now);
        }
        self.send_probe();
        while self.next_packet <= self.now {
            let at = self.next_packet;
            let target_bps = self.bwe.target_bps() as f64;
            let rate_bps = self.application_bps.map_or(target_bps, |bps| bps.min(target_bps));
            self.send(at, None);
            self.next_packet = at + Duration::from_secs_f64(PACKET as f64 * 8.0 / rate_bps);
        }
        if self.now >= self.next_feedback {
            self.next_feedback += FEEDBACK_EVERY;
            self.collect();
        }
        while self.feedbacks.front().is_some_and(|(at, _)| *at <= self.now) {
            let (_, arrivals) = self.feedbacks.pop_front().expect("there is one");
            if self.has_feedback {
                self.bwe.feedback(self.now, arrivals.into_iter());
            }
        }
    }

    pub(super) fn send_probe(&mut self) {
        if self.probe.is_none() && self.has_probes {
            self.probe = self.bwe.poll_probe(self.now).map(|probe| (probe, 0, 0));
            self.next_probe_packet = self.now;
        }
        while let Some((probe, packets, bytes)) = &mut self.probe {
            if self.next_probe_packet > self.now {
                break;
            }
            let (at, cluster) = (self.next_probe_packet, probe.cluster);
            *packets += 1;
            *bytes += PACKET;
            self.next_probe_packet = at + Duration::from_secs_f64(PACKET as f64 * 8.0 / probe.bitrate_bps as f64);
            if *packets >= probe.min_packets && *bytes >= probe.bytes {
                self.probe = None;
            }
            self.send(at, Some(cluster));
            // Padding and media share the rate.
            self.next_packet = self.next_packet.max(self.next_probe_packet);
        }
    }

    pub(super) fn send(&mut self, at: Instant, probe: Option<u32>) {
        self.bwe.sent(at, self.number, PACKET, probe);
        let link = &mut self.link;
        let wait = link.busy_until.saturating_duration_since(at);
        let mut arrival = None;
        if wait <= link.queue {
            link.busy_until = link.busy_until.max(at) + Duration::from_secs_f64(PACKET as f64 * 8.0 / link.rate_bps);
            let jitter = link.jitter.mul_f64(link.dice.below(1000) as f64 / 1000.0);
            if !link.dice.is_under(link.loss) {
                link.last_arrival = link.last_arrival.max(link.busy_until + link.delay + jitter);
                arrival = Some(link.last_arrival);
            }
        }
        self.queued.push((at, (wait <= link.queue).then_some(wait)));
        self.under_way.push_back((self.number, arrival));
        self.number += 1;
    }

    pub(super) fn collect(&mut self) {
        let last = self.under_way.iter().rposition(|(_, arrival)| arrival.is_some_and(|at| at <= self.now));
        let Some(last) = last else { return };
        let clock = |at: Instant| (at - self.start).as_micros() as i64 + self.clock_us;
        let arrivals = self.under_way.drain(..=last).map(|(number, at)| (number, at.map(clock))).collect();
        self.feedbacks.push_back((self.now + self.link.delay, arrivals));
    }

    /// Of what was sent in the last seconds: the part that stood in the queue for less than that.
    pub(super) fn queued_less_than(&self, limit: Duration, seconds: f64) -> f64 {
        let sent = self.sent_in(seconds);
        sent.iter().filter(|(_, wait)| wait.is_some_and(|wait| wait < limit)).count() as f64 / sent.len() as f64
    }

    pub(super) fn dropped(&self, seconds: f64) -> f64 {
        let sent = self.sent_in(seconds);
        sent.iter().filter(|(_, wait)| wait.is_none()).count() as f64 / sent.len() as f64
    }

    pub(super) fn sent_in(&self, seconds: f64) -> &[(Instant, Option<Duration>)] {
        let from = self.now - Duration::from_secs_f64(seconds);
        &self.queued[self.queued.partition_point(|(at, _)| *at < from)..]
    }
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

pub(super) fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

pub(super) fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}
