//! One source of ours: frames in, packets out.

use peerline_wire::rtp::Packet;

use super::*;
use crate::payload::Format;

const RTT: Duration = Duration::from_millis(50);

fn sender(format: Format) -> Sender {
    let codec = Codec {
        payload_type: 96,
        format,
        clock_hz: 90_000,
        rtx: Some(97),
        has_nack: true,
        has_picture_loss: true,
        has_full_intra: true,
        has_transport_feedback: true,
        has_remb: false,
    };
    let sending = Sending { ssrc: 1000, rtx_ssrc: Some(1001), codecs: vec![codec], max_bitrate_bps: None };
    let section = Section {
        key: 1,
        mid: "v".into(),
        is_video: format != Format::Whole,
        extensions: ExtensionIds {
            mid: Some(4),
            transport_sequence: Some(3),
            absolute_send_time: Some(2),
            ..ExtensionIds::default()
        },
        receive: Vec::new(),
        sources: Vec::new(),
        playout_delay: Duration::ZERO,
        send: Some(sending.clone()),
    };
    Sender::new(&section, sending)
}

fn frame(len: usize) -> Frame {
    Frame { payload_type: 96, timestamp: 3000, bytes: vec![7; len], ..Frame::default() }
}

#[test]
fn a_frame_becomes_packets_and_the_last_one_is_marked() {
    let (now, mut sender) = (Instant::now(), sender(Format::Vp8));
    let mut made = Vec::new();
    assert!(sender.packetize(now, &frame(3000), |sequence, _| made.push(sequence)));
    let mut out = Vec::new();
    let mut total = 0;
    for (place, sequence) in made.iter().enumerate() {
        assert_eq!(sender.write(now, Duration::from_millis(1500), *sequence, 77, &mut out), Some(true));
        let packet = Packet::parse(&out).unwrap();
        assert_eq!(packet.header.is_marked, place + 1 == made.len());
        assert_eq!((packet.header.ssrc, packet.header.sequence), (1000, *sequence));
        assert_eq!(packet.extensions.get(3), Some(&77_u16.to_be_bytes()[..]));
        assert_eq!(packet.extensions.get(2), Some(&[0x06, 0, 0][..]));
        assert_eq!(packet.extensions.get(4), Some(&b"v"[..]));
        assert!(out.len() <= MAX_PAYLOAD + 40);
        total += packet.payload.len();
    }
    assert_eq!(made.len(), 3);
    assert_eq!((sender.counts.packets, sender.counts.bytes), (3, total as u64));
}

#[test]
fn a_packet_is_sent_again_in_the_form_of_repairs_but_not_twice_in_a_round_trip() {
    let (now, mut sender) = (Instant::now(), sender(Format::Vp8));
    let mut sequence = 0;
    assert!(sender.packetize(now, &frame(100), |made, _| sequence = made));
    assert_eq!(sender.repeatable(now, sequence, RTT), None);
    let (mut first, mut again) = (Vec::new(), Vec::new());
    sender.write(now, Duration::ZERO, sequence, 1, &mut first);
    assert_eq!(sender.repeatable(now, sequence, RTT), Some(first.len() + 2));
    assert_eq!(sender.repeatable(now + RTT / 2, sequence, RTT), None);
    sender.write_repair(now, Duration::ZERO, sequence, 2, &mut again);
    let (first, again) = (Packet::parse(&first).unwrap(), Packet::parse(&again).unwrap());
    assert_eq!((again.header.ssrc, again.header.payload_type, again.header.is_marked), (1001, 97, true));
    assert_eq!(again.header.timestamp, first.header.timestamp);
    assert_eq!(again.payload[..2], sequence.to_be_bytes());
    assert_eq!(&again.payload[2..], first.payload);
    assert_eq!(sender.repeatable(now + Duration::from_secs(3), sequence, RTT), None);
}

#[test]
fn who_reported_of_us_needs_no_name_any_more_and_an_unknown_codec_is_refused() {
    let (now, mut sender) = (Instant::now(), sender(Format::Whole));
    let block = ReportBlock {
        ssrc: 1000,
        fraction_lost: 64,
        total_lost: 3,
        highest_sequence: 0,
        jitter: 900,
        last_report: 0,
        delay: 0,
    };
    sender.reported(now, &block, Some(RTT));
    assert_eq!(sender.remote.unwrap().jitter, Duration::from_millis(10));
    let mut sequence = 0;
    assert!(sender.packetize(now, &frame(100), |made, _| sequence = made));
    let mut out = Vec::new();
    sender.write(now, Duration::ZERO, sequence, 1, &mut out);
    assert_eq!(Packet::parse(&out).unwrap().extensions.get(4), None);
    assert!(Packet::parse(&out).unwrap().header.is_marked);
    assert!(!sender.packetize(now, &Frame { payload_type: 5, ..frame(10) }, |_, _| panic!()));
    assert!(!sender.packetize(now, &frame(0), |_, _| panic!()));
}
