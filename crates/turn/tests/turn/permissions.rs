//! CreatePermission (RFC 8656 §9, §10): whom the relay hears and reaches.

use peerline_turn::{Own, PeerPolicy, PeerRoute, RelayId, Settings};
use peerline_wire::stun::{Method, kind};

use crate::client::Client;
use crate::world::{Came, PEER, World, ann, settings};

fn allocated() -> (World, Client) {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.allocate(&mut ann);
    (world, ann)
}

fn route(world: &World, client: &Client, peer: &str) -> PeerRoute {
    let id = world.server.find(&client.tuple).unwrap();
    let relay = RelayId(*world.host.open.keys().next().unwrap());
    world.server.peer(id, relay, peer.parse().unwrap())
}

#[test]
fn a_permission_is_of_an_address_whatever_the_port() {
    let (mut world, mut ann) = allocated();
    assert_eq!(route(&world, &ann, PEER), PeerRoute::Dropped);
    assert_eq!(world.permit(&mut ann, &[PEER]), 200);
    assert_eq!(route(&world, &ann, PEER), PeerRoute::Indication);
    assert_eq!(route(&world, &ann, "8.8.8.8:1"), PeerRoute::Indication);
    assert_eq!(route(&world, &ann, "8.8.8.9:5000"), PeerRoute::Dropped);
}

#[test]
fn a_permission_lasts_five_minutes_from_when_it_was_last_asked_for() {
    let (mut world, mut ann) = allocated();
    world.refresh(&mut ann, 3600);
    world.permit(&mut ann, &[PEER, "1.1.1.1:5000"]);
    world.pass(299);
    assert_eq!(route(&world, &ann, PEER), PeerRoute::Indication);
    assert_eq!(world.permit(&mut ann, &[PEER]), 200);
    world.pass(2);
    assert_eq!(route(&world, &ann, "1.1.1.1:5000"), PeerRoute::Dropped);
    world.pass(297);
    assert_eq!(route(&world, &ann, PEER), PeerRoute::Indication);
    world.pass(2);
    assert_eq!(route(&world, &ann, PEER), PeerRoute::Dropped);
    let message = ann.send_indication(PEER, b"late");
    assert_eq!(world.send(ann.tuple, &message), Came::Nothing);
}

#[test]
fn packets_do_not_renew_a_permission() {
    let (mut world, mut ann) = allocated();
    world.permit(&mut ann, &[PEER]);
    for _ in 0..29 {
        world.pass(10);
        let message = ann.send_indication(PEER, b"x");
        assert!(matches!(world.send(ann.tuple, &message), Came::Forward { .. }));
    }
    world.pass(11);
    assert_eq!(route(&world, &ann, PEER), PeerRoute::Dropped);
}

#[test]
fn several_peers_are_permitted_together_or_not_at_all() {
    let (mut world, mut ann) = allocated();
    assert_eq!(world.permit(&mut ann, &[PEER, "10.0.0.1:5000", "1.1.1.1:5000"]), 403);
    assert_eq!(route(&world, &ann, PEER), PeerRoute::Dropped);
    assert_eq!(world.permit(&mut ann, &[PEER, "1.1.1.1:5000", PEER]), 200);
    assert_eq!(route(&world, &ann, "1.1.1.1:1"), PeerRoute::Indication);
    let id = world.server.find(&ann.tuple).unwrap();
    let view = world.server.allocations().find(|view| view.id == id).unwrap();
    assert_eq!((view.permissions, view.channels), (2, 0));
}

#[test]
fn without_a_peer_or_with_half_a_one_it_is_400() {
    let (mut world, mut ann) = allocated();
    let good = ann.peers(&[PEER]);
    for broken in [vec![], vec![0, 1], vec![0, 3, 0, 0, 0, 0, 0, 0], vec![0; 8], vec![0, 2, 0, 0, 0, 0, 0, 0]] {
        let attributes = [good.clone(), vec![(kind::XOR_PEER_ADDRESS, broken.clone())]].concat();
        assert_eq!(world.request(&mut ann, Method::CREATE_PERMISSION, &attributes).code(), 400, "{broken:?}");
    }
    assert_eq!(world.request(&mut ann, Method::CREATE_PERMISSION, &[]).code(), 400);
    let unknown = [good, vec![(0x7fff, vec![])]].concat();
    assert_eq!(world.request(&mut ann, Method::CREATE_PERMISSION, &unknown).code(), 420);
    assert_eq!(route(&world, &ann, PEER), PeerRoute::Dropped);
}

#[test]
fn the_operators_network_is_out_of_reach_by_every_way_in() {
    let (mut world, mut ann) = allocated();
    let both = [(kind::ADDITIONAL_ADDRESS_FAMILY, vec![2, 0, 0, 0])];
    let mut dual = Client::new("198.51.100.1:4009", "ann", "pass of ann");
    assert_eq!(world.allocate_with(&mut dual, &both).code(), 200);
    for ip in ["127.0.0.1", "0.0.0.0", "10.0.0.1", "169.254.169.254", "192.168.0.1", "224.0.0.1", "255.255.255.255"] {
        let peer = format!("{ip}:5000");
        assert_eq!(world.permit(&mut ann, &[&peer]), 403, "{peer}");
        assert_eq!(world.bind(&mut ann, 0x4000, &peer), 403, "{peer}");
        let mapped = format!("[::ffff:{ip}]:5000");
        assert_eq!(world.permit(&mut dual, &[&mapped]), 403, "{mapped}");
    }
    for ip in [
        "::",
        "::1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::1",
        "2001::1",
        "fe80::1",
        "fd00::1",
    ] {
        let peer = format!("[{ip}]:5000");
        assert_eq!(world.permit(&mut dual, &[&peer]), 403, "{peer}");
        assert_eq!(world.bind(&mut dual, 0x4000, &peer), 403, "{peer}");
        let message = dual.send_indication(&peer, b"x");
        assert_eq!(world.send(dual.tuple, &message), Came::Nothing, "{peer}");
    }
}

#[test]
fn of_this_host_relays_are_open_and_services_are_not() {
    let own = Own {
        addresses: vec!["192.168.7.1".parse().unwrap()],
        open_ports: vec![49_152..=65_535],
        closed_ports: vec![3478],
    };
    let mut world = World::new(Settings { policy: PeerPolicy { own, ..PeerPolicy::default() }, ..settings() });
    let mut ann = ann();
    world.allocate(&mut ann);
    assert_eq!(world.permit(&mut ann, &["192.168.7.1:3478"]), 200, "a permission is of an address, not of a port");
    assert_eq!(world.bind(&mut ann, 0x4000, "192.168.7.1:3478"), 403);
    assert_eq!(world.bind(&mut ann, 0x4000, "192.168.7.1:8080"), 403);
    assert_eq!(world.bind(&mut ann, 0x4000, "192.168.7.1:50000"), 200);
    for (port, is_open) in [(3478, false), (8080, false), (22, false), (50_001, true)] {
        let message = ann.send_indication(&format!("192.168.7.1:{port}"), b"x");
        assert_eq!(matches!(world.send(ann.tuple, &message), Came::Forward { .. }), is_open, "{port}");
    }
}

#[test]
fn a_policy_that_becomes_stricter_holds_for_what_is_sent_next() {
    let (mut world, mut ann) = allocated();
    world.permit(&mut ann, &[PEER]);
    let deny = vec!["8.8.8.0/24".parse().unwrap()];
    world.reload(Settings { policy: PeerPolicy { deny, ..PeerPolicy::default() }, ..settings() });
    let message = ann.send_indication(PEER, b"x");
    assert_eq!(world.send(ann.tuple, &message), Came::Nothing);
    assert_eq!(world.permit(&mut ann, &[PEER]), 403);
}
