//! The media of one transport: frames and packets of all its sources, in and out (RFC 8834).
//!
//! Reading order: this file (what goes in and what comes out) → `route` (whose a packet is) → `incoming` (RTP and RTCP that
//! came) → `outgoing` (what leaves next) → `reports` (RTCP that is due) → `stats`.

mod event;
mod incoming;
mod outgoing;
mod reports;
mod route;
mod stats;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub use event::{Leaving, MediaEvent, NotSent};
pub use stats::{MediaStats, ReceivedStats, SentStats};

use crate::arrivals::Arrivals;
use crate::bwe::{Bwe, BweSettings, Remote};
use crate::pacer::{Pacer, Waiting};
use crate::plan::Plan;
use crate::receiver::Stream;
use crate::sender::{Frame, Sender};
use outgoing::Probing;
use route::Routes;

/// Until a report told how far the other side is.
const ROUND_TRIP_GUESS: Duration = Duration::from_millis(100);
/// Pictures that waited longer are worth nothing.
const MAX_QUEUED: Duration = Duration::from_secs(2);
/// Frames that nobody takes: older ones give way. 5 seconds of sound and pictures.
const MAX_UNTAKEN: usize = 400;
/// The estimate is told not more often than this, and when it changed by a twentieth.
const ESTIMATE_INTERVAL: Duration = Duration::from_millis(100);

/// After every call: poll packets until there are none, then events.
#[derive(Debug)]
pub struct Media {
    origin: Instant,
    /// The clock on the wall at that moment: seconds since 1900 and their fraction.
    ntp_at_origin: u64,
    plan: Plan,
    senders: Vec<Sender>,
    streams: Vec<Stream>,
    routes: Routes,
    /// Sections whose frames somebody wants.
    listened: Vec<u32>,
    pacer: Pacer,
    bwe: Bwe,
    probing: Option<Probing>,
    arrivals: Arrivals,
    remote: Remote,
    /// Under which transport-wide number the next packet leaves.
    next_number: u64,
    round_trip: Option<Duration>,
    reports_due: Option<Instant>,
    rtcp: VecDeque<Vec<u8>>,
    full_intras: u8,
    events: VecDeque<MediaEvent>,
    /// A packet came, and may have left something to be said at once.
    has_news: bool,
    told_estimate: (Instant, u64),
    unrouted: u64,
    malformed: u64,
}

impl Media {
    pub fn new(now: Instant, ntp: u64) -> Self {
        let bwe = Bwe::new(BweSettings::default());
        Self {
            origin: now,
            ntp_at_origin: ntp,
            plan: Plan::default(),
            senders: Vec::new(),
            streams: Vec::new(),
            routes: Routes::default(),
            listened: Vec::new(),
            pacer: Pacer::new(now, bwe.target_bps()),
            told_estimate: (now, bwe.target_bps()),
            bwe,
            probing: None,
            arrivals: Arrivals::default(),
            remote: Remote::default(),
            next_number: 1,
            round_trip: None,
            reports_due: None,
            rtcp: VecDeque::new(),
            full_intras: 0,
            events: VecDeque::new(),
            has_news: false,
            unrouted: 0,
            malformed: 0,
        }
    }

    /// What descriptions agree on from now on. Sources that are still there go on where they were.
    pub fn commit(&mut self, now: Instant, plan: Plan) {
        let mut before = std::mem::take(&mut self.senders);
        for section in &plan.sections {
            let Some(sending) = &section.send else { continue };
            match before.iter().position(|sender| sender.sending.ssrc == sending.ssrc) {
                Some(at) => {
                    let mut sender = before.swap_remove(at);
                    sender.update(section, sending.clone());
                    self.senders.push(sender);
                }
                None => self.senders.push(Sender::new(section, sending.clone())),
            }
        }
        for gone in before {
            self.pacer.drop_queued(gone.sending.ssrc);
            if gone.counts.packets > 0 {
                self.say_bye(gone.sending.ssrc);
            }
        }
        let is_left = |key| plan.sections.iter().any(|section| section.key == key && !section.receive.is_empty());
        self.streams.retain(|stream| is_left(stream.key));
        for stream in &mut self.streams {
            if let Some(section) = plan.sections.iter().find(|section| section.key == stream.key) {
                stream.hold(section.playout_delay);
            }
        }
        self.routes = Routes::new(&plan, &self.streams);
        self.plan = plan;
        self.tell_wanted(now);
    }

    /// Whether anybody wants the frames of a section. Nobody does at first: packets are counted and reported then, no more.
    pub fn listen(&mut self, key: u32, is_listened_to: bool) {
        self.listened.retain(|listened| *listened != key);
        if is_listened_to {
            self.listened.push(key);
        }
        for stream in self.streams.iter_mut().filter(|stream| stream.key == key) {
            stream.listen(is_listened_to);
        }
        self.has_news = true;
    }

    /// Ask the other side for a picture that stands alone.
    pub fn request_key_frame(&mut self, key: u32) {
        self.streams.iter_mut().filter(|stream| stream.key == key).for_each(Stream::want_key_frame);
        self.has_news = true;
    }

    /// Queues a frame.
    pub fn send(&mut self, now: Instant, key: u32, frame: &Frame) -> Result<(), NotSent> {
        let sender = self.senders.iter_mut().find(|sender| sender.key == key).ok_or(NotSent::NoSource)?;
        let (ssrc, is_video) = (sender.sending.ssrc, sender.is_video);
        let is_late = is_video && self.pacer.oldest().is_some_and(|oldest| now - oldest > MAX_QUEUED);
        if is_video && (is_late || self.pacer.queued(ssrc) + frame.bytes.len() / 1000 > sender.max_queued()) {
            // Newer pictures are worth more than older ones; what is cut out is made good by a key frame.
            if self.pacer.drop_queued(ssrc) > 0 {
                sender.counts.dropped_frames += 1;
                self.events.push_back(MediaEvent::KeyFrameWanted { key });
            }
        }
        let pacer = &mut self.pacer;
        let is_sent = sender.packetize(now, frame, |sequence, len| {
            pacer.push(is_video, Waiting { ssrc, sequence, is_repair: false, len, since: now });
        });
        self.reports_due.get_or_insert(now + reports::FIRST);
        if is_sent { Ok(()) } else { Err(NotSent::Codec) }
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.bwe.handle_timeout(now);
        let round_trip = self.round_trip();
        let events = &mut self.events;
        for stream in &mut self.streams {
            let key = stream.key;
            stream.handle_timeout(now, round_trip, &mut |frame| events.push_back(MediaEvent::Frame { key, frame }));
        }
        self.drop_untaken();
        self.say_what_is_due(now);
        self.follow_estimate(now);
    }

    pub fn poll_event(&mut self) -> Option<MediaEvent> {
        self.events.pop_front()
    }

    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        if self.has_news || !self.rtcp.is_empty() {
            return Some(now);
        }
        let round_trip = self.round_trip();
        let streams = self.streams.iter().filter_map(|stream| stream.poll_timeout(now, round_trip)).min();
        let pacer = self.pacer.poll_timeout(self.probing.as_ref().map(Probing::bitrate_bps));
        [
            streams,
            pacer,
            self.arrivals.poll_timeout(),
            self.remote.poll_timeout(now),
            self.reports_due,
            self.bwe.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Who does not take frames gets the latest ones.
    fn drop_untaken(&mut self) {
        if self.events.len() <= MAX_UNTAKEN {
            return;
        }
        let is_frame = |event: &MediaEvent| matches!(event, MediaEvent::Frame { .. });
        let mut too_many = self.events.iter().filter(|event| is_frame(event)).count().saturating_sub(MAX_UNTAKEN / 2);
        let mut cut = Vec::new();
        self.events.retain(|event| {
            let MediaEvent::Frame { key, .. } = event else { return true };
            let is_dropped = too_many > 0;
            too_many -= usize::from(is_dropped);
            if is_dropped && !cut.contains(key) {
                cut.push(*key);
            }
            !is_dropped
        });
        for stream in self.streams.iter_mut().filter(|stream| cut.contains(&stream.key)) {
            stream.counts.frames_dropped += 1;
            stream.want_key_frame();
        }
    }

    fn round_trip(&self) -> Duration {
        self.round_trip.unwrap_or(ROUND_TRIP_GUESS)
    }

    /// Since the beginning, for what only compares.
    fn clock(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.origin)
    }

    fn ntp(&self, now: Instant) -> u64 {
        let since = self.clock(now);
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        self.ntp_at_origin.wrapping_add(since.as_secs() << 32 | fraction)
    }

    /// How much all sources may take together.
    fn tell_wanted(&mut self, now: Instant) {
        let limits: Option<u64> = self
            .senders
            .iter()
            .map(|sender| if sender.is_video { sender.sending.max_bitrate_bps } else { Some(64_000) })
            .sum();
        self.bwe.set_wanted(now, limits.filter(|_| !self.senders.is_empty()));
    }

    fn follow_estimate(&mut self, now: Instant) {
        let target = self.bwe.target_bps();
        self.pacer.set_target(target);
        let (told_at, told) = self.told_estimate;
        if target.abs_diff(told) * 20 > told && now.saturating_duration_since(told_at) >= ESTIMATE_INTERVAL {
            self.told_estimate = (now, target);
            self.events.push_back(MediaEvent::EstimateChanged { bitrate_bps: target });
        }
    }
}
