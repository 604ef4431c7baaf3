//! Others on the internet: who is not the one that was announced, who repeats what he has overheard, who makes noise.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use peerline_netsim::{Dice, Packet, Quality};
use peerline_session::SessionEvent;
use peerline_transport::data_channel::ChannelSettings;
use peerline_transport::dtls::DtlsFailure;
use peerline_transport::ice::IceState;

use crate::call::{ANN, BOB, Call};

#[test]
fn who_has_another_certificate_gets_no_byte_and_delivers_none() {
    for (seed, percent) in [(1, 0), (2, 0), (3, 20), (4, 20)] {
        let mut call = Call::with(seed, Quality::lossy(percent), [None; 2], false);
        for side in [ANN, BOB] {
            let channel = call.open(side, ChannelSettings::new("secret"));
            // It goes out with the first packet that can carry it.
            call.person(side).send(channel, b"only for you");
        }
        call.gather();
        let refused = SessionEvent::DtlsFailed(DtlsFailure::WrongFingerprint);
        call.run_until("Ann has seen through it", |call| {
            call.person(ANN).events.iter().any(|(_, event)| *event == refused)
        });
        call.run_for(Duration::from_secs(100));
        for side in [ANN, BOB] {
            let person = call.person(side);
            assert!(person.inbox.is_empty() && !person.has_opened(1));
        }
        let connected = |(_, event): &(_, SessionEvent)| matches!(event, SessionEvent::DtlsConnected { .. });
        assert!(!call.person(ANN).events.iter().any(connected));
    }
}

/// What a stranger sends: something overheard, perhaps with bits turned, cut or from elsewhere; or anything.
fn noise(dice: &mut Dice, overheard: &[Packet]) -> Packet {
    let mut packet = dice.one_of(overheard).clone();
    match dice.below(5) {
        0 => {}
        1 => packet.source = "203.0.113.66:666".parse().unwrap(),
        2 => {
            let at = dice.below(packet.bytes.len() as u64) as usize;
            packet.bytes[at] ^= 1 << dice.below(8);
        }
        3 => packet.bytes.truncate(dice.below(packet.bytes.len() as u64) as usize),
        _ => {
            let len = dice.below(1300) as usize;
            packet.bytes = dice.bytes(len);
            if let Some(first) = packet.bytes.first_mut() {
                // Of STUN, of DTLS, of nobody.
                *first = *dice.one_of(&[0, 1, 20, 22, 23, 25, 44, 63, *first]);
            }
        }
    }
    packet
}

#[test]
fn what_is_repeated_turned_or_made_up_changes_nothing() {
    for seed in 10..18 {
        let (mut call, channel) = Call::connected(seed, Quality { rate_bps: Some(4_000_000), ..Quality::lossy(2) });
        call.network.listen(200);
        let file = call.network.dice.bytes(300_000);
        file.chunks(1000).for_each(|piece| call.person(ANN).send(channel, piece));
        while call.person(BOB).bytes_received("file") < file.len() {
            call.run_for(Duration::from_millis(10));
            assert!(call.age() < Duration::from_secs(120), "it comes to an end");
            let overheard: Vec<Packet> = call.network.overheard().iter().cloned().collect();
            if overheard.is_empty() {
                continue;
            }
            for _ in 0..10 {
                let packet = noise(&mut call.network.dice, &overheard);
                let now = call.now();
                call.network.inject(now, packet);
            }
        }
        assert!(call.person(BOB).received("file").concat() == file, "seed {seed}");
        call.run_for(Duration::from_secs(60));
        for side in [ANN, BOB] {
            assert!(call.person(side).is_connected());
            assert_eq!(call.person(side).when(IceState::Failed), None);
        }
        assert_eq!(call.person(BOB).bytes_received("file"), file.len(), "nothing came twice");
    }
}

#[test]
fn noise_during_the_handshake_does_not_stop_it() {
    for seed in 20..30 {
        let mut call = Call::new(seed, Quality::delayed(20));
        call.network.listen(50);
        call.open(ANN, ChannelSettings::new("chat"));
        call.gather();
        for _ in 0..1000 {
            if call.is_open() {
                break;
            }
            call.run_for(Duration::from_millis(5));
            let overheard: Vec<Packet> = call.network.overheard().iter().cloned().collect();
            // From who is not on the way between them: he knows the addresses, and not what is said.
            for packet in overheard.iter().take(3) {
                let len = call.network.dice.below(200) as usize;
                let mut bytes = call.network.dice.bytes(len);
                if let Some(first) = bytes.first_mut() {
                    *first = *call.network.dice.one_of(&[0, 1, 20, 21, 22, 23, 25, 63]);
                }
                let now = call.now();
                call.network.inject(now, Packet { bytes, ..packet.clone() });
            }
        }
        assert!(call.is_open(), "seed {seed}");
    }
}

/// An overheard question is valid whoever repeats it: its password is not in the address.
#[test]
fn a_flood_of_questions_from_everywhere_is_answered_within_limits_and_stops_nothing() {
    let (mut call, channel) = Call::connected(31, Quality::delayed(10));
    call.network.listen(200);
    call.run_for(Duration::from_secs(10));
    let is_question = |packet: &&Packet| packet.bytes.starts_with(&[0, 1]) && packet.bytes.len() > 20;
    let questions: Vec<Packet> = call.network.overheard().iter().filter(is_question).cloned().collect();
    assert!(!questions.is_empty());
    call.network.listen(100_000);
    let file = call.network.dice.bytes(100_000);
    for (round, piece) in file.chunks(1000).enumerate() {
        call.person(ANN).send(channel, piece);
        for number in 0..200_u64 {
            let mut packet = call.network.dice.one_of(&questions).clone();
            let stranger = round as u64 * 200 + number;
            packet.source = SocketAddr::from(([203, 0, (stranger / 250) as u8, 1 + (stranger % 250) as u8], 666));
            let now = call.now();
            call.network.inject(now, packet);
        }
        call.run_for(Duration::from_millis(10));
    }
    call.run_until("the file is there", |call| call.person(BOB).bytes_received("file") == file.len());
    assert!(call.person(BOB).received("file").concat() == file);
    let to_strangers: HashSet<IpAddr> = call.network.overheard().iter().map(|packet| packet.to.ip()).collect();
    assert!(to_strangers.len() < 40, "{} were answered", to_strangers.len());
    call.run_for(Duration::from_secs(60));
    for side in [ANN, BOB] {
        assert!(call.person(side).is_connected());
        assert_eq!(call.person(side).when(IceState::Failed), None);
    }
}
