//! Two address families (RFC 8656 §7.2, §8.2): one each, both, and one of them given up.

use peerline_turn::{Family, PeerRoute, Settings};
use peerline_wire::stun::{Method, kind};

use crate::draft::Attribute;
use crate::world::{Came, PEER, World, ann, bob, settings};

const PEER_V6: &str = "[2606:4700::1]:5000";

fn requested(family: u8) -> Attribute {
    (kind::REQUESTED_ADDRESS_FAMILY, vec![family, 0, 0, 0])
}

fn both() -> [Attribute; 1] {
    [(kind::ADDITIONAL_ADDRESS_FAMILY, vec![2, 0, 0, 0])]
}

fn is_v4(world: &mut World, attributes: &[Attribute]) -> Vec<bool> {
    let answer = world.allocate_with(&mut ann(), attributes);
    assert_eq!(answer.code(), 200);
    answer.addresses(kind::XOR_RELAYED_ADDRESS).iter().map(|address| address.is_ipv4()).collect()
}

#[test]
fn a_client_gets_the_family_it_asks_for() {
    assert_eq!(is_v4(&mut World::new(settings()), &[]), [true]);
    assert_eq!(is_v4(&mut World::new(settings()), &[requested(1)]), [true]);
    assert_eq!(is_v4(&mut World::new(settings()), &[requested(2)]), [false]);
    assert_eq!(is_v4(&mut World::new(settings()), &both()), [true, false]);
}

#[test]
fn a_family_that_is_not_served_is_440() {
    let mut world = World::new(settings());
    world.host.families = vec![Family::V4];
    assert_eq!(world.allocate_with(&mut ann(), &[requested(2)]).code(), 440);
    let answer = world.allocate_with(&mut bob(), &both());
    assert_eq!((answer.code(), answer.addresses(kind::XOR_RELAYED_ADDRESS).len()), (200, 1));
    assert_eq!(answer.value(kind::ADDRESS_ERROR_CODE), Some(&[2, 0, 4, 40][..]));
    world.host.families.clear();
    assert_eq!(world.allocate_with(&mut ann(), &[]).code(), 440);
    assert_eq!(world.allocate_with(&mut ann(), &both()).code(), 440);
}

#[test]
fn of_two_families_one_may_have_no_port_left_and_the_answer_says_which() {
    let mut world = World::new(settings());
    world.host.limit = 1;
    let mut ann = ann();
    world.introduce(&mut ann);
    let message = ann.sealed(Method::ALLOCATE, &[(kind::REQUESTED_TRANSPORT, vec![17, 0, 0, 0]), both()[0].clone()]);
    let answer = world.answer(ann.tuple, &message);
    assert_eq!(answer.value(kind::ADDRESS_ERROR_CODE), Some(&[2, 0, 5, 8][..]));
    assert_eq!(world.answer(ann.tuple, &message), answer, "also when it is asked again");
    assert_eq!(world.allocate_with(&mut bob(), &both()).code(), 508, "none is left of either");
}

#[test]
fn peers_must_be_of_a_family_that_is_there() {
    let mut world = World::new(settings());
    let mut ann = ann();
    let id = world.allocate(&mut ann);
    assert_eq!(world.permit(&mut ann, &[PEER_V6]), 443);
    assert_eq!(world.permit(&mut ann, &[PEER, PEER_V6]), 443);
    assert_eq!(world.bind(&mut ann, 0x4000, PEER_V6), 443);
    let relay = relays(&world)[0];
    assert_eq!(world.server.peer(id, relay, PEER.parse().unwrap()), PeerRoute::Dropped, "all of them or none");
    let message = ann.send_indication(PEER_V6, b"x");
    assert_eq!(world.send(ann.tuple, &message), Came::Nothing);
}

#[test]
fn each_peer_is_reached_from_the_relay_of_its_family() {
    let mut world = World::new(settings());
    let mut ann = ann();
    let answer = world.allocate_with(&mut ann, &both());
    assert_eq!(answer.code(), 200);
    let id = world.server.find(&ann.tuple).unwrap();
    let [v4, v6] = relays(&world)[..] else { panic!() };
    assert_eq!(world.permit(&mut ann, &[PEER, PEER_V6]), 200);
    assert_eq!(world.bind(&mut ann, 0x4000, PEER), 200);
    assert_eq!(world.bind(&mut ann, 0x4001, PEER_V6), 200);
    assert_eq!(world.server.channel(id, 0x4000).unwrap().relay, v4);
    assert_eq!(world.server.channel(id, 0x4001).unwrap().relay, v6);
    for (peer, relay) in [(PEER, v4), (PEER_V6, v6)] {
        let message = ann.send_indication(peer, b"x");
        assert!(matches!(world.send(ann.tuple, &message), Came::Forward { relay: through, .. } if through == relay.0));
    }
}

#[test]
fn one_of_two_families_can_be_given_up() {
    let mut world = World::new(settings());
    let mut ann = ann();
    assert_eq!(world.allocate_with(&mut ann, &both()).code(), 200);
    let id = world.server.find(&ann.tuple).unwrap();
    let [v4, v6] = relays(&world)[..] else { panic!() };
    assert_eq!((world.bind(&mut ann, 0x4000, PEER), world.bind(&mut ann, 0x4001, PEER_V6)), (200, 200));
    let give_up = |world: &mut World, client: &mut _, family: u8| {
        world.request(client, Method::REFRESH, &[(kind::LIFETIME, vec![0; 4]), requested(family)])
    };
    let answer = give_up(&mut world, &mut ann, 2);
    assert_eq!((answer.code(), answer.number(kind::LIFETIME)), (200, Some(0)));
    assert_eq!((world.count(), relays(&world)), (1, vec![v4]));
    assert!(world.server.channel(id, 0x4000).is_some() && world.server.channel(id, 0x4001).is_none());
    assert_eq!(world.server.peer(id, v6, PEER_V6.parse().unwrap()), PeerRoute::Dropped);
    assert_eq!(world.permit(&mut ann, &[PEER_V6]), 443);

    assert_eq!(give_up(&mut world, &mut ann, 2).code(), 443, "it is gone already");
    assert_eq!(give_up(&mut world, &mut ann, 3).code(), 443, "no such family");
    assert_eq!(give_up(&mut world, &mut ann, 1).code(), 200);
    assert_eq!((world.count(), world.host.open.len()), (0, 0), "with the last family the allocation goes");
}

#[test]
fn an_ipv4_peer_mapped_into_ipv6_is_an_ipv4_peer() {
    let mut world = World::new(Settings { ..settings() });
    let mut ann = ann();
    let id = world.allocate(&mut ann);
    assert_eq!(world.permit(&mut ann, &["[::ffff:8.8.8.8]:5000"]), 200);
    assert_eq!(world.server.peer(id, relays(&world)[0], PEER.parse().unwrap()), PeerRoute::Indication);
    assert_eq!(world.permit(&mut ann, &["[::ffff:127.0.0.1]:5000"]), 403);
}

fn relays(world: &World) -> Vec<peerline_turn::RelayId> {
    world.host.open.keys().map(|id| peerline_turn::RelayId(*id)).collect()
}
