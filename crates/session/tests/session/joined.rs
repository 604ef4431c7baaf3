//! Two sessions in virtual time: from nothing to messages, with candidates trickled, and back to nothing.

use std::time::Duration;

use peerline_session::{Session, SessionEvent, SessionSettings};
use peerline_transport::data_channel::{ChannelEvent, Kind};
use peerline_transport::dtls::{Certificate, DtlsFailure, DtlsRole, DtlsSettings, HashKind};
use peerline_transport::ice::{IceSettings, IceState};

use crate::world::{NOW_S, World};

#[test]
fn two_sessions_connect_and_exchange_messages() {
    let mut world = World::new(true);
    let channel = world.open();
    world.trickle();
    let took = world.run_until("the channel is open", |world| world.is_open(0) && world.is_open(1));
    assert!(took < Duration::from_millis(60), "{took:?}");
    let message = vec![7; 256 * 1024];
    let now = world.now;
    world.sessions[0].channels().send(now, channel, Kind::Binary, message.clone()).unwrap();
    world.run_until("the message is there", |world| world.messages(1) == [&message[..]]);
    assert_eq!(world.sessions[0].channels().stream(channel), Some(1), "the server of DTLS has the odd streams");
}

#[test]
fn a_handshake_that_comes_before_the_description_is_kept_for_it() {
    let mut world = World::new(true);
    let credentials = [0, 1].map(|side: usize| world.sessions[side].ice().local_credentials().clone());
    let certificate = Certificate::generate(NOW_S, NOW_S + 1000).unwrap();
    let fingerprint = certificate.fingerprint(HashKind::Sha256);
    // Side 0 anew: it knows the way, and not yet who the other one is.
    let ice = IceSettings { is_controlling: true, is_relay_only: false, beats_from: None };
    let settings = SessionSettings { ice, ..SessionSettings::default() };
    let mut late = Session::new(world.now, certificate, &settings);
    let now = world.now;
    late.ice().set_remote_credentials(now, credentials[1].clone()).unwrap();
    let own = late.ice().local_credentials().clone();
    world.sessions[0] = late;
    let other = Certificate::generate(NOW_S, NOW_S + 1000).unwrap();
    let theirs = other.fingerprint(HashKind::Sha256);
    let mut client = Session::new(now, other, &SessionSettings::default());
    let name = client.ice().local_credentials().clone();
    client.ice().set_remote_credentials(now, own).unwrap();
    client.start_dtls(now, DtlsSettings::new(DtlsRole::Client), vec![fingerprint]).unwrap();
    world.sessions[1] = client;
    world.sessions[0].ice().set_remote_credentials(now, name).unwrap();
    world.trickle();
    world.run_for(Duration::from_millis(300));
    let now = world.now;
    world.sessions[0].start_dtls(now, DtlsSettings::new(DtlsRole::Server), vec![theirs]).unwrap();
    let took = world.run_until("both stand", |world| {
        (0..2).all(|side| world.events[side].iter().any(|event| matches!(event, SessionEvent::DtlsConnected { .. })))
    });
    assert!(took < Duration::from_millis(50), "{took:?}: nobody waits for a second ClientHello");
}

#[test]
fn a_wrong_fingerprint_opens_no_channel_and_delivers_nothing() {
    let mut world = World::new(false);
    world.open();
    world.trickle();
    world.run_for(Duration::from_secs(90));
    assert!(world.events[0].contains(&SessionEvent::DtlsFailed(DtlsFailure::WrongFingerprint)));
    assert!(!world.is_open(0) && !world.is_open(1));
    assert!(world.messages(0).is_empty() && world.messages(1).is_empty());
}

#[test]
fn closing_one_side_closes_the_other_at_once() {
    let mut world = World::new(true);
    world.open();
    world.trickle();
    world.run_until("the channel is open", |world| world.is_open(0) && world.is_open(1));
    let now = world.now;
    world.sessions[0].close(now);
    let took = world.run_until("the other side knows", |world| {
        world.events[1]
            .iter()
            .any(|event| matches!(event, SessionEvent::Channel(ChannelEvent::AssociationClosed { .. })))
    });
    assert!(took < Duration::from_millis(10), "{took:?}");
}

#[test]
fn messages_outlive_twenty_seconds_without_a_network() {
    let mut world = World::new(true);
    let channel = world.open();
    world.trickle();
    world.run_until("the channel is open", |world| world.is_open(0) && world.is_open(1));
    world.is_cut = true;
    let now = world.now;
    world.sessions[0].channels().send(now, channel, Kind::Text, b"patience".to_vec()).unwrap();
    world.run_for(Duration::from_secs(20));
    assert_eq!(world.sessions[0].ice().state(), IceState::Disconnected);
    world.is_cut = false;
    world.run_until("the message is there", |world| world.messages(1) == [b"patience"]);
}

#[test]
fn an_idle_session_sends_a_packet_a_second() {
    let mut world = World::new(true);
    world.open();
    world.trickle();
    world.run_for(Duration::from_secs(10));
    let sent = world.sent;
    world.run_for(Duration::from_secs(120));
    let sent = world.sent - sent;
    assert!(sent <= 2 * 130, "{sent} packets of both sides in two minutes");
}
