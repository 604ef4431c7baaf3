//! Connections with peers (RFC 6062 §5.2, §5.3): those that a client asks for, and those that peers begin.

use std::net::SocketAddr;

use peerline_turn::{Own, PeerPolicy, Quotas, Secret, Settings};
use peerline_wire::stun::{Class, Method, kind};

use crate::client::Client;
use crate::tcp_world::{another, tcp_ann, tcp_bob, tcp_settings};
use crate::world::{Came, PEER, SECRET, World, guest};

fn allocated() -> (World, Client) {
    let mut world = World::new(tcp_settings());
    let mut ann = tcp_ann();
    world.allocate_tcp(&mut ann);
    (world, ann)
}

#[test]
fn a_connect_is_answered_when_the_peer_has_accepted() {
    for has_fingerprint in [false, true] {
        for client in [tcp_ann(), tcp_ann().modern()] {
            let mut world = World::new(tcp_settings());
            let mut ann = Client { has_fingerprint, ..client };
            world.allocate_tcp(&mut ann);
            let attributes = ann.peers(&[PEER]);
            let message = ann.sealed(Method::CONNECT, &attributes);
            assert_eq!(world.send(ann.tuple, &message), Came::Nothing);
            assert_eq!(world.messages(), []);
            let id = *world.host.connections.keys().next().unwrap();
            world.server.peer_connected(world.now, id);
            let answer = world.told(&ann);
            assert_eq!(answer.message().transaction.0, message[8..20]);
            assert_eq!((answer.message().method, answer.code()), (Method::CONNECT, 200));
            assert_eq!(answer.number(kind::CONNECTION_ID), Some(id.0));
            world.server.peer_connected(world.now, id);
            assert_eq!(world.messages(), [], "it is told once");
        }
    }
}

#[test]
fn a_peer_that_refuses_is_447_and_can_be_tried_again() {
    let (mut world, mut ann) = allocated();
    let id = world.begin(&mut ann, PEER);
    world.end(id);
    assert_eq!(world.told(&ann).code(), 447);
    world.connected(&mut ann, PEER);
    world.host.can_connect = false;
    assert_eq!(world.refusal(&mut ann, "8.8.8.8:5001"), 447, "also if it cannot even be begun");
    assert_eq!(world.server.counters().connections, 1);
}

#[test]
fn a_peer_that_says_nothing_is_447_after_half_a_minute() {
    let (mut world, mut ann) = allocated();
    world.begin(&mut ann, PEER);
    world.pass(29);
    assert_eq!((world.messages(), world.host.connections.len()), (vec![], 1));
    world.pass(3);
    assert_eq!((world.told(&ann).code(), world.host.connections.len()), (447, 0));
}

#[test]
fn one_connection_with_a_peer_is_enough() {
    let (mut world, mut ann) = allocated();
    let id = world.begin(&mut ann, PEER);
    assert_eq!(world.refusal(&mut ann, PEER), 446, "while it is being made");
    assert_eq!(world.refusal(&mut ann, "[::ffff:8.8.8.8]:5000"), 446, "however it is written");
    world.server.peer_connected(world.now, id);
    assert_eq!(world.told(&ann).code(), 200);
    assert_eq!(world.refusal(&mut ann, PEER), 446, "while it waits");
    assert!(matches!(world.bind_connection(&mut another(&ann, 5000), id), Came::Joined(..)));
    assert_eq!(world.refusal(&mut ann, PEER), 446, "while it is used");
    world.connected(&mut ann, "8.8.8.8:5001");
    let mut bob = tcp_bob();
    world.allocate_tcp(&mut bob);
    world.connected(&mut bob, PEER);
    world.end(id);
    world.connected(&mut ann, PEER);
}

#[test]
fn a_connect_that_makes_no_sense_is_refused() {
    let (mut world, mut ann) = allocated();
    let two = ann.peers(&[PEER, "8.8.8.8:5001"]);
    assert_eq!(world.request(&mut ann, Method::CONNECT, &two).code(), 400);
    for attributes in
        [vec![], vec![(kind::XOR_PEER_ADDRESS, vec![0, 1, 0])], vec![(kind::XOR_PEER_ADDRESS, vec![0; 8])]]
    {
        assert_eq!(world.request(&mut ann, Method::CONNECT, &attributes).code(), 400);
    }
    assert_eq!(world.refusal(&mut ann, "[2606:4700::1]:5000"), 443);
    let unknown = [ann.peers(&[PEER]), vec![(0x7777, vec![])]].concat();
    assert_eq!(world.request(&mut ann, Method::CONNECT, &unknown).code(), 420);
    let mut nobody = another(&ann, 5000);
    world.introduce(&mut nobody);
    assert_eq!(world.refusal(&mut nobody, PEER), 437);
    let mut bob = Client { tuple: ann.tuple, ..tcp_bob() };
    world.introduce(&mut bob);
    assert_eq!(world.refusal(&mut bob, PEER), 441);
    let message = ann.bare(Method::CONNECT, &[]);
    assert_eq!(world.answer(ann.tuple, &message).code(), 400, "too short to be told more");
    assert_eq!((world.host.connections.len(), world.messages()), (0, vec![]));
}

#[test]
fn the_policy_decides_about_address_and_port() {
    let mut world = World::new(Settings {
        policy: PeerPolicy {
            allow: vec!["10.1.0.0/16".parse().unwrap()],
            deny: vec!["9.9.9.0/24".parse().unwrap()],
            own: Own {
                addresses: vec!["198.18.0.1".parse().unwrap()],
                open_ports: vec![49_152..=65_535],
                closed_ports: vec![50_000],
            },
        },
        ..tcp_settings()
    });
    let mut ann = tcp_ann();
    world.allocate_tcp(&mut ann);
    for peer in [
        "127.0.0.1:5000",
        "10.0.0.1:5000",
        "169.254.169.254:8080",
        "9.9.9.9:5000",
        "8.8.8.8:22",
        "8.8.8.8:0",
        "198.18.0.1:3478",
        "198.18.0.1:50000",
        "[::ffff:127.0.0.1]:5000",
    ] {
        assert_eq!(world.refusal(&mut ann, peer), 403, "{peer}");
    }
    for peer in ["10.1.2.3:5000", "8.8.8.8:8080", "198.18.0.1:49200"] {
        world.connected(&mut ann, peer);
    }
}

#[test]
fn the_number_of_connections_is_bounded() {
    let mut world = World::new(Settings { tcp_connections: 3, ..tcp_settings() });
    let mut ann = tcp_ann();
    let allocation = world.allocate_tcp(&mut ann);
    assert_eq!(world.permit(&mut ann, &[PEER]), 200);
    let being_made = world.begin(&mut ann, PEER);
    let waiting = world.connected(&mut ann, "8.8.8.8:5001");
    let come = world.come(allocation, "8.8.8.8:5002").unwrap();
    world.told(&ann);
    assert_eq!(world.refusal(&mut ann, "8.8.8.8:5003"), 508);
    assert_eq!(world.come(allocation, "8.8.8.8:5004"), None);
    assert_eq!(world.messages(), []);
    let mut bob = tcp_bob();
    world.allocate_tcp(&mut bob);
    world.connected(&mut bob, PEER);
    for id in [being_made, waiting, come] {
        world.end(id);
        world.messages();
        world.connected(&mut ann, "8.8.8.8:5003");
        world.end(*world.host.connections.keys().find(|id| world.host.connections[id].1.port() == 5003).unwrap());
    }
}

#[test]
fn new_peers_come_no_faster_than_permissions() {
    let quotas = Quotas { new_peers_per_s: 1, new_peers_burst: 2, ..Quotas::UNLIMITED };
    let mut world =
        World::new(Settings { secrets: vec![Secret(SECRET.to_vec())], quotas, tcp_connections: 0, ..tcp_settings() });
    let mut carl = crate::tcp_world::over(peerline_turn::Transport::Tcp, guest("carl", "198.51.100.3:1", 1000));
    world.allocate_tcp(&mut carl);
    world.begin(&mut carl, "8.8.8.8:5000");
    world.begin(&mut carl, "8.8.8.8:5001");
    assert_eq!(world.refusal(&mut carl, "8.8.8.8:5002"), 508);
    world.pass(1);
    world.begin(&mut carl, "8.8.8.8:5002");
}

#[test]
fn a_peer_that_is_permitted_may_connect_and_the_client_is_told() {
    let (mut world, mut ann) = allocated();
    let allocation = world.server.find(&ann.tuple).unwrap();
    assert_eq!(world.permit(&mut ann, &[PEER]), 200);
    let id = world.come(allocation, "8.8.8.8:1234").unwrap();
    let attempt = world.told(&ann);
    let message = attempt.message();
    assert_eq!((message.class, message.method), (Class::Indication, Method::CONNECTION_ATTEMPT));
    assert_eq!(attempt.0[..2], [0x00, 0x1c]);
    let peer: SocketAddr = "8.8.8.8:1234".parse().unwrap();
    assert_eq!(
        (attempt.address(kind::XOR_PEER_ADDRESS), attempt.number(kind::CONNECTION_ID)),
        (Some(peer), Some(id.0))
    );
    let other = world.come(allocation, "[::ffff:8.8.8.8]:1235").unwrap();
    assert_ne!(world.told(&ann).message().transaction, message.transaction);
    assert_ne!(other, id);
    assert_eq!(world.refusal(&mut ann, "8.8.8.8:1235"), 446);
}

#[test]
fn a_peer_that_is_not_welcome_is_turned_away_in_silence() {
    let (mut world, mut ann) = allocated();
    let allocation = world.server.find(&ann.tuple).unwrap();
    assert_eq!(world.come(allocation, PEER), None, "not permitted");
    assert_eq!(world.permit(&mut ann, &[PEER]), 200);
    assert_eq!(world.come(allocation, "8.8.4.4:5000"), None, "another address");
    let id = world.come(allocation, PEER).unwrap();
    assert_eq!(world.told(&ann).number(kind::CONNECTION_ID), Some(id.0));
    assert_eq!(world.come(allocation, PEER), None, "it is here already");
    let deny = vec!["8.8.8.0/24".parse().unwrap()];
    world.reload(Settings { policy: PeerPolicy { deny, ..PeerPolicy::default() }, ..tcp_settings() });
    assert_eq!(world.come(allocation, "8.8.8.8:5001"), None, "the operator has changed its mind");
    world.reload(tcp_settings());
    assert!(world.come(allocation, "8.8.8.8:5001").is_some());
    world.messages();
    world.pass(301);
    assert_eq!(world.come(allocation, "8.8.8.8:5002"), None, "a permission ends");
    assert_eq!(world.messages(), []);
}

#[test]
fn the_relay_of_another_lets_nobody_in() {
    let (mut world, mut ann) = allocated();
    let (first, mut bob) = (world.server.find(&ann.tuple).unwrap(), tcp_bob());
    let second = world.allocate_tcp(&mut bob);
    assert_eq!((world.permit(&mut ann, &[PEER]), world.permit(&mut bob, &[PEER])), (200, 200));
    let relay_of = |world: &World, id| {
        let (number, _) = world.host.open.iter().find(|(_, socket)| socket.owner == Some(id)).unwrap();
        peerline_turn::RelayId(*number)
    };
    let (now, other) = (world.now, relay_of(&world, second));
    assert_eq!(world.server.peer_came(now, first, other, PEER.parse().unwrap(), &mut world.host), None);
    let mut udp = another(&ann, 5000);
    let udp_id = world.allocate(&mut udp);
    assert_eq!(world.permit(&mut udp, &[PEER]), 200);
    assert_eq!(world.come(udp_id, PEER), None, "a relay for UDP has no connections");
    world.server.kick(first, &mut world.host);
    assert_eq!(world.server.peer_came(now, first, other, PEER.parse().unwrap(), &mut world.host), None);
    assert_eq!(world.messages(), []);
}
