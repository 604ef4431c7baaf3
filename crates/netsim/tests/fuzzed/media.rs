//! Any packets, in any order and at any time, to the media of a transport: it neither breaks nor keeps more than it may.
//!
//! A run is a list of steps: what kind, how much time goes by, how long, and then the bytes of a packet. The first bytes
//! of a packet of RTP are made plausible, so that it finds a section more often than by chance.

use std::time::{Duration, Instant};

use peerline_rtp::payload::Format;
use peerline_rtp::{Codec, ExtensionIds, Frame, Media, MediaEvent, Plan, Section, Sending};

const FORMATS: [Format; 6] = [Format::Whole, Format::Vp8, Format::Vp9, Format::H264, Format::Av1, Format::Red];
/// Of frames, and of packets that leave, in one step.
const MOST: usize = 20_000;

/// Panics if something does not hold.
pub(crate) fn run(bytes: &[u8]) {
    let mut now = Instant::now();
    let mut media = Media::new(now, 0);
    media.commit(now, plan(true));
    (0..4).for_each(|key| media.listen(key, key != 3));
    let mut rest = bytes;
    let mut timestamp = 0;
    while let [kind, wait, len, after @ ..] = rest {
        let (piece, after) = after.split_at(usize::from(*len).min(after.len()));
        rest = after;
        now += Duration::from_micros(u64::from(*wait) * u64::from(*wait) * 100);
        match kind % 8 {
            0..=2 => media.handle_rtp(now, &plausible(piece, *kind)),
            3 => media.handle_rtcp(now, &compound(piece)),
            4 => media.handle_rtcp(now, piece),
            5 => {
                timestamp += 3000;
                let payload_type = 96 + kind / 8 % 6;
                let frame =
                    Frame { payload_type, timestamp, bytes: piece.repeat(1 + usize::from(*wait)), ..Frame::default() };
                let _ = media.send(now, u32::from(kind / 8) % 4, &frame);
            }
            6 => media.commit(now, plan((kind / 8).is_multiple_of(2))),
            _ => media.handle_timeout(now),
        }
        settle(&mut media, now);
    }
    // Whatever it heard, it comes to rest.
    for _ in 0..200 {
        let Some(due) = media.poll_timeout(now) else { return };
        now = now.max(due);
        media.handle_timeout(now);
        settle(&mut media, now);
    }
    assert!(media.poll_timeout(now).is_none_or(|due| due > now), "it turns in circles");
}

fn settle(media: &mut Media, now: Instant) {
    let mut packet = Vec::new();
    let mut left = 0;
    while media.poll_packet(now, &mut packet).is_some() {
        assert!(packet.len() < 70_000);
        left += 1;
        assert!(left < MOST, "it never ends");
    }
    while let Some(event) = media.poll_event() {
        if let MediaEvent::Frame { key, .. } = event {
            assert_ne!(key, 3, "nobody listens there");
        }
    }
}

fn plan(is_whole: bool) -> Plan {
    let codec = |at: usize| Codec {
        payload_type: 96 + at as u8,
        format: FORMATS[at],
        clock_hz: 90_000,
        rtx: (at > 0).then_some(104 + at as u8),
        has_nack: at > 0,
        has_picture_loss: at.is_multiple_of(2),
        has_full_intra: true,
        has_transport_feedback: at > 3,
        has_remb: true,
    };
    let section = |key: u32| Section {
        key,
        mid: key.to_string(),
        is_video: key > 0,
        extensions: ExtensionIds {
            mid: Some(1),
            transport_sequence: (key < 2).then_some(2),
            absolute_send_time: Some(3),
            playout_delay: Some(5),
            ..ExtensionIds::default()
        },
        receive: (0..FORMATS.len()).map(codec).collect(),
        sources: vec![(key, Some(100 + key))],
        playout_delay: Duration::from_millis(if is_whole { 0 } else { 200 * u64::from(key) }),
        send: (is_whole || key < 2).then(|| Sending {
            ssrc: 1000 + key,
            rtx_ssrc: (key > 0).then_some(2000 + key),
            codecs: (0..FORMATS.len()).map(codec).collect(),
            max_bitrate_bps: None,
        }),
    };
    Plan { cname: "c".into(), has_reduced_size: is_whole, sections: (0..4).map(section).collect() }
}

/// Version 2, a payload type and a source that are known.
fn plausible(piece: &[u8], kind: u8) -> Vec<u8> {
    let mut packet = piece.to_vec();
    if packet.len() >= 12 && kind < 200 {
        packet[0] = packet[0] & 0x3f | 0x80;
        packet[1] = packet[1] & 0x80 | (96 + packet[1] % 14);
        packet[8..12].copy_from_slice(&u32::from(kind / 8 % 4 + if kind > 100 { 100 } else { 0 }).to_be_bytes());
    }
    packet
}

/// One packet of RTCP whose header fits.
fn compound(piece: &[u8]) -> Vec<u8> {
    let mut packet = piece[..piece.len() / 4 * 4].to_vec();
    if packet.len() >= 12 {
        packet[0] = packet[0] & 0x1f | 0x80;
        packet[1] = 200 + packet[1] % 7;
        let words = (packet.len() / 4 - 1) as u16;
        packet[2..4].copy_from_slice(&words.to_be_bytes());
        if packet[1] >= 205 {
            let source = 1000 + u32::from(packet[11] % 4);
            packet[8..12].copy_from_slice(&source.to_be_bytes());
        }
    }
    packet
}
