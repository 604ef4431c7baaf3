//! Packets that came, after SRTP.

use std::time::{Duration, Instant};

use peerline_wire::rtcp::{self, ReportBlock, Rtcp};
use peerline_wire::rtp::{FIXED_LEN, Header, Packet};
use peerline_wire::rtp_ext::{AudioLevel, PlayoutDelay, VideoOrientation, abs_send_time_of, transport_sequence};

use super::Media;
use super::event::MediaEvent;
use super::reports;
use super::route::Route;
use crate::pacer::Waiting;
use crate::payload::{Format, unwrap_red};
use crate::receiver::{Arrived, Stream};

/// Of one transport; each costs memory.
const MAX_STREAMS: usize = 64;
/// Requests for a key frame that are closer together ask for the same one.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(100);
/// A round trip longer than this is none: the other side's clock or ours jumped.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(30);

impl Media {
    /// One RTP packet.
    pub fn handle_rtp(&mut self, now: Instant, bytes: &[u8]) {
        let Ok(packet) = Packet::parse(bytes) else {
            self.malformed += 1;
            return;
        };
        let Some(route) = self.routes.find(&self.plan, &packet) else {
            self.unrouted += 1;
            return;
        };
        let key = match route {
            Route::Media { key } | Route::Repair { key, .. } => key,
        };
        let Some(section) = self.plan.sections.iter().find(|section| section.key == key) else { return };
        let ids = &section.extensions;
        let number = ids.transport_sequence.and_then(|id| packet.extensions.get(id)).and_then(transport_sequence);
        if let Some(number) = number {
            let clock = now.saturating_duration_since(self.origin);
            self.arrivals.add(now, clock, number, packet.header.ssrc);
        }
        let sent = ids.absolute_send_time.and_then(|id| packet.extensions.get(id)).and_then(abs_send_time_of);
        if let (Some(sent), None, true) = (sent, number, section.wants_remb()) {
            self.remote.arrived(now, now.saturating_duration_since(self.origin), sent, bytes.len());
        }
        let payload_type = packet.header.payload_type;
        let (header, payload, codec) = match route {
            Route::Media { .. } => {
                let codec = section.receive.iter().find(|codec| codec.payload_type == payload_type);
                (packet.header, packet.payload, codec)
            }
            Route::Repair { of, .. } => {
                let codec = section.receive.iter().find(|codec| codec.rtx == Some(payload_type));
                // Without any payload it only fills up.
                let Some((sequence, payload)) = packet.payload.split_first_chunk::<2>() else { return };
                let Some(ssrc) = of.or_else(|| self.streams.iter().find(|one| one.key == key).map(|one| one.ssrc))
                else {
                    return;
                };
                let sequence = u16::from_be_bytes(*sequence);
                let payload_type = codec.map_or(0, |codec| codec.payload_type);
                (Header { ssrc, sequence, payload_type, ..packet.header }, payload, codec)
            }
        };
        let Some(codec) = codec else {
            self.unrouted += 1;
            return;
        };
        let (header, payload, codec) = match codec.format {
            Format::Red => {
                let Some((payload_type, payload)) = unwrap_red(payload) else {
                    self.malformed += 1;
                    return;
                };
                let Some(codec) = section.receive.iter().find(|codec| codec.payload_type == payload_type) else {
                    return;
                };
                (Header { payload_type, ..header }, payload, codec)
            }
            _ => (header, payload, codec),
        };
        let arrived = Arrived {
            header,
            header_len: bytes.len() - packet.payload.len() - usize::from(packet.padding_len),
            payload,
            is_repair: matches!(route, Route::Repair { .. }),
            audio_level: ids.audio_level.and_then(|id| packet.extensions.get(id)).and_then(AudioLevel::from_value),
            orientation: ids
                .orientation
                .and_then(|id| packet.extensions.get(id))
                .and_then(VideoOrientation::from_value),
            playout_delay: ids
                .playout_delay
                .and_then(|id| packet.extensions.get(id))
                .and_then(PlayoutDelay::from_value),
            sources: if bytes[0] & 0x0f == 0 { Vec::new() } else { packet.sources().collect() },
        };
        debug_assert!(arrived.header_len >= FIXED_LEN);
        let at = self.streams.iter().position(|stream| stream.ssrc == header.ssrc);
        let stream = match at {
            Some(at) => &mut self.streams[at],
            None if arrived.is_repair || self.streams.len() >= MAX_STREAMS => return,
            None => {
                let is_listened_to = self.listened.contains(&key);
                let mut fresh = Stream::new(header.ssrc, key, section.is_video, is_listened_to);
                fresh.hold(section.playout_delay);
                self.streams.push(fresh);
                self.events.push_back(MediaEvent::Started { key, ssrc: header.ssrc });
                self.reports_due.get_or_insert(now + reports::FIRST);
                self.streams.last_mut().expect("it was pushed")
            }
        };
        stream.key = key;
        let events = &mut self.events;
        stream.handle(now, &arrived, codec, &mut |frame| events.push_back(MediaEvent::Frame { key, frame }));
        self.drop_untaken();
        self.reports_due.get_or_insert(now + reports::INTERVAL);
        self.has_news = true;
    }

    /// One datagram of RTCP.
    pub fn handle_rtcp(&mut self, now: Instant, bytes: &[u8]) {
        for packet in rtcp::packets(bytes) {
            match packet {
                Rtcp::SenderReport(report) => {
                    if let Some(stream) = self.streams.iter_mut().find(|stream| stream.ssrc == report.sender) {
                        stream.reception.sender_reported(now, report.info);
                    }
                    report.blocks().for_each(|block| self.on_block(now, &block));
                }
                Rtcp::ReceiverReport(report) => report.blocks().for_each(|block| self.on_block(now, &block)),
                Rtcp::Nack { media, lost, .. } => self.on_nack(now, media, lost.sequences()),
                Rtcp::PictureLoss { media, .. } => self.on_key_frame_wanted(now, media, None),
                Rtcp::FullIntra { requests, .. } => {
                    requests.iter().for_each(|one| self.on_key_frame_wanted(now, one.media, Some(one.number)));
                }
                Rtcp::Remb(remb) => self.bwe.remb(now, remb.bitrate_bps),
                Rtcp::TransportFeedback(feedback) => {
                    let highest = self.next_number.saturating_sub(1);
                    let unwrap = |sequence: u16| {
                        let distance = sequence.wrapping_sub(highest as u16).cast_signed();
                        highest.saturating_add_signed(distance.into())
                    };
                    let arrivals = feedback.arrivals().map(|(sequence, at_us)| (unwrap(sequence), at_us));
                    self.bwe.feedback(now, arrivals);
                    self.begin_probe(now);
                }
                Rtcp::Bye(bye) => {
                    let gone: Vec<u32> = bye.sources().collect();
                    self.on_bye(&gone);
                }
                Rtcp::SourceDescription(_) | Rtcp::Other { .. } => {}
            }
        }
        self.follow_estimate(now);
    }

    fn on_block(&mut self, now: Instant, block: &ReportBlock) {
        let ntp = (self.ntp(now) >> 16) as u32;
        let Some(sender) = self.senders.iter_mut().find(|sender| sender.sending.ssrc == block.ssrc) else { return };
        let away = ntp.wrapping_sub(block.last_report).wrapping_sub(block.delay);
        let round_trip = Duration::from_secs_f64(f64::from(away) / 65536.0);
        // A round trip of less than a tick comes out as a negative number.
        let round_trip = if away.cast_signed() < 0 { Duration::from_micros(15) } else { round_trip };
        let round_trip = (block.last_report != 0 && round_trip < MAX_ROUND_TRIP).then_some(round_trip);
        sender.reported(now, block, round_trip);
        if let Some(percent) = sender.new_loss() {
            self.events.push_back(MediaEvent::LossChanged { key: sender.key, percent });
        }
        if let Some(round_trip) = round_trip {
            let smooth = self.round_trip.map_or(round_trip, |before| (before * 7 + round_trip) / 8);
            self.round_trip = Some(smooth);
            self.bwe.set_round_trip(smooth);
            self.remote.set_round_trip(smooth);
        }
        let has_feedback = sender.sending.codecs.iter().any(|codec| codec.has_transport_feedback);
        if sender.is_video && !has_feedback {
            self.bwe.loss_report(now, f64::from(block.fraction_lost) / 256.0);
        }
    }

    fn on_nack(&mut self, now: Instant, media: u32, lost: impl Iterator<Item = u16>) {
        let round_trip = self.round_trip();
        let Some(sender) = self.senders.iter_mut().find(|sender| sender.sending.ssrc == media) else { return };
        sender.counts.nacks += 1;
        for sequence in lost {
            if let Some(len) = sender.repeatable(now, sequence, round_trip) {
                let waiting = Waiting { ssrc: media, sequence, is_repair: true, len, since: now };
                self.pacer.push(sender.is_video, waiting);
            }
        }
    }

    fn on_key_frame_wanted(&mut self, now: Instant, media: u32, number: Option<u8>) {
        let Some(sender) = self.senders.iter_mut().find(|sender| sender.sending.ssrc == media) else { return };
        if number.is_some() {
            // The same number asks for the same one (RFC 5104 §4.3.1.1).
            if std::mem::replace(&mut sender.last_full_intra, number) == number {
                return;
            }
            sender.counts.full_intras += 1;
        } else {
            sender.counts.picture_losses += 1;
        }
        if sender.key_frame_asked.is_none_or(|asked| now.saturating_duration_since(asked) >= KEY_FRAME_INTERVAL) {
            sender.key_frame_asked = Some(now);
            self.events.push_back(MediaEvent::KeyFrameWanted { key: sender.key });
        }
    }

    fn on_bye(&mut self, gone: &[u32]) {
        let events = &mut self.events;
        self.streams.retain(|stream| {
            let is_gone = gone.contains(&stream.ssrc);
            if is_gone {
                events.push_back(MediaEvent::Ended { key: stream.key, ssrc: stream.ssrc });
            }
            !is_gone
        });
        gone.iter().for_each(|ssrc| self.routes.forget(*ssrc));
    }
}
