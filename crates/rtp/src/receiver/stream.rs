//! One source: its packets, late, twice or never, become frames in decoding order (RFC 3550, RFC 4585, RFC 4588).

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use peerline_wire::rtcp::ReportBlock;
use peerline_wire::rtp::Header;
use peerline_wire::rtp_ext::{AudioLevel, PlayoutDelay, VideoOrientation};

use super::frame::{Joining, Outcome, Piece, ReceivedFrame};
use super::holding::Holding;
use super::missing::Missing;
use super::reception::Reception;
use crate::plan::Codec;
use crate::sequence::Unwrapper;

/// Packets that wait for one before them.
const MAX_WAITING_AUDIO: u64 = 64;
const MAX_WAITING_VIDEO: u64 = 1024;
/// How long those behind a gap wait where nothing is sent again: packets that overtook each other are a few ms apart.
const MIN_PATIENCE: Duration = Duration::from_millis(20);
const MAX_PATIENCE: Duration = Duration::from_millis(100);
/// And where it is: a few tries.
const MAX_REPAIR: Duration = Duration::from_millis(600);
/// A key frame is a burst, and takes a round trip and its encoding to come.
const KEY_FRAME_PATIENCE: Duration = Duration::from_millis(250);

/// More is not held back, whoever asks for it.
const MAX_PLAYOUT_DELAY: Duration = Duration::from_secs(4);

/// A packet after SRTP, and for a repair after it was unwrapped.
#[derive(Debug, Clone)]
pub(crate) struct Arrived<'a> {
    pub(crate) header: Header,
    pub(crate) header_len: usize,
    pub(crate) payload: &'a [u8],
    pub(crate) is_repair: bool,
    pub(crate) audio_level: Option<AudioLevel>,
    pub(crate) orientation: Option<VideoOrientation>,
    /// How long its sender wants frames to be held back.
    pub(crate) playout_delay: Option<PlayoutDelay>,
    pub(crate) sources: Vec<u32>,
}

/// Counted since the source was first heard (W3C webrtc-stats, RTCInboundRtpStreamStats).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReceivedCounts {
    pub frames: u64,
    pub key_frames: u64,
    /// Those of pictures that nobody listened to included.
    pub frames_dropped: u64,
    /// Frames of several packets, and how long all those took to come.
    pub frames_joined: u64,
    pub total_joining: Duration,
    /// Frames that were given out, how long they took from their first packet on, and how long they were meant to take.
    pub frames_given: u64,
    pub total_waiting: Duration,
    pub total_target: Duration,
    /// Came after its turn.
    pub packets_discarded: u64,
    pub packets_repaired: u64,
    pub bytes_repaired: u64,
    pub nacks: u64,
    pub picture_losses: u64,
    pub full_intras: u64,
    /// The payload type of the last packet.
    pub payload_type: Option<u8>,
}

/// What a stream wants to have said to its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Nack,
    KeyFrame,
}

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) ssrc: u32,
    /// Of its section.
    pub(crate) key: u32,
    is_video: bool,
    codec: Option<Codec>,
    unwrapper: Unwrapper,
    pub(crate) reception: Reception,
    pub(crate) counts: ReceivedCounts,
    missing: Missing,
    highest: u64,
    /// What comes next; nothing before the first packet that somebody listens to.
    next: Option<u64>,
    /// Those from `next` on, which itself is missing.
    waiting: VecDeque<Option<(Piece, Vec<u8>)>>,
    spare: Vec<Vec<u8>>,
    joining: Joining,
    holding: Holding,
    /// As the application wants it, and as the sender does.
    playout_delay: Duration,
    least_playout_delay: Duration,
    needs_key_frame: bool,
    key_frame_asked: Option<Instant>,
    is_key_frame_wanted: bool,
    is_listened_to: bool,
}

impl ReceivedCounts {
    fn given(&mut self, now: Instant, frame: &ReceivedFrame) {
        self.frames_given += 1;
        self.total_waiting += now.saturating_duration_since(frame.began);
    }
}

impl Stream {
    pub(crate) fn new(ssrc: u32, key: u32, is_video: bool, is_listened_to: bool) -> Self {
        Self {
            ssrc,
            key,
            is_video,
            codec: None,
            unwrapper: Unwrapper::default(),
            reception: Reception::default(),
            counts: ReceivedCounts::default(),
            missing: Missing::default(),
            highest: 0,
            next: None,
            waiting: VecDeque::new(),
            spare: Vec::new(),
            joining: Joining::default(),
            holding: Holding::default(),
            playout_delay: Duration::ZERO,
            least_playout_delay: Duration::ZERO,
            needs_key_frame: is_video,
            key_frame_asked: None,
            is_key_frame_wanted: false,
            is_listened_to,
        }
    }

    /// Whether anybody wants its frames. While nobody does, packets are counted and nothing is asked for.
    pub(crate) fn listen(&mut self, is_listened_to: bool) {
        if self.is_listened_to != is_listened_to {
            self.is_listened_to = is_listened_to;
            self.restart();
            self.is_key_frame_wanted = is_listened_to && self.is_video;
        }
    }

    /// Frames are held back for so long, that they go out evenly.
    pub(crate) fn hold(&mut self, playout_delay: Duration) {
        self.playout_delay = playout_delay;
        self.holding.set_target(playout_delay.max(self.least_playout_delay));
    }

    /// Its owner cannot decode what came, and needs a picture that stands alone.
    pub(crate) fn want_key_frame(&mut self) {
        self.is_key_frame_wanted = self.is_video;
    }

    pub(crate) fn handle(
        &mut self,
        now: Instant,
        arrived: &Arrived<'_>,
        codec: &Codec,
        tell: &mut impl FnMut(ReceivedFrame),
    ) {
        let header = &arrived.header;
        self.codec = Some(*codec);
        let number = self.unwrapper.unwrap(header.sequence);
        if arrived.is_repair {
            self.counts.packets_repaired += 1;
            self.counts.bytes_repaired += arrived.payload.len() as u64;
        } else {
            let lens = (arrived.header_len, arrived.payload.len());
            self.reception.received(now, number, header.timestamp, codec.clock_hz, lens);
            self.counts.payload_type = Some(header.payload_type);
        }
        if !self.is_listened_to {
            self.counts.frames_dropped += u64::from(self.is_video && header.is_marked);
            return;
        }
        if let Some(wanted) = arrived.playout_delay {
            self.least_playout_delay = Duration::from_millis(wanted.min_ms.into()).min(MAX_PLAYOUT_DELAY);
            self.hold(self.playout_delay);
        }
        let next = *self.next.get_or_insert(number);
        if number < next {
            self.counts.packets_discarded += u64::from(!arrived.is_repair);
            return;
        }
        let max_waiting = if self.is_video { MAX_WAITING_VIDEO } else { MAX_WAITING_AUDIO };
        if number - next >= max_waiting {
            // Too much is gone to wait for: it goes on from here.
            self.restart();
            self.is_key_frame_wanted = self.is_video;
            self.next = Some(number);
        } else {
            self.look_for_gap(number);
        }
        let piece = Piece {
            payload_type: header.payload_type,
            format: codec.format,
            timestamp: header.timestamp,
            is_marked: header.is_marked,
            arrived: now,
            audio_level: arrived.audio_level,
            orientation: arrived.orientation,
            sources: arrived.sources.clone(),
        };
        if self.next == Some(number) {
            self.waiting.pop_front();
            self.take(now, piece, arrived.payload, tell);
            self.drain(now, tell);
        } else {
            self.keep(number - next, piece, arrived.payload);
        }
        self.release(now, tell);
    }

    /// What is due is done; the caller says it to the source.
    pub(crate) fn handle_timeout(&mut self, now: Instant, round_trip: Duration, tell: &mut impl FnMut(ReceivedFrame)) {
        while self.gap_deadline(round_trip).is_some_and(|deadline| deadline <= now) {
            self.skip(now, tell);
        }
        self.release(now, tell);
    }

    pub(crate) fn poll_timeout(&self, now: Instant, round_trip: Duration) -> Option<Instant> {
        let key_frame = self.is_key_frame_wanted.then(|| self.key_frame_due(now, round_trip));
        [self.gap_deadline(round_trip), self.missing.due(now), key_frame, self.holding.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// What is to be said now.
    pub(crate) fn poll_due(&self, now: Instant, round_trip: Duration) -> Option<Due> {
        if self.is_key_frame_wanted && self.key_frame_due(now, round_trip) <= now {
            return Some(Due::KeyFrame);
        }
        self.missing.due(now).filter(|due| *due <= now).map(|_| Due::Nack)
    }

    /// For [`Due::Nack`].
    pub(crate) fn take_missing(&mut self, now: Instant, round_trip: Duration, into: &mut Vec<u16>) {
        self.missing.take_due(now, round_trip, into);
        self.counts.nacks += 1;
    }

    /// For [`Due::KeyFrame`]; says by which request its codec can be asked, `None`: by none.
    pub(crate) fn ask_key_frame(&mut self, now: Instant) -> Option<Codec> {
        self.key_frame_asked = Some(now);
        self.codec.filter(|codec| codec.has_picture_loss || codec.has_full_intra)
    }

    pub(crate) fn block(&mut self, now: Instant) -> ReportBlock {
        self.reception.block(now, self.ssrc)
    }

    pub(crate) fn clock_hz(&self) -> u32 {
        self.codec.map_or(90_000, |codec| codec.clock_hz)
    }

    fn restart(&mut self) {
        self.next = None;
        self.missing = Missing::default();
        self.highest = 0;
        self.waiting.clear();
        self.joining = Joining::default();
        self.holding.clear();
        self.needs_key_frame = self.is_video;
    }

    fn look_for_gap(&mut self, number: u64) {
        let highest = self.highest;
        self.highest = highest.max(number);
        if highest == 0 || !self.codec.is_some_and(|codec| codec.has_nack) {
            return;
        }
        self.missing.remove(number);
        if number > highest + 1 && !self.missing.add(highest + 1, number) {
            self.is_key_frame_wanted = self.is_video;
        }
    }

    fn keep(&mut self, offset: u64, piece: Piece, payload: &[u8]) {
        let at = offset as usize;
        if self.waiting.len() <= at {
            self.waiting.resize_with(at + 1, || None);
        }
        if self.waiting[at].is_none() {
            let mut bytes = self.spare.pop().unwrap_or_default();
            bytes.clear();
            bytes.extend(payload);
            self.waiting[at] = Some((piece, bytes));
        }
    }

    fn drain(&mut self, now: Instant, tell: &mut impl FnMut(ReceivedFrame)) {
        while let Some(Some((piece, payload))) = self.waiting.front_mut().map(Option::take) {
            self.waiting.pop_front();
            self.take(now, piece, &payload, tell);
            if self.spare.len() < 16 {
                self.spare.push(payload);
            }
        }
    }

    fn take(&mut self, now: Instant, piece: Piece, payload: &[u8], tell: &mut impl FnMut(ReceivedFrame)) {
        self.next = self.next.map(|next| next + 1);
        let clock_hz = self.clock_hz();
        let Self { joining, holding, counts, needs_key_frame, is_key_frame_wanted, is_video, ssrc, .. } = self;
        let mut unsaid = 0;
        joining.push(*ssrc, piece, payload, &mut |outcome| match outcome {
            Outcome::Whole(frame) if frame.is_key || !*needs_key_frame => {
                counts.frames += 1;
                if frame.packets > 1 {
                    counts.frames_joined += 1;
                    counts.total_joining += frame.arrived.saturating_duration_since(frame.began);
                }
                if *is_video && frame.is_key {
                    counts.key_frames += 1;
                    *needs_key_frame = false;
                    *is_key_frame_wanted = false;
                }
                if holding.is_used() {
                    holding.push(frame, clock_hz);
                } else {
                    counts.given(now, &frame);
                    tell(frame);
                }
            }
            outcome => {
                if let Outcome::Whole(frame) = outcome {
                    unsaid += frame.lost_before;
                }
                counts.frames_dropped += 1;
                *needs_key_frame = *is_video;
                *is_key_frame_wanted = *is_video;
            }
        });
        joining.lost_too(unsaid);
    }

    fn release(&mut self, now: Instant, tell: &mut impl FnMut(ReceivedFrame)) {
        while let Some(frame) = self.holding.pop(now) {
            self.counts.given(now, &frame);
            self.counts.total_target += self.holding.target();
            tell(frame);
        }
    }

    /// Gives up what is missing at the front.
    fn skip(&mut self, now: Instant, tell: &mut impl FnMut(ReceivedFrame)) {
        let gone = self.waiting.iter().take_while(|slot| slot.is_none()).count();
        self.waiting.drain(..gone);
        let next = self.next.unwrap_or_default() + gone as u64;
        self.next = Some(next);
        self.missing.forget_before(next);
        let mut damaged = 0;
        self.joining.skip(u32::try_from(gone).unwrap_or(u32::MAX), &mut |_| damaged += 1);
        self.counts.frames_dropped += damaged;
        if self.is_video {
            self.needs_key_frame = true;
            self.is_key_frame_wanted = true;
        }
        self.drain(now, tell);
    }

    /// When what is missing at the front is given up.
    fn gap_deadline(&self, round_trip: Duration) -> Option<Instant> {
        let (first, _) = self.waiting.iter().flatten().next()?;
        let has_nack = self.codec.is_some_and(|codec| codec.has_nack);
        let jitter = self.reception.jitter(self.clock_hz());
        let patience = if has_nack {
            (round_trip * 3 + jitter * 2 + MAX_PATIENCE).min(MAX_REPAIR)
        } else {
            (jitter * 2 + MIN_PATIENCE).min(MAX_PATIENCE)
        };
        // What is held back anyway may as well be waited for.
        Some(first.arrived + patience.max(self.holding.target()))
    }

    fn key_frame_due(&self, now: Instant, round_trip: Duration) -> Instant {
        self.key_frame_asked.map_or(now, |asked| asked + KEY_FRAME_PATIENCE.max(round_trip * 2))
    }
}
