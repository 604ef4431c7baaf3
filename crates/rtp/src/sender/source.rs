//! One source of ours: frames in, packets out, and what the other side reports of them.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use peerline_wire::rtcp::{ReportBlock, SenderInfo};
use peerline_wire::rtp::Header;
use peerline_wire::rtp_ext::{AudioLevel, ExtensionsWriter, VideoOrientation, abs_send_time};

use super::history::{History, Stored};
use crate::payload::Packetizer;
use crate::plan::{Codec, ExtensionIds, Section, Sending};

/// What a packet holds of a frame. With all headers, SRTP and a relay around it, 1,280 bytes of IPv6 hold it.
const MAX_PAYLOAD: usize = 1150;
const AUDIO_HISTORY: u16 = 128;
const VIDEO_HISTORY: u16 = 1024;
const ACTIVE: Duration = Duration::from_secs(5);
/// From one report to the next: losses come in groups, and half a minute later they are another matter.
const LOSS_STAYS: f64 = 0.9;
const ONE_BYTE_FORM: [u8; 2] = [0xbe, 0xde];

/// What is to be sent: one frame as an encoder gave it, or as it was received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    pub payload_type: u8,
    /// In ticks of the payload's clock, from wherever its owner counts.
    pub timestamp: u32,
    pub bytes: Vec<u8>,
    pub audio_level: Option<AudioLevel>,
    pub orientation: Option<VideoOrientation>,
}

/// Counted since the source began (W3C webrtc-stats, RTCOutboundRtpStreamStats).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SentCounts {
    pub frames: u64,
    pub packets: u64,
    /// Of payload.
    pub bytes: u64,
    pub header_bytes: u64,
    pub repeated_packets: u64,
    pub repeated_bytes: u64,
    /// How long packets waited for their turn.
    pub total_waiting: Duration,
    /// They waited so long that others were sent in their place.
    pub dropped_frames: u64,
    pub nacks: u64,
    pub picture_losses: u64,
    pub full_intras: u64,
    pub payload_type: Option<u8>,
}

/// What the other side says of how it hears us (W3C webrtc-stats, RTCRemoteInboundRtpStreamStats).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteReport {
    pub at: Instant,
    pub lost: i32,
    /// In 256ths, since the report before.
    pub fraction_lost: u8,
    pub jitter: Duration,
    pub round_trip: Option<Duration>,
    pub round_trips: u64,
    pub total_round_trip: Duration,
}

#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) key: u32,
    pub(crate) is_video: bool,
    pub(crate) sending: Sending,
    mid: String,
    extensions: ExtensionIds,
    packetizer: Option<(u8, Packetizer)>,
    next_sequence: u16,
    next_repair: u16,
    last_sent: u16,
    timestamp_offset: u32,
    history: History,
    pub(crate) counts: SentCounts,
    pub(crate) remote: Option<RemoteReport>,
    /// What gets lost, which rises with a report at once and falls slowly; and what was last told of it.
    loss_percent: f64,
    told_loss_percent: u8,
    last_frame: Option<(Instant, u32, u32)>,
    writer: ExtensionsWriter,
    /// When key frames were last asked for, so that several requests for one are one.
    pub(crate) key_frame_asked: Option<Instant>,
    pub(crate) last_full_intra: Option<u8>,
}

impl Sender {
    pub(crate) fn new(section: &Section, sending: Sending) -> Self {
        // Any numbers will do: SRTP hides what they tell. Below 2^15 the first wrap is far (RFC 3711 §3.3.1).
        let mixed = sending.ssrc.wrapping_mul(0x9e37_79b1);
        Self {
            key: section.key,
            is_video: section.is_video,
            mid: section.mid.clone(),
            extensions: section.extensions,
            packetizer: None,
            next_sequence: (mixed >> 17) as u16,
            last_sent: 0,
            next_repair: (mixed >> 3) as u16 & 0x7fff,
            timestamp_offset: mixed ^ 0x5bd1_e995,
            history: History::new(if section.is_video { VIDEO_HISTORY } else { AUDIO_HISTORY }),
            counts: SentCounts::default(),
            remote: None,
            loss_percent: 0.0,
            told_loss_percent: 0,
            last_frame: None,
            writer: ExtensionsWriter::new(),
            key_frame_asked: None,
            last_full_intra: None,
            sending,
        }
    }

    /// A new plan for the same source.
    pub(crate) fn update(&mut self, section: &Section, sending: Sending) {
        self.mid.clone_from(&section.mid);
        self.extensions = section.extensions;
        self.sending = sending;
    }

    pub(crate) fn codec(&self, payload_type: u8) -> Option<Codec> {
        self.sending.codecs.iter().find(|codec| codec.payload_type == payload_type).copied()
    }

    /// So many packets can wait: the rest of the memory is for those that were sent.
    pub(crate) fn max_queued(&self) -> usize {
        usize::from(if self.is_video { VIDEO_HISTORY } else { AUDIO_HISTORY }) / 2
    }

    /// Makes the packets of a frame; tells the number and length of each. False: its codec was not agreed on.
    pub(crate) fn packetize(&mut self, now: Instant, frame: &Frame, mut tell: impl FnMut(u16, usize)) -> bool {
        let Some(codec) = self.codec(frame.payload_type) else { return false };
        let timestamp = frame.timestamp.wrapping_add(self.timestamp_offset);
        let is_first_ever = self.last_frame.is_none();
        self.write_extensions(frame);
        let packetizer = match &mut self.packetizer {
            Some((payload_type, packetizer)) if *payload_type == frame.payload_type => packetizer,
            other => &mut other.insert((frame.payload_type, Packetizer::new(codec.format))).1,
        };
        let mut payloads = packetizer.cut(&frame.bytes, MAX_PAYLOAD);
        let mut is_over = false;
        while !is_over {
            let sequence = self.next_sequence;
            let stored = self.history.make(sequence);
            let header = Header {
                is_marked: !self.is_video && is_first_ever,
                payload_type: frame.payload_type,
                sequence,
                timestamp,
                ssrc: self.sending.ssrc,
            };
            header.write(&[], &self.writer, &mut stored.bytes);
            let header_len = stored.bytes.len();
            match payloads.write_next(&mut stored.bytes) {
                // A frame of nothing.
                None => break,
                Some(is_last) => is_over = is_last,
            }
            if self.is_video && is_over {
                stored.bytes[1] |= 0x80;
            }
            stored.header_len = header_len;
            (stored.number_at, stored.time_at) = slots(&stored.bytes, &self.extensions);
            self.next_sequence = sequence.wrapping_add(1);
            tell(sequence, stored.bytes.len());
        }
        if is_over {
            self.counts.frames += 1;
            self.counts.payload_type = Some(frame.payload_type);
            self.last_frame = Some((now, timestamp, codec.clock_hz));
        }
        is_over
    }

    /// Copies a packet that leaves now; says whether it is counted under a transport-wide number, which `number` is.
    pub(crate) fn write(
        &mut self,
        now: Instant,
        clock: Duration,
        sequence: u16,
        number: u16,
        out: &mut Vec<u8>,
    ) -> Option<bool> {
        let stored = self.history.get(sequence)?;
        let (len, header_len) = (stored.bytes.len(), stored.header_len);
        stamp(stored, clock, number);
        stored.sent = Some(now);
        self.last_sent = sequence;
        out.clear();
        out.extend_from_slice(&stored.bytes);
        self.counts.packets += 1;
        self.counts.bytes += (len - header_len) as u64;
        self.counts.header_bytes += header_len as u64;
        Some(stored.number_at.is_some())
    }

    /// Whether a packet can be sent once more now, and how long it would be.
    pub(crate) fn repeatable(&mut self, now: Instant, sequence: u16, round_trip: Duration) -> Option<usize> {
        let stored = self.history.repeatable(now, sequence, round_trip)?;
        stored.resent = Some(now);
        Some(stored.bytes.len() + 2)
    }

    /// Copies a packet as a repair (RFC 4588 §4), or as it was where no payload type was agreed on for those.
    pub(crate) fn write_repair(
        &mut self,
        now: Instant,
        clock: Duration,
        sequence: u16,
        number: u16,
        out: &mut Vec<u8>,
    ) -> Option<bool> {
        let stored = self.history.get(sequence)?;
        stored.resent = Some(now);
        stamp(stored, clock, number);
        out.clear();
        let payload_type = stored.bytes[1] & 0x7f;
        let rtx =
            self.sending.codecs.iter().find(|codec| codec.payload_type == payload_type).and_then(|codec| codec.rtx);
        if let (Some(rtx), Some(ssrc)) = (rtx, self.sending.rtx_ssrc) {
            let (header, payload) = stored.bytes.split_at(stored.header_len);
            out.extend_from_slice(header);
            out[1] = out[1] & 0x80 | rtx;
            out[2..4].copy_from_slice(&self.next_repair.to_be_bytes());
            out[8..12].copy_from_slice(&ssrc.to_be_bytes());
            out.extend_from_slice(&sequence.to_be_bytes());
            out.extend_from_slice(payload);
            self.next_repair = self.next_repair.wrapping_add(1);
        } else {
            out.extend_from_slice(&stored.bytes);
        }
        self.counts.repeated_packets += 1;
        self.counts.repeated_bytes += (stored.bytes.len() - stored.header_len) as u64;
        Some(stored.number_at.is_some())
    }

    /// One of the latest packets that were sent, for probes: what is sent twice may as well repair something.
    pub(crate) fn probe_packet(&mut self, back: u16) -> Option<u16> {
        self.sending.rtx_ssrc?;
        let sequence = self.last_sent.wrapping_sub(back);
        self.history.get(sequence).filter(|stored| stored.sent.is_some()).map(|_| sequence)
    }

    /// Whether a frame was sent lately: reports go on until then.
    pub(crate) fn is_active(&self, now: Instant) -> bool {
        self.last_frame.is_some_and(|(at, ..)| now.saturating_duration_since(at) < ACTIVE)
    }

    /// `None`: nothing was sent yet.
    pub(crate) fn report(&self, now: Instant, ntp: u64) -> Option<SenderInfo> {
        let (at, timestamp, clock_hz) = self.last_frame?;
        let since = now.saturating_duration_since(at).as_secs_f64() * f64::from(clock_hz);
        Some(SenderInfo {
            ntp,
            timestamp: timestamp.wrapping_add(since as u64 as u32),
            packets: self.counts.packets as u32,
            octets: self.counts.bytes as u32,
        })
    }

    /// The other side reports of this source. `round_trip`: from our report to theirs.
    pub(crate) fn reported(&mut self, now: Instant, block: &ReportBlock, round_trip: Option<Duration>) {
        let clock_hz = self.last_frame.map_or(90_000, |(_, _, clock_hz)| clock_hz);
        let (count, total) = self.remote.map_or((0, Duration::ZERO), |last| (last.round_trips, last.total_round_trip));
        self.remote = Some(RemoteReport {
            at: now,
            lost: block.total_lost,
            fraction_lost: block.fraction_lost,
            jitter: Duration::from_secs_f64(f64::from(block.jitter) / f64::from(clock_hz)),
            round_trip: round_trip.or(self.remote.and_then(|last| last.round_trip)),
            round_trips: count + u64::from(round_trip.is_some()),
            total_round_trip: total + round_trip.unwrap_or_default(),
        });
    }

    /// Of a hundred packets so many are to be expected not to arrive, if that is news.
    pub(crate) fn new_loss(&mut self) -> Option<u8> {
        let last = self.remote.map_or(0.0, |remote| f64::from(remote.fraction_lost) / 2.56);
        self.loss_percent = last.max(self.loss_percent * LOSS_STAYS);
        let (percent, told) = (self.loss_percent as u8, self.told_loss_percent);
        let is_news = percent.abs_diff(told) > told / 4;
        is_news.then(|| {
            self.told_loss_percent = percent;
            percent
        })
    }

    /// What is filled in later comes first, so that it is found again.
    fn write_extensions(&mut self, frame: &Frame) {
        let ids = &self.extensions;
        self.writer.clear();
        if let Some(id) = ids.transport_sequence {
            self.writer.push(id, &[0; 2]);
        }
        if let Some(id) = ids.absolute_send_time {
            self.writer.push(id, &[0; 3]);
        }
        // Who hears us knows whose this is once it reported (RFC 8843 §9.2).
        if let Some(id) = ids.mid.filter(|_| self.remote.is_none()) {
            self.writer.push(id, self.mid.as_bytes());
        }
        if let (Some(id), Some(level)) = (ids.audio_level, frame.audio_level) {
            self.writer.push(id, &level.to_value());
        }
        if let (Some(id), Some(orientation)) = (ids.orientation, frame.orientation) {
            self.writer.push(id, &orientation.to_value());
        }
    }
}

/// Where the transport-wide number and the time stand: they were written first.
fn slots(bytes: &[u8], ids: &ExtensionIds) -> (Option<usize>, Option<usize>) {
    let element = if bytes.get(12..14) == Some(&ONE_BYTE_FORM) { 1 } else { 2 };
    let mut at = 16;
    let mut place = |len: usize| {
        let begin = at + element;
        at = begin + len;
        begin
    };
    let number_at = ids.transport_sequence.map(|_| place(2));
    (number_at, ids.absolute_send_time.map(|_| place(3)))
}

fn stamp(stored: &mut Stored, clock: Duration, number: u16) {
    if let Some(at) = stored.number_at {
        stored.bytes[at..at + 2].copy_from_slice(&number.to_be_bytes());
    }
    if let Some(at) = stored.time_at {
        stored.bytes[at..at + 3].copy_from_slice(&abs_send_time(clock));
    }
}
