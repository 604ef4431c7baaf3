//! A relay with the real server: gotten, kept, used and given back.

use peerline_transport::relay::{Relay, RelayEvent, RelayFamily, RelaySettings};
use peerline_turn::{Family, Quotas, Settings};
use peerline_wire::stun::{Message, Method, kind};

use crate::network::Path;
use crate::relay_world::{OTHER, PEER, World, address, ann, guest, rest_settings, server_settings};

/// No STUN: data that is worth a channel.
const DATA: &[u8] = b"\x17 data of DTLS";
const CHECK: &[u8] = b"\0\x01 a check";

fn requests_of(world: &World, method: Method) -> usize {
    let is_it = |packet: &&Vec<u8>| Message::parse(packet).is_ok_and(|message| message.method == method);
    world.sent.iter().filter(is_it).count()
}

#[test]
fn an_allocation_takes_two_round_trips_and_the_strongest_seal() {
    let mut world = World::clean(ann());
    let relayed = world.allocate();
    assert_eq!(relayed, address("198.18.0.1:49152"));
    assert_eq!(world.relay.relayed(), Some(relayed));
    assert_eq!(world.sent.len(), 2);
    let second = Message::parse(&world.sent[1]).unwrap();
    assert_eq!(second.attribute(kind::PASSWORD_ALGORITHM).unwrap().value, [0, 2, 0, 0]);
    assert!(second.attribute(kind::MESSAGE_INTEGRITY_SHA256).is_some());
    assert!(second.attribute(kind::MESSAGE_INTEGRITY).is_none());
}

#[test]
fn a_server_that_hides_names_is_told_none() {
    let mut world = World::new(1, Path::CLEAN, ann(), server_settings());
    world.allocate();
    let second = Message::parse(&world.sent[1]).unwrap();
    assert!(second.attribute(kind::USERHASH).is_some() && second.attribute(kind::USERNAME).is_none());
}

#[test]
fn time_limited_names_are_names_like_others() {
    World::clean(guest(60)).allocate();
    let (code, reason) = World::clean(guest(0)).end();
    assert_eq!((code, reason.as_str()), (401, "Unauthenticated"));
}

#[test]
fn a_wrong_password_is_tried_once() {
    let mut world = World::clean(RelaySettings { password: "guess".into(), ..ann() });
    assert_eq!(world.end(), (401, "Unauthenticated".to_owned()));
    assert_eq!(world.sent.len(), 2);
    assert_eq!(world.relay.poll_timeout(), None, "and then it is over");
}

#[test]
fn what_the_server_refuses_is_told_with_its_code() {
    let full = Settings { max_allocations: 0, ..rest_settings() };
    let mut none = World::new(1, Path::CLEAN, ann(), Settings { max_allocations: 1, ..full });
    none.server.drain();
    assert_eq!(none.end(), (508, "Insufficient Capacity".to_owned()));
    let quotas = Quotas { allocations: 1, ..Quotas::UNLIMITED };
    let settings = Settings { static_quotas: quotas, ..rest_settings() };
    let mut first = World::new(1, Path::CLEAN, ann(), settings);
    first.allocate();
    // The client forgets its relay, the server does not.
    first.relay = Relay::new(first.now(), ann());
    first.events.clear();
    assert_eq!(first.end(), (437, "Allocation Mismatch".to_owned()));
}

#[test]
fn a_dead_server_is_given_up_as_soon_as_a_dead_stun_server() {
    let mut world = World::clean(ann());
    world.is_server_up = false;
    let took = world.run_until("it gives up", |world| !world.events.is_empty());
    assert_eq!(took.as_millis(), 9500);
    assert_eq!(world.end(), (701, "the server does not answer".to_owned()));
}

#[test]
fn the_other_family_is_better_than_none() {
    for (wanted, served, expected) in [
        (RelayFamily::V6, Family::V6, "[2600::1]:49152"),
        (RelayFamily::V6, Family::V4, "198.18.0.1:49152"),
        (RelayFamily::V4, Family::V6, "[2600::1]:49152"),
    ] {
        let mut world = World::clean(RelaySettings { family: wanted, ..ann() });
        world.ports.families = vec![served];
        assert_eq!(world.allocate(), address(expected));
    }
    let mut world = World::clean(ann());
    world.ports.families = vec![];
    assert_eq!(world.end(), (440, "Address Family not Supported".to_owned()));
}

#[test]
fn checks_go_as_indications_and_data_on_a_channel_once_that_is_bound() {
    let mut world = World::clean(ann());
    world.allocate();
    world.send(PEER, CHECK);
    world.run_for(1);
    assert_eq!(world.at_peers, [(address(PEER), CHECK.to_vec())], "it waited for the permission");
    world.peer_sends(PEER, b"\x01\x01 an answer");
    world.run_for(1);
    assert_eq!(world.received, [(address(PEER), b"\x01\x01 an answer".to_vec())]);
    assert_eq!(requests_of(&world, Method::CHANNEL_BIND), 0, "a check is not worth a channel");

    world.send(PEER, DATA);
    world.run_for(1);
    world.send(PEER, DATA);
    world.run_for(1);
    let last = world.sent.back().unwrap();
    assert_eq!((&last[..4], last.len()), (&[0x40, 0, 0, 14][..], 4 + DATA.len()), "four bytes before the data");
    assert_eq!(world.at_peers.len(), 3);
    world.peer_sends(PEER, DATA);
    world.run_for(1);
    assert_eq!(world.received.last(), Some(&(address(PEER), DATA.to_vec())));
    assert_eq!(requests_of(&world, Method::CHANNEL_BIND), 1);
    assert_eq!(requests_of(&world, Method::CREATE_PERMISSION), 1);
}

#[test]
fn each_peer_has_its_own_channel_and_ports_of_one_address_share_a_permission() {
    let mut world = World::clean(ann());
    world.allocate();
    let peers = [PEER, "8.8.8.8:5001", OTHER];
    for _ in 0..3 {
        for peer in peers {
            world.send(peer, DATA);
        }
        world.run_for(1);
    }
    for (at, peer) in peers.into_iter().enumerate() {
        let got = world.at_peers.iter().filter(|(who, _)| *who == address(peer)).count();
        assert_eq!(got, 3, "{peer}");
        let channel = [0x40, at as u8];
        assert!(world.sent.iter().any(|packet| packet.starts_with(&channel)), "{peer}");
    }
    assert_eq!(requests_of(&world, Method::CREATE_PERMISSION), 2);
}

#[test]
fn a_peer_that_the_server_forbids_is_not_asked_for_again_with_every_packet() {
    let mut world = World::clean(ann());
    world.allocate();
    for _ in 0..20 {
        world.send("10.0.0.1:5000", CHECK);
        world.run_for(1);
    }
    assert_eq!(world.at_peers, []);
    assert_eq!(requests_of(&world, Method::CREATE_PERMISSION), 1);
    world.run_for(60);
    world.send("10.0.0.1:5000", CHECK);
    world.run_for(1);
    assert_eq!(requests_of(&world, Method::CREATE_PERMISSION), 2, "a policy may change");
    assert_eq!(world.allocations(), 1, "and the relay is none the worse for it");
}

#[test]
fn too_many_peers_at_once_are_let_through_one_after_the_other() {
    let quotas = Quotas { new_peers_per_s: 1, new_peers_burst: 2, ..Quotas::UNLIMITED };
    let mut world = World::new(1, Path::CLEAN, ann(), Settings { static_quotas: quotas, ..rest_settings() });
    world.allocate();
    let peers: Vec<String> = (1..=6).map(|host| format!("8.8.8.{host}:5000")).collect();
    for _ in 0..20 {
        for peer in &peers {
            world.send(peer, CHECK);
        }
        world.run_for(1);
    }
    for peer in &peers {
        assert!(world.at_peers.iter().any(|(who, _)| *who == address(peer)), "{peer}");
    }
}

#[test]
fn without_channels_data_goes_on_as_indications() {
    let quotas = Quotas { channels: 1, ..Quotas::UNLIMITED };
    let mut world = World::new(1, Path::CLEAN, ann(), Settings { static_quotas: quotas, ..rest_settings() });
    world.allocate();
    for second in 0..30 {
        world.send(PEER, DATA);
        world.send(OTHER, &[DATA, &[second]].concat());
        world.run_for(1);
    }
    assert_eq!(world.at_peers.len(), 60);
    assert_eq!(requests_of(&world, Method::CHANNEL_BIND), 2, "it is not asked for with every packet");
}

#[test]
fn a_long_call_keeps_relay_permission_and_channel() {
    let mut world = World::new(1, Path::CLEAN, guest(60), rest_settings());
    world.allocate();
    let (mut up, mut down) = (0, 0);
    for _ in 0..2 * 3600 / 20 {
        world.send(PEER, DATA);
        up += 1;
        world.run_for(10);
        world.peer_sends(PEER, DATA);
        down += 1;
        world.run_for(10);
    }
    assert_eq!((world.at_peers.len(), world.received.len()), (up, down), "nothing is lost, not even around a refresh");
    assert_eq!(world.events.len(), 1);
    let view = world.server.allocations().next().unwrap();
    assert_eq!((view.permissions, view.channels), (1, 1));
    assert!(requests_of(&world, Method::REFRESH) <= 2 * 3600 / 540 + 1);
}

#[test]
fn peers_that_nobody_sends_to_are_forgotten() {
    let mut world = World::clean(ann());
    world.allocate();
    world.send(PEER, CHECK);
    world.run_for(1200);
    let view = world.server.allocations().next().unwrap();
    assert_eq!((view.permissions, view.channels), (0, 0));
    assert_eq!(requests_of(&world, Method::CREATE_PERMISSION), 1);
    world.send(PEER, DATA);
    world.run_for(1);
    assert_eq!(world.at_peers.len(), 2, "but not for good");
}

#[test]
fn a_channel_that_has_slept_is_woken_by_a_permission() {
    let mut world = World::clean(ann());
    world.allocate();
    for _ in 0..2 {
        world.send(PEER, DATA);
        world.run_for(1);
    }
    world.run_for(400);
    for _ in 0..2 {
        world.send(PEER, DATA);
        world.run_for(1);
    }
    assert_eq!(world.at_peers.len(), 4);
    assert!(world.sent.back().unwrap().starts_with(&[0x40, 0]), "the channel is used again");
    assert_eq!(requests_of(&world, Method::CHANNEL_BIND), 1);
}

#[test]
fn nonces_may_go_stale_at_any_time() {
    let settings = Settings { nonce_lifetime: std::time::Duration::from_secs(30), ..rest_settings() };
    let mut world = World::new(1, Path::CLEAN, ann(), settings);
    world.allocate();
    for _ in 0..1800 / 20 {
        world.send(PEER, DATA);
        world.run_for(20);
    }
    assert_eq!(world.at_peers.len(), 90);
    assert_eq!(world.events.len(), 1);
}

#[test]
fn it_gets_through_loss_and_disorder() {
    for seed in 1..=40 {
        let mut world = World::new(seed, Path::lossy(15), ann(), rest_settings());
        world.allocate();
        for _ in 0..600 {
            world.send(PEER, DATA);
            world.run_for(1);
        }
        let arrived = world.at_peers.len();
        assert!((450..600).contains(&arrived), "seed {seed}: {arrived} of 600 with 15 % loss and some twice");
        assert_eq!(world.events.len(), 1, "seed {seed}");
    }
}

#[test]
fn an_outage_that_ends_in_time_is_survived() {
    let mut world = World::clean(ann());
    world.allocate();
    world.run_for(530);
    world.is_server_up = false;
    world.run_for(50);
    world.is_server_up = true;
    world.run_for(1200);
    assert_eq!((world.events.len(), world.allocations()), (1, 1));
}

#[test]
fn a_server_that_is_silent_for_good_has_lost_the_relay_when_that_would_expire() {
    let mut world = World::clean(ann());
    world.allocate();
    world.is_server_up = false;
    let started = world.now();
    let (code, _) = world.end();
    assert_eq!(code, 701);
    assert!(matches!(world.events.last(), Some(RelayEvent::Lost { .. })));
    let took = (world.now() - started).as_secs();
    assert!((590..=600).contains(&took), "{took}");
    assert_eq!(world.relay.poll_timeout(), None);
}

#[test]
fn a_server_that_has_forgotten_us_says_so() {
    let mut world = World::clean(ann());
    world.allocate();
    world.run_for(10);
    world.restart_server();
    world.send(PEER, CHECK);
    let (code, reason) = world.end();
    assert_eq!((code, reason.as_str()), (437, "Allocation Mismatch"));
}

#[test]
fn a_relay_is_given_back_at_the_end() {
    for loss_percent in [0, 40] {
        let path = Path { loss_percent, ..Path::CLEAN };
        let mut world = World::new(3, path, ann(), rest_settings());
        world.allocate();
        world.send(PEER, DATA);
        world.run_for(1);
        let now = world.now();
        world.relay.close(now);
        world.relay.close(now);
        world.run_until("it is closed", |world| world.events.last() == Some(&RelayEvent::Closed));
        assert_eq!(world.allocations(), 0);
        world.send(PEER, DATA);
        assert_eq!((world.relay.poll_timeout(), world.events.len()), (None, 2));
    }
}

#[test]
fn a_relay_that_comes_too_late_is_given_back_too() {
    let mut world = World::clean(ann());
    world.run_until("the name has been told", |world| world.sent.len() == 2);
    let now = world.now();
    world.relay.close(now);
    world.run_until("it is closed", |world| world.events == [RelayEvent::Closed]);
    assert_eq!((world.allocations(), world.sent.len()), (0, 3));
}

#[test]
fn one_that_was_not_asked_for_yet_ends_at_once() {
    let mut world = World::clean(ann());
    let now = world.now();
    world.relay.close(now);
    world.flush();
    assert_eq!(world.events, [RelayEvent::Closed]);
    let mut unconnected = Relay::new(now, RelaySettings { is_stream: true, ..ann() });
    unconnected.close(now);
    unconnected.connected(now);
    assert_eq!((unconnected.poll_event(), unconnected.poll_transmit()), (Some(RelayEvent::Closed), None));
}

#[test]
fn over_a_stream_data_is_padded_and_nothing_is_sent_twice() {
    let mut world = World::clean(RelaySettings { is_stream: true, ..ann() });
    world.run_for(5);
    assert_eq!(world.sent.len(), 0, "it waits for its stream");
    let now = world.now();
    world.relay.connected(now);
    world.allocate();
    for len in 20..40 {
        let data = vec![0x17; len];
        world.send(PEER, &data);
        world.run_for(1);
        assert_eq!(world.sent.back().unwrap().len() % 4, 0);
        assert_eq!(world.at_peers.last(), Some(&(address(PEER), data.clone())));
        world.peer_sends(PEER, &data);
        world.run_for(1);
        assert_eq!(world.received.last(), Some(&(address(PEER), data)));
    }
    world.is_server_up = false;
    let before = world.sent.len();
    world.send(OTHER, CHECK);
    world.run_for(30);
    assert_eq!(world.sent.len(), before + 1);
}

#[test]
fn a_stream_that_breaks_takes_the_relay_with_it() {
    let mut world = World::clean(RelaySettings { is_stream: true, ..ann() });
    world.relay.disconnected("Connection refused");
    assert_eq!(world.end(), (701, "Connection refused".to_owned()));
    let mut world = World::clean(RelaySettings { is_stream: true, ..ann() });
    let now = world.now();
    world.relay.connected(now);
    world.allocate();
    world.relay.disconnected("Connection reset by peer");
    world.flush();
    let lost = RelayEvent::Lost { code: 701, reason: "Connection reset by peer".to_owned() };
    assert_eq!(world.events.last(), Some(&lost));
    assert_eq!(world.relay.relayed(), None);
}

#[test]
fn a_peer_of_the_other_family_cannot_be_reached() {
    let mut world = World::clean(ann());
    world.allocate();
    world.send("[2600::2]:5000", CHECK);
    world.run_for(1);
    assert_eq!((world.sent.len(), world.at_peers.len()), (2, 0));
}
