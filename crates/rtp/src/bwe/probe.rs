//! Short bursts that try what the path carries, before any application sends that much.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::history::Arrived;

const MIN_PACKETS: u32 = 5;
const LENGTH: Duration = Duration::from_millis(15);
/// Of a cluster's packets and bytes that must have arrived.
const ENOUGH: f64 = 0.8;
/// A path that carries that part of what was tried may carry more.
const GOOD: f64 = 0.7;
/// Packets further apart are no burst.
const MAX_SPREAD: Duration = Duration::from_secs(1);
/// Arrivals that are so much faster than what was sent were held up somewhere.
const MAX_SPEEDUP: f64 = 2.0;
/// What arrives clearly slower than it left has filled the path; less than that lets the queue drain.
const CLEARLY_SLOWER: f64 = 0.9;
const UNDER_FULL: f64 = 0.95;
/// Feedback later than that tells of another time.
const MAX_WAIT: Duration = Duration::from_secs(2);
const MAX_RUNNING: usize = 8;
/// A cluster of which too much was lost is tried again, after so long and so often in a series.
const RETRY_AFTER: Duration = Duration::from_millis(200);
const MAX_RETRIES: u32 = 2;

/// Send at least `bytes` in at least `min_packets`, evenly at `bitrate_bps`, with padding where there is no media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    pub cluster: u32,
    pub bitrate_bps: u64,
    pub min_packets: u32,
    pub bytes: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Probes {
    planned_bps: VecDeque<f64>,
    running: VecDeque<Cluster>,
    next_cluster: u32,
    /// The most of this series; only it leads to more.
    highest_bps: f64,
    retries: u32,
}

#[derive(Debug)]
struct Cluster {
    probe: Probe,
    began: Instant,
    packets: u32,
    bytes: usize,
    span: Option<Span>,
    /// When we first heard of it.
    told_at: Option<Instant>,
    has_news: bool,
    is_done: bool,
}

#[derive(Debug)]
struct Span {
    first_sent: Instant,
    last_sent: Instant,
    last_sent_size: usize,
    first_arrival_us: i64,
    first_arrival_size: usize,
    last_arrival_us: i64,
}

impl Probes {
    /// A new series, unless one is under way.
    pub(crate) fn plan(&mut self, now: Instant, bitrates_bps: &[f64]) {
        self.forget_old(now);
        if self.planned_bps.is_empty() && self.running.iter().all(|cluster| cluster.is_done) {
            self.running.clear();
            self.planned_bps.extend(bitrates_bps);
            self.highest_bps = 0.0;
            self.retries = 0;
        }
    }

    /// Not the time for more.
    pub(crate) fn cancel(&mut self) {
        self.planned_bps.clear();
        self.highest_bps = f64::INFINITY;
    }

    /// `above_bps` is had without a probe, and more than `limit_bps` is of no use.
    pub(crate) fn poll(&mut self, now: Instant, above_bps: f64, limit_bps: f64) -> Option<Probe> {
        self.forget_old(now);
        while let Some(bps) = self.planned_bps.pop_front() {
            let bps = bps.min(limit_bps);
            if bps <= above_bps.max(self.highest_bps) {
                continue;
            }
            self.highest_bps = bps;
            let probe = Probe {
                cluster: self.next_cluster,
                bitrate_bps: bps as u64,
                min_packets: MIN_PACKETS,
                bytes: (bps / 8.0 * LENGTH.as_secs_f64()) as usize,
            };
            self.next_cluster = self.next_cluster.wrapping_add(1);
            if self.running.len() == MAX_RUNNING {
                self.running.pop_front();
            }
            self.running.push_back(Cluster::new(now, probe));
            return Some(probe);
        }
        None
    }

    pub(crate) fn arrived(&mut self, packet: &Arrived) {
        let Some(number) = packet.probe else { return };
        if let Some(cluster) = self.running.iter_mut().find(|cluster| cluster.probe.cluster == number) {
            cluster.arrived(packet);
        }
    }

    /// The best that the last packets have shown. A good one plans the next.
    pub(crate) fn result(&mut self, now: Instant, limit_bps: f64) -> Option<f64> {
        self.forget_old(now);
        let mut best: Option<f64> = None;
        for cluster in self.running.iter_mut().filter(|cluster| cluster.has_news) {
            cluster.has_news = false;
            cluster.told_at.get_or_insert(now);
            let Some(result_bps) = cluster.result() else { continue };
            cluster.is_done = true;
            best = Some(best.map_or(result_bps, |best| best.max(result_bps)));
            let tried_bps = cluster.probe.bitrate_bps as f64;
            let is_top = tried_bps.ceil() >= self.highest_bps.floor();
            if is_top && self.planned_bps.is_empty() && result_bps > tried_bps * GOOD && tried_bps < limit_bps.floor() {
                self.planned_bps.push_back(result_bps * 2.0);
            }
        }
        self.retry(now);
        best
    }

    fn retry(&mut self, now: Instant) {
        let Some(cluster) = self.running.iter_mut().find(|cluster| cluster.is_overdue(now)) else { return };
        cluster.is_done = true;
        let tried_bps = cluster.probe.bitrate_bps as f64;
        if self.planned_bps.is_empty() && self.retries < MAX_RETRIES && tried_bps.ceil() >= self.highest_bps.floor() {
            self.retries += 1;
            self.highest_bps = 0.0;
            self.planned_bps.push_back(tried_bps);
        }
    }

    fn forget_old(&mut self, now: Instant) {
        self.running.retain(|cluster| now.saturating_duration_since(cluster.began) <= MAX_WAIT);
    }
}

impl Cluster {
    fn new(now: Instant, probe: Probe) -> Self {
        Self { probe, began: now, packets: 0, bytes: 0, span: None, told_at: None, has_news: false, is_done: false }
    }

    fn is_overdue(&self, now: Instant) -> bool {
        !self.is_done && self.told_at.is_some_and(|at| now.saturating_duration_since(at) > RETRY_AFTER)
    }

    fn arrived(&mut self, packet: &Arrived) {
        self.has_news = true;
        self.packets = self.packets.saturating_add(1);
        self.bytes = self.bytes.saturating_add(packet.size);
        let span = self.span.get_or_insert(Span {
            first_sent: packet.sent_at,
            last_sent: packet.sent_at,
            last_sent_size: packet.size,
            first_arrival_us: packet.arrival_us,
            first_arrival_size: packet.size,
            last_arrival_us: packet.arrival_us,
        });
        span.first_sent = span.first_sent.min(packet.sent_at);
        if packet.sent_at >= span.last_sent {
            (span.last_sent, span.last_sent_size) = (packet.sent_at, packet.size);
        }
        if packet.arrival_us < span.first_arrival_us {
            (span.first_arrival_us, span.first_arrival_size) = (packet.arrival_us, packet.size);
        }
        span.last_arrival_us = span.last_arrival_us.max(packet.arrival_us);
    }

    fn result(&self) -> Option<f64> {
        let span = self.span.as_ref()?;
        let has_enough = f64::from(self.packets) >= f64::from(self.probe.min_packets) * ENOUGH
            && self.bytes as f64 >= self.probe.bytes as f64 * ENOUGH;
        let sent_in = span.last_sent.saturating_duration_since(span.first_sent);
        let arrived_in =
            Duration::from_micros(span.last_arrival_us.saturating_sub(span.first_arrival_us).max(0) as u64);
        let is_burst = |spread: Duration| !spread.is_zero() && spread <= MAX_SPREAD;
        if !has_enough || !is_burst(sent_in) || !is_burst(arrived_in) {
            return None;
        }
        let rate =
            |without: usize, spread: Duration| self.bytes.saturating_sub(without) as f64 * 8.0 / spread.as_secs_f64();
        let sent_bps = rate(span.last_sent_size, sent_in);
        let arrived_bps = rate(span.first_arrival_size, arrived_in);
        if arrived_bps > sent_bps * MAX_SPEEDUP {
            None
        } else if arrived_bps < sent_bps * CLEARLY_SLOWER {
            Some(arrived_bps * UNDER_FULL)
        } else {
            Some(arrived_bps.min(sent_bps))
        }
    }
}
