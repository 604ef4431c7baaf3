//! ChannelBind (RFC 8656 §12).

use peerline_turn::{ChannelTarget, PeerRoute, RelayId};
use peerline_wire::stun::{Method, kind};

use crate::client::Client;
use crate::world::{PEER, World, ann, bob, settings};

const OTHER: &str = "8.8.8.8:5001";

fn allocated() -> (World, Client, peerline_turn::AllocationId, RelayId) {
    let mut world = World::new(settings());
    let mut ann = ann();
    let id = world.allocate(&mut ann);
    let relay = RelayId(*world.host.open.keys().next().unwrap());
    (world, ann, id, relay)
}

#[test]
fn a_channel_leads_both_ways_and_permits_its_peer() {
    let (mut world, mut ann, id, relay) = allocated();
    assert_eq!(world.server.channel(id, 0x4000), None);
    assert_eq!(world.bind(&mut ann, 0x4000, PEER), 200);
    let peer = PEER.parse().unwrap();
    assert_eq!(world.server.channel(id, 0x4000), Some(ChannelTarget { relay, peer }));
    assert_eq!(world.server.peer(id, relay, peer), PeerRoute::Channel(0x4000));
    assert_eq!(world.server.peer(id, relay, OTHER.parse().unwrap()), PeerRoute::Indication, "its address is permitted");
    assert_eq!(world.server.channel(id, 0x4001), None);
}

#[test]
fn numbers_are_those_of_the_rfcs() {
    let (mut world, mut ann, ..) = allocated();
    // Up to 0x4FFF in RFC 8656, up to 0x7FFF in RFC 5766, and clients of that one are still about.
    for (number, code) in
        [(0, 400), (0x3fff, 400), (0x8000, 400), (0xffff, 400), (0x4000, 200), (0x4fff, 200), (0x7fff, 200)]
    {
        let peer = format!("8.8.8.8:{}", number | 0x400);
        assert_eq!(world.bind(&mut ann, number, &peer), code, "{number:#x}");
    }
}

#[test]
fn a_channel_and_its_peer_are_bound_to_each_other() {
    let (mut world, mut ann, ..) = allocated();
    assert_eq!(world.bind(&mut ann, 0x4000, PEER), 200);
    assert_eq!(world.bind(&mut ann, 0x4000, PEER), 200, "again is how it is renewed");
    assert_eq!(world.bind(&mut ann, 0x4000, OTHER), 400);
    assert_eq!(world.bind(&mut ann, 0x4001, PEER), 400);
    assert_eq!(world.bind(&mut ann, 0x4001, OTHER), 200);
}

#[test]
fn half_a_request_is_400() {
    let (mut world, mut ann, id, _) = allocated();
    let number = (kind::CHANNEL_NUMBER, vec![0x40, 0, 0, 0]);
    let peer = ann.peers(&[PEER])[0].clone();
    let cases = [
        vec![],
        vec![number.clone()],
        vec![peer.clone()],
        vec![(kind::CHANNEL_NUMBER, vec![0x40, 0]), peer.clone()],
        vec![number.clone(), (kind::XOR_PEER_ADDRESS, vec![0, 1, 2])],
        vec![number.clone(), peer.clone(), peer.clone()],
    ];
    for attributes in cases {
        assert_eq!(world.request(&mut ann, Method::CHANNEL_BIND, &attributes).code(), 400, "{attributes:?}");
    }
    let unknown = [number, peer, (0x7fff, vec![])];
    assert_eq!(world.request(&mut ann, Method::CHANNEL_BIND, &unknown).code(), 420);
    assert_eq!(world.server.channel(id, 0x4000), None);
}

#[test]
fn a_channel_lasts_ten_minutes_but_passes_nothing_once_its_permission_is_over() {
    let (mut world, mut ann, id, relay) = allocated();
    let peer = PEER.parse().unwrap();
    world.refresh(&mut ann, 3600);
    world.bind(&mut ann, 0x4000, PEER);
    world.pass(299);
    assert!(world.server.channel(id, 0x4000).is_some());
    world.pass(2);
    assert_eq!(world.server.channel(id, 0x4000), None);
    assert_eq!(world.server.peer(id, relay, peer), PeerRoute::Dropped);
    assert_eq!(world.bind(&mut ann, 0x4000, OTHER), 400, "the channel itself is still bound");
    assert_eq!(world.permit(&mut ann, &[PEER]), 200);
    assert!(world.server.channel(id, 0x4000).is_some(), "renewed, it passes again");
    assert_eq!(world.server.peer(id, relay, peer), PeerRoute::Channel(0x4000));

    world.pass(290);
    assert_eq!(world.permit(&mut ann, &[PEER]), 200);
    world.pass(10);
    assert_eq!(world.server.channel(id, 0x4000), None, "ten minutes are over");
    assert_eq!(world.server.peer(id, relay, peer), PeerRoute::Indication, "the permission is not");
    assert_eq!(world.bind(&mut ann, 0x4000, OTHER), 200, "the number is free for another");
}

#[test]
fn binding_again_renews_channel_and_permission() {
    let (mut world, mut ann, id, _) = allocated();
    world.refresh(&mut ann, 3600);
    world.bind(&mut ann, 0x4000, PEER);
    for _ in 0..10 {
        world.pass(290);
        assert!(world.server.channel(id, 0x4000).is_some());
        assert_eq!(world.bind(&mut ann, 0x4000, PEER), 200);
    }
    world.pass(299);
    assert!(world.server.channel(id, 0x4000).is_some());
}

#[test]
fn numbers_are_each_clients_own() {
    let (mut world, mut ann, id, _) = allocated();
    let mut bob = bob();
    let other = world.allocate(&mut bob);
    world.bind(&mut ann, 0x4000, PEER);
    assert_eq!(world.server.channel(other, 0x4000), None);
    assert_eq!(world.bind(&mut bob, 0x4000, OTHER), 200);
    assert_eq!(world.server.channel(id, 0x4000).unwrap().peer, PEER.parse().unwrap());
    assert_eq!(world.server.channel(other, 0x4000).unwrap().peer, OTHER.parse().unwrap());
}

#[test]
fn thousands_of_channels_work_at_once() {
    let (mut world, mut ann, id, relay) = allocated();
    // From both ends, so that they are found by more than their place.
    let numbers = (0..2048).flat_map(|n| [0x4000 + n, 0x4fff - n]);
    for number in numbers.clone() {
        assert_eq!(world.bind(&mut ann, number, &format!("8.8.4.4:{number}")), 200);
    }
    for number in numbers {
        let peer = format!("8.8.4.4:{number}").parse().unwrap();
        assert_eq!(world.server.channel(id, number), Some(ChannelTarget { relay, peer }));
        assert_eq!(world.server.peer(id, relay, peer), PeerRoute::Channel(number));
    }
}
