//! Two ends joined by a link in virtual time, and what they agree on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use peerline_wire::rtcp::{self, Rtcp};

use crate::media::*;
use crate::payload::Format;
use crate::plan::{Codec, ExtensionIds, Section, Sending};

pub(super) const AUDIO: u32 = 1;
pub(super) const VIDEO: u32 = 2;
pub(super) const DELAY: Duration = Duration::from_millis(25);

fn codec(payload_type: u8, format: Format, clock_hz: u32, rtx: Option<u8>) -> Codec {
    let is_video = format != Format::Whole;
    Codec {
        payload_type,
        format,
        clock_hz,
        rtx,
        has_nack: is_video,
        has_picture_loss: is_video,
        has_full_intra: is_video,
        has_transport_feedback: true,
        has_remb: false,
    }
}

fn section(key: u32, base: u32) -> Section {
    let is_video = key == VIDEO;
    let codecs = if is_video {
        vec![codec(96, Format::Vp8, 90_000, Some(97))]
    } else {
        vec![codec(111, Format::Whole, 48_000, None)]
    };
    Section {
        key,
        mid: key.to_string(),
        is_video,
        extensions: ExtensionIds {
            mid: Some(4),
            transport_sequence: Some(3),
            absolute_send_time: Some(2),
            audio_level: (!is_video).then_some(1),
            ..ExtensionIds::default()
        },
        receive: codecs.clone(),
        sources: Vec::new(),
        playout_delay: Duration::ZERO,
        send: Some(Sending {
            ssrc: base + key * 10,
            rtx_ssrc: is_video.then_some(base + key * 10 + 1),
            codecs,
            max_bitrate_bps: None,
        }),
    }
}

pub(super) fn plan(base: u32) -> Plan {
    Plan { cname: "c".into(), has_reduced_size: true, sections: vec![section(AUDIO, base), section(VIDEO, base)] }
}

/// What is on its way: to which end, under which number so that the order is kept.
type UnderWay = BTreeMap<(Instant, u64), (usize, Leaving, Vec<u8>)>;

pub(super) struct Pair {
    pub(super) now: Instant,
    pub(super) ends: [Media; 2],
    under_way: UnderWay,
    sent: u64,
    /// Every so many RTP packets of the first end one is lost.
    pub(super) lose_each: Option<u64>,
    rtp: u64,
    pub(super) events: [Vec<MediaEvent>; 2],
    /// What the second end has told the first one it may send.
    pub(super) limits: Vec<u64>,
}

impl Pair {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let mut ends = [Media::new(now, 5 << 32), Media::new(now, 9 << 32)];
        ends[0].commit(now, plan(1000));
        ends[1].commit(now, plan(2000));
        for end in &mut ends {
            end.listen(AUDIO, true);
            end.listen(VIDEO, true);
        }
        Self {
            now,
            ends,
            under_way: BTreeMap::new(),
            sent: 0,
            lose_each: None,
            rtp: 0,
            events: [Vec::new(), Vec::new()],
            limits: Vec::new(),
        }
    }

    pub(super) fn flush(&mut self) {
        for (place, end) in self.ends.iter_mut().enumerate() {
            let mut out = Vec::new();
            while let Some(leaving) = end.poll_packet(self.now, &mut out) {
                self.sent += 1;
                if place == 0 && leaving == Leaving::Rtp {
                    self.rtp += 1;
                    if self.lose_each.is_some_and(|each| self.rtp.is_multiple_of(each)) {
                        continue;
                    }
                }
                if place == 1 && leaving == Leaving::Rtcp {
                    self.limits.extend(rtcp::packets(&out).filter_map(|packet| match packet {
                        Rtcp::Remb(remb) => Some(remb.bitrate_bps),
                        _ => None,
                    }));
                }
                self.under_way.insert((self.now + DELAY, self.sent), (1 - place, leaving, out.clone()));
            }
            while let Some(event) = end.poll_event() {
                self.events[place].push(event);
            }
        }
    }

    pub(super) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..1_000_000 {
            self.flush();
            let arrival = self.under_way.first_key_value().map(|((at, _), _)| *at);
            let timers = self.ends.iter().filter_map(|media| media.poll_timeout(self.now)).min();
            let Some(next) = [arrival, timers].into_iter().flatten().min().filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            while let Some(entry) = self.under_way.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (place, leaving, bytes) = entry.remove();
                match leaving {
                    Leaving::Rtp => self.ends[place].handle_rtp(self.now, &bytes),
                    Leaving::Rtcp => self.ends[place].handle_rtcp(self.now, &bytes),
                }
            }
            for media in &mut self.ends {
                if media.poll_timeout(self.now).is_some_and(|due| due <= self.now) {
                    media.handle_timeout(self.now);
                }
            }
        }
        panic!("it turns in circles");
    }

    pub(super) fn send(&mut self, key: u32, timestamp: u32, bytes: Vec<u8>) {
        let payload_type = if key == VIDEO { 96 } else { 111 };
        let frame = Frame { payload_type, timestamp, bytes, ..Frame::default() };
        self.ends[0].send(self.now, key, &frame).unwrap();
    }

    pub(super) fn frames(&self, key: u32) -> Vec<(u32, usize, bool)> {
        let frames = self.events[1].iter().filter_map(|event| match event {
            MediaEvent::Frame { key: of, frame } if *of == key => {
                Some((frame.timestamp, frame.bytes.len(), frame.is_key))
            }
            _ => None,
        });
        frames.collect()
    }

    pub(super) fn key_frames_wanted(&mut self) -> usize {
        let is_wanted = |event: &MediaEvent| matches!(event, MediaEvent::KeyFrameWanted { .. });
        let wanted = self.events[0].iter().filter(|event| is_wanted(event)).count();
        self.events[0].retain(|event| !is_wanted(event));
        wanted
    }
}
