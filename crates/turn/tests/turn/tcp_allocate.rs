//! Allocations for TCP (RFC 6062 §5.1): who gets one, and what cannot be done with it.

use peerline_turn::{Family, PeerRoute, RelayId, Settings, Transport};
use peerline_wire::stun::{Method, kind};

use crate::client::UDP;
use crate::draft::Attribute;
use crate::tcp_world::{PEER_IP, TCP, another, over, tcp_ann, tcp_bob, tcp_settings};
use crate::world::{Came, PEER, World, ann, settings};

#[test]
fn a_client_over_tcp_or_tls_gets_a_relay_for_tcp() {
    let mut world = World::new(tcp_settings());
    for (mut client, relays) in [(tcp_ann(), 1), (tcp_bob(), 2)] {
        let answer = world.allocate_tcp_with(&mut client, &[]);
        assert_eq!((answer.code(), answer.number(kind::LIFETIME)), (200, Some(600)));
        let relayed = answer.address(kind::XOR_RELAYED_ADDRESS).unwrap();
        assert_eq!(answer.address(kind::XOR_MAPPED_ADDRESS), Some(client.tuple.client));
        assert!(world.host.open.values().any(|socket| socket.is_tcp && socket.address == relayed));
        assert_eq!(world.host.open.len(), relays);
    }
    assert!(world.server.allocations().all(|view| view.connections == Some(0)));
}

#[test]
fn over_tcp_a_relay_for_udp_is_still_to_be_had() {
    let mut world = World::new(tcp_settings());
    let mut ann = tcp_ann();
    world.allocate(&mut ann);
    assert!(world.host.open.values().all(|socket| !socket.is_tcp));
    assert_eq!(world.server.allocations().map(|view| view.connections).collect::<Vec<_>>(), [None]);
    assert_eq!(world.refusal(&mut ann, PEER), 403, "a relay for UDP connects to nobody");
}

#[test]
fn it_is_off_unless_the_operator_wants_it() {
    let mut world = World::new(settings());
    assert_eq!(world.allocate_tcp_with(&mut tcp_ann(), &[]).code(), 442);
    let mut ann = tcp_ann();
    world.allocate(&mut ann);
    assert_eq!(world.connect(&mut ann, PEER), Came::Nothing, "a method that is not served");
    let id = peerline_turn::ConnectionId(7);
    assert_eq!(world.bind_connection(&mut another(&ann, 5000), id), Came::Nothing);
    assert_eq!((world.server.counters().unserved, world.messages()), (2, vec![]));
}

#[test]
fn who_has_one_when_it_is_switched_off_keeps_what_it_can_do() {
    let mut world = World::new(tcp_settings());
    let mut ann = tcp_ann();
    world.allocate_tcp(&mut ann);
    world.reload(settings());
    let id = world.connected(&mut ann, PEER);
    assert!(matches!(world.bind_connection(&mut another(&ann, 5000), id), Came::Joined(..)));
    assert_eq!(world.allocate_tcp_with(&mut tcp_bob(), &[]).code(), 442);
}

#[test]
fn what_makes_no_sense_for_tcp_is_refused() {
    let bad: [(u16, Vec<u8>); 4] = [
        (kind::EVEN_PORT, vec![0]),
        (kind::EVEN_PORT, vec![0x80]),
        (kind::RESERVATION_TOKEN, vec![0; 8]),
        (kind::DONT_FRAGMENT, vec![]),
    ];
    for attribute in bad {
        let mut world = World::new(tcp_settings());
        world.host.can_forbid_fragments = true;
        assert_eq!(world.allocate_tcp_with(&mut tcp_ann(), &[attribute]).code(), 400);
        assert_eq!((world.count(), world.host.open.len()), (0, 0));
    }
    let mut world = World::new(Settings { mobility: true, ..tcp_settings() });
    assert_eq!(world.allocate_tcp_with(&mut tcp_ann(), &[(kind::MOBILITY_TICKET, vec![])]).code(), 405);
    assert_eq!(world.allocate_tcp_with(&mut over(Transport::Udp, ann()), &[]).code(), 400, "over UDP");
    for transport in [0, 1, 7, 132, 255] {
        let value = (kind::REQUESTED_TRANSPORT, vec![transport, 0, 0, 0]);
        assert_eq!(world.request(&mut tcp_ann(), Method::ALLOCATE, &[value]).code(), 442);
    }
    assert_eq!((world.count(), world.host.open.len()), (0, 0));
}

#[test]
fn no_socket_is_508_and_leaves_nothing() {
    let mut world = World::new(tcp_settings());
    world.host.limit = 0;
    let mut ann = tcp_ann();
    assert_eq!(world.allocate_tcp_with(&mut ann, &[]).code(), 508);
    world.host.limit = 1;
    assert_eq!(world.allocate_tcp_with(&mut ann, &[]).code(), 200);
    world.host.families = vec![Family::V4];
    let six: Attribute = (kind::REQUESTED_ADDRESS_FAMILY, vec![2, 0, 0, 0]);
    assert_eq!(world.allocate_tcp_with(&mut tcp_bob(), &[six]).code(), 440);
}

#[test]
fn the_same_request_again_gets_the_same_answer() {
    let mut world = World::new(tcp_settings());
    let mut ann = tcp_ann();
    world.introduce(&mut ann);
    let message = ann.sealed(Method::ALLOCATE, &[(TCP.0, TCP.1.to_vec())]);
    let answer = world.answer(ann.tuple, &message);
    assert_eq!((world.answer(ann.tuple, &message), world.host.open.len()), (answer, 1));
    assert_eq!(world.allocate_with(&mut ann, &[]).code(), 437, "a connection has one allocation");
}

#[test]
fn datagrams_have_no_way_through_it() {
    let mut world = World::new(tcp_settings());
    let mut ann = tcp_ann();
    let id = world.allocate_tcp(&mut ann);
    assert_eq!(world.permit(&mut ann, &[PEER_IP.to_owned() + ":0"].each_ref().map(String::as_str)), 200);
    assert_eq!(world.bind(&mut ann, 0x4000, PEER), 403);
    assert_eq!(world.server.channel(id, 0x4000), None);
    let message = ann.send_indication(PEER, b"hello");
    assert_eq!(world.send(ann.tuple, &message), Came::Nothing);
    assert_eq!(world.server.peer(id, RelayId(99), PEER.parse().unwrap()), PeerRoute::Indication, "what is permitted");
}

#[test]
fn of_two_families_one_goes_with_its_connections() {
    const PEER_V6: &str = "[2606:4700::1]:5000";
    let mut world = World::new(tcp_settings());
    let mut ann = tcp_ann();
    let both: Attribute = (kind::ADDITIONAL_ADDRESS_FAMILY, vec![2, 0, 0, 0]);
    let answer = world.allocate_tcp_with(&mut ann, &[both]);
    assert_eq!((answer.code(), answer.addresses(kind::XOR_RELAYED_ADDRESS).len()), (200, 2));
    let (four, six) = (world.connected(&mut ann, PEER), world.connected(&mut ann, PEER_V6));
    assert_ne!(world.host.connections[&four].0, world.host.connections[&six].0, "each through the relay of its family");
    let later = world.begin(&mut ann, "[2606:4700::2]:5000");
    let give_up = [(kind::LIFETIME, vec![0; 4]), (kind::REQUESTED_ADDRESS_FAMILY, vec![2, 0, 0, 0])];
    assert_eq!(world.request(&mut ann, Method::REFRESH, &give_up).code(), 200);
    assert_eq!(world.told(&ann).code(), 447, "who waits for a peer is told");
    assert_eq!(world.host.connections.keys().copied().collect::<Vec<_>>(), [four]);
    assert!(!world.host.connections.contains_key(&later));
    assert_eq!(world.refusal(&mut ann, PEER_V6), 443);
}

#[test]
fn quotas_and_the_owner_count_it_like_any_other() {
    let mut world = World::new(Settings { max_allocations: 1, asks_owner: true, ..tcp_settings() });
    let mut ann = tcp_ann();
    world.introduce(&mut ann);
    let message = ann.sealed(Method::ALLOCATE, &[(TCP.0, TCP.1.to_vec())]);
    let Came::Question(question) = world.send(ann.tuple, &message) else { panic!() };
    let (tuple, answer) = world.decide(question.id, peerline_turn::Verdict::Allow).unwrap();
    assert_eq!((tuple, answer.code(), world.count()), (ann.tuple, 200, 1));
    assert!(world.host.open.values().all(|socket| socket.is_tcp));
    assert_eq!(world.request(&mut tcp_bob(), Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]).code(), 508);
}
