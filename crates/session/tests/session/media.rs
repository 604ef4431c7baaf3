//! Media between two sessions: frames over SRTP, beside data channels, and nothing by anybody else.

use std::time::Duration;

use peerline_session::SessionEvent;
use peerline_session::rtp::payload::Format;
use peerline_session::rtp::{Codec, ExtensionIds, Frame, MediaEvent, NotSent, Plan, Section, Sending};
use peerline_transport::ice::Address;

use crate::world::World;

const KEY: u32 = 7;

fn plan(ssrc: u32) -> Plan {
    let codec = Codec {
        payload_type: 111,
        format: Format::Whole,
        clock_hz: 48_000,
        rtx: None,
        has_nack: false,
        has_picture_loss: false,
        has_full_intra: false,
        has_transport_feedback: true,
        has_remb: false,
    };
    let section = Section {
        key: KEY,
        mid: "0".into(),
        is_video: false,
        extensions: ExtensionIds { mid: Some(4), transport_sequence: Some(3), ..ExtensionIds::default() },
        receive: vec![codec],
        sources: vec![],
        playout_delay: Duration::ZERO,
        send: Some(Sending { ssrc, rtx_ssrc: None, codecs: vec![codec], max_bitrate_bps: None }),
    };
    Plan { cname: "c".into(), has_reduced_size: true, sections: vec![section] }
}

fn frame(number: u8) -> Frame {
    let timestamp = u32::from(number) * 960;
    Frame { payload_type: 111, timestamp, bytes: vec![number; 60], ..Frame::default() }
}

fn heard(world: &World, side: usize) -> Vec<u8> {
    let frames = world.events[side].iter().filter_map(|event| match event {
        SessionEvent::Media(MediaEvent::Frame { frame, .. }) => Some(frame.bytes[0]),
        _ => None,
    });
    frames.collect()
}

fn connected() -> World {
    let mut world = World::new(true);
    let now = world.now;
    for (side, ssrc) in [(0, 1000), (1, 2000)] {
        world.sessions[side].commit_media(now, plan(ssrc));
        world.sessions[side].media().unwrap().listen(KEY, true);
    }
    let _ = world.open();
    world.trickle();
    world.run_until("both are connected", |world| world.is_open(0) && world.is_open(1));
    world
}

#[test]
fn frames_flow_both_ways_beside_a_data_channel_and_both_learn_the_round_trip() {
    let mut world = connected();
    for number in 0..100 {
        let now = world.now;
        world.sessions[0].send_frame(now, KEY, &frame(number)).unwrap();
        world.sessions[1].send_frame(now, KEY, &frame(100 + number)).unwrap();
        world.run_for(Duration::from_millis(20));
    }
    world.run_for(Duration::from_millis(100));
    assert_eq!(heard(&world, 1), (0..100).collect::<Vec<_>>());
    assert_eq!(heard(&world, 0), (100..200).collect::<Vec<_>>());
    let now = world.now;
    for side in 0..2 {
        let round_trip = world.sessions[side].media().unwrap().stats(now).round_trip.unwrap();
        assert!(round_trip < Duration::from_millis(4), "{round_trip:?}");
    }
}

#[test]
fn before_the_handshake_nothing_leaves_and_what_is_forged_or_played_again_is_nothing() {
    let mut world = World::new(true);
    let now = world.now;
    world.sessions[0].commit_media(now, plan(1000));
    assert_eq!(world.sessions[0].send_frame(now, KEY, &frame(0)), Err(NotSent::NoSource));
    let mut world = connected();
    let now = world.now;
    world.sessions[0].send_frame(now, KEY, &frame(1)).unwrap();
    let datagram = world.sessions[0].poll_transmit().unwrap().bytes;
    let address = Address { local: world.sockets[1], remote: world.sockets[0] };
    let mut forged = datagram.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert!(!world.sessions[1].handle_input(now, address, &forged));
    assert!(world.sessions[1].handle_input(now, address, &datagram));
    assert!(!world.sessions[1].handle_input(now, address, &datagram), "a second time");
    assert!(!world.sessions[1].handle_input(now, address, &[0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 3, 0xe8, 1, 2, 3]));
    assert!(!world.sessions[1].handle_input(now, address, &[0x80, 200, 0, 1, 0, 0, 0, 0]));
    world.run_for(Duration::from_millis(50));
    assert_eq!(heard(&world, 1), [1]);
}
