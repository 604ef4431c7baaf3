//! Allocate (RFC 8656 §7): what is granted, and every way to be refused.

use peerline_turn::{Parity, Settings, TurnEvent};
use peerline_wire::stun::{Method, kind};

use crate::client::{Client, UDP};
use crate::draft::Attribute;
use crate::world::{World, ann, bob, settings};

fn lifetime(seconds: u32) -> Attribute {
    (kind::LIFETIME, seconds.to_be_bytes().to_vec())
}

fn number(address: u16) -> String {
    format!("198.51.100.1:{address}")
}

#[test]
fn a_client_gets_a_relay_and_learns_its_own_address() {
    let mut world = World::new(settings());
    let mut ann = ann();
    let answer = world.allocate_with(&mut ann, &[]);
    assert_eq!(answer.code(), 200);
    assert_eq!(answer.addresses(kind::XOR_RELAYED_ADDRESS), ["198.18.0.1:49153".parse().unwrap()]);
    assert_eq!(answer.address(kind::XOR_MAPPED_ADDRESS), Some(ann.tuple.client));
    assert_eq!(answer.number(kind::LIFETIME), Some(600));
    assert_eq!((answer.value(kind::RESERVATION_TOKEN), answer.value(kind::SOFTWARE)), (None, None));

    let id = world.server.find(&ann.tuple).unwrap();
    assert_eq!(world.server.client(id), Some(ann.tuple));
    assert_eq!(world.host.open.values().map(|socket| socket.owner).collect::<Vec<_>>(), [Some(id)]);
    assert_eq!(world.events(), [TurnEvent::Allocated { id, username: "ann".into() }]);
    let counters = world.server.counters();
    assert_eq!((counters.allocations, counters.allocated, counters.unauthorized), (1, 1, 1));
}

#[test]
fn an_address_mapped_into_ipv6_is_told_as_the_ipv4_address_it_is() {
    let mut world = World::new(settings());
    let mut ann = Client::new("[::ffff:198.51.100.1]:4001", "ann", "pass of ann");
    let answer = world.allocate_with(&mut ann, &[]);
    assert_eq!(answer.address(kind::XOR_MAPPED_ADDRESS), Some("198.51.100.1:4001".parse().unwrap()));
}

#[test]
fn the_same_request_again_gets_the_same_answer() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.introduce(&mut ann);
    let message = ann.sealed(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]);
    let first = world.answer(ann.tuple, &message);
    assert_eq!((first.code(), world.answer(ann.tuple, &message)), (200, first.clone()));
    world.pass(10);
    let later = world.answer(ann.tuple, &message);
    assert_eq!(later.addresses(kind::XOR_RELAYED_ADDRESS), first.addresses(kind::XOR_RELAYED_ADDRESS));
    assert_eq!(later.number(kind::LIFETIME), Some(590), "what is left of it");
    assert_eq!((world.count(), world.host.open.len()), (1, 1));
    assert_eq!(world.allocate_with(&mut ann, &[]).code(), 437, "another request is no repetition");
    assert_eq!(world.count(), 1);
}

#[test]
fn a_five_tuple_has_one_allocation_whoever_asks() {
    let mut world = World::new(settings());
    let (mut ann, mut bob) = (ann(), bob());
    world.allocate(&mut ann);
    bob.tuple = ann.tuple;
    assert_eq!(world.allocate_with(&mut bob, &[]).code(), 437);
    assert_eq!(world.count(), 1);
}

#[test]
fn lifetimes_are_held_between_ten_minutes_and_an_hour() {
    let mut world = World::new(settings());
    let asked = [(0, 600), (1, 600), (599, 600), (601, 601), (3600, 3600), (3601, 3600), (u32::MAX, 3600)];
    for (index, (asked, granted)) in asked.into_iter().enumerate() {
        let mut ann = Client::new(&number(5000 + index as u16), "ann", "pass of ann");
        let answer = world.allocate_with(&mut ann, &[lifetime(asked)]);
        assert_eq!(answer.number(kind::LIFETIME), Some(granted), "{asked}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_and_opens_nothing() {
    let mut world = World::new(settings());
    let transport = |number| (kind::REQUESTED_TRANSPORT, vec![number, 0, 0, 0]);
    let udp = transport(17);
    let requested = |family| (kind::REQUESTED_ADDRESS_FAMILY, vec![family, 0, 0, 0]);
    let additional = |family| (kind::ADDITIONAL_ADDRESS_FAMILY, vec![family, 0, 0, 0]);
    let even = |flags| (kind::EVEN_PORT, vec![flags]);
    let token = |len| (kind::RESERVATION_TOKEN, vec![0; len]);
    type Refused = (u16, &'static str, Vec<Attribute>);
    let refused: &[Refused] = &[
        (400, "no transport", vec![]),
        (400, "short transport", vec![(kind::REQUESTED_TRANSPORT, vec![17])]),
        (400, "long transport", vec![(kind::REQUESTED_TRANSPORT, vec![17, 0, 0, 0, 0])]),
        (442, "TCP", vec![transport(6)]),
        (442, "no protocol", vec![transport(0)]),
        (440, "family 0", vec![udp.clone(), requested(0)]),
        (440, "family 3", vec![udp.clone(), requested(3)]),
        (400, "short family", vec![udp.clone(), (kind::REQUESTED_ADDRESS_FAMILY, vec![1])]),
        (400, "IPv4 as the second family", vec![udp.clone(), additional(1)]),
        (400, "an unknown second family", vec![udp.clone(), additional(3)]),
        (400, "both family attributes", vec![udp.clone(), requested(1), additional(2)]),
        (400, "two families and a reservation", vec![udp.clone(), additional(2), even(0x80)]),
        (400, "no flags", vec![udp.clone(), (kind::EVEN_PORT, vec![])]),
        (400, "too many flags", vec![udp.clone(), (kind::EVEN_PORT, vec![0, 0])]),
        (400, "a short token", vec![udp.clone(), token(7)]),
        (400, "a long token", vec![udp.clone(), token(9)]),
        (400, "a token and a parity", vec![udp.clone(), token(8), even(0x80)]),
        (400, "a token and an even port", vec![udp.clone(), token(8), even(0)]),
        (400, "a token and a family", vec![udp.clone(), token(8), requested(1)]),
        (400, "a token and two families", vec![udp.clone(), token(8), additional(2)]),
        (508, "a token of nobody", vec![udp.clone(), token(8)]),
        (400, "a short lifetime", vec![udp.clone(), (kind::LIFETIME, vec![0; 3])]),
        (400, "a long lifetime", vec![udp.clone(), (kind::LIFETIME, vec![0; 8])]),
        (420, "something unknown", vec![udp.clone(), (0x7fff, vec![])]),
        (420, "fragments", vec![udp.clone(), (kind::DONT_FRAGMENT, vec![])]),
    ];
    let mut ann = ann();
    for (code, what, attributes) in refused {
        let answer = world.request(&mut ann, Method::ALLOCATE, attributes);
        assert_eq!(answer.code(), *code, "{what}");
        assert_eq!((world.count(), world.host.open.len()), (0, 0), "{what}");
    }
    assert_eq!(world.server.counters().refused as usize, refused.len());
    assert_eq!(world.allocate_with(&mut ann, &[]).code(), 200);
}

#[test]
fn what_is_unknown_is_named() {
    let mut world = World::new(settings());
    let mut ann = ann();
    let answer = world.allocate_with(&mut ann, &[(0x7ffe, vec![1]), (0xfffe, vec![]), (0x7ffd, vec![])]);
    assert_eq!(answer.code(), 420);
    assert_eq!(answer.value(kind::UNKNOWN_ATTRIBUTES), Some(&[0x7f, 0xfe, 0x7f, 0xfd][..]));
    let many: Vec<_> = (0..300).map(|n| (0x6000 + n, vec![])).collect();
    let answer = world.allocate_with(&mut ann, &many);
    assert_eq!(answer.code(), 420);
    assert!(answer.0.len() <= 1280, "{}", answer.0.len());
    assert_eq!(world.allocate_with(&mut ann, &[(0xfffe, vec![1, 2, 3])]).code(), 200, "need not be understood");
}

#[test]
fn dont_fragment_is_understood_where_it_can_be_done() {
    let mut world = World::new(settings());
    world.host.can_forbid_fragments = true;
    assert_eq!(world.allocate_with(&mut ann(), &[(kind::DONT_FRAGMENT, vec![])]).code(), 200);
}

#[test]
fn an_even_port_is_even_and_the_next_one_can_be_kept() {
    let mut world = World::new(settings());
    let (mut ann, mut bob) = (ann(), bob());
    let answer = world.allocate_with(&mut ann, &[(kind::EVEN_PORT, vec![0])]);
    assert_eq!(answer.address(kind::XOR_RELAYED_ADDRESS).unwrap().port() % 2, 0);
    assert_eq!((answer.value(kind::RESERVATION_TOKEN), world.host.open.len()), (None, 1));

    let mut carl = Client::new(&number(5000), "ann", "pass of ann");
    let first = world.allocate_with(&mut carl, &[(kind::EVEN_PORT, vec![0x80])]);
    let even = first.address(kind::XOR_RELAYED_ADDRESS).unwrap();
    let token = first.value(kind::RESERVATION_TOKEN).unwrap().to_vec();
    assert_eq!((even.port() % 2, world.host.open.len()), (0, 3));

    let second = world.allocate_with(&mut bob, &[(kind::RESERVATION_TOKEN, token.clone())]);
    let odd = second.address(kind::XOR_RELAYED_ADDRESS).unwrap();
    assert_eq!((odd.ip(), odd.port()), (even.ip(), even.port() + 1));
    let mut dora = Client::new(&number(5001), "ann", "pass of ann");
    let again = world.allocate_with(&mut dora, &[(kind::RESERVATION_TOKEN, token)]);
    assert_eq!(again.code(), 508, "a token is good once");
    world.pass(60);
    assert_eq!(world.host.open.len(), 3, "what was adopted does not expire as a reservation");
}

#[test]
fn a_reservation_lasts_thirty_seconds() {
    for (seconds, code) in [(29, 200), (31, 508)] {
        let mut world = World::new(settings());
        let answer = world.allocate_with(&mut ann(), &[(kind::EVEN_PORT, vec![0x80])]);
        let token = answer.value(kind::RESERVATION_TOKEN).unwrap().to_vec();
        world.pass(seconds);
        assert_eq!(world.allocate_with(&mut bob(), &[(kind::RESERVATION_TOKEN, token)]).code(), code, "{seconds}");
        let expected = if code == 200 { 2 } else { 1 };
        assert_eq!(world.host.open.len(), expected, "the kept socket is used or closed");
    }
}

#[test]
fn reservations_outlive_the_allocation_but_not_without_end() {
    let mut world = World::new(settings());
    for round in 0..600 {
        let mut ann = Client::new(&number(5000 + round), "ann", "pass of ann");
        let answer = world.allocate_with(&mut ann, &[(kind::EVEN_PORT, vec![0x80])]);
        if answer.code() == 200 {
            assert_eq!(world.refresh(&mut ann, 0).code(), 200);
        }
    }
    assert_eq!((world.count(), world.host.open.len()), (0, 256));
    world.pass(31);
    assert_eq!(world.host.open.len(), 0);
}

#[test]
fn without_a_free_port_there_is_508_and_nothing_is_left_behind() {
    let mut world = World::new(settings());
    world.host.limit = 1;
    assert_eq!(world.allocate_with(&mut ann(), &[(kind::EVEN_PORT, vec![0x80])]).code(), 508);
    assert_eq!((world.count(), world.host.open.len()), (0, 0));
    let mut ann = ann();
    world.allocate(&mut ann);
    assert_eq!(world.allocate_with(&mut bob(), &[]).code(), 508);
    assert_eq!(world.refresh(&mut ann, 0).code(), 200);
    assert_eq!(world.allocate_with(&mut bob(), &[]).code(), 200);
}

#[test]
fn beyond_the_greatest_number_of_allocations_there_is_508() {
    let mut world = World::new(Settings { max_allocations: 2, ..settings() });
    let mut clients: Vec<Client> = (5000..5003).map(|n| Client::new(&number(n), "ann", "pass of ann")).collect();
    let codes: Vec<u16> = clients.iter_mut().map(|client| world.allocate_with(client, &[]).code()).collect();
    assert_eq!(codes, [200, 200, 508]);
    assert_eq!(world.refresh(&mut clients[0], 0).code(), 200);
    assert_eq!(world.allocate_with(&mut clients[2], &[]).code(), 200);
}

#[test]
fn sixty_five_thousand_allocations_come_and_go() {
    let mut world = World::new(settings());
    let mut ids = std::collections::HashSet::new();
    for number in 0..65_536_u32 {
        let address = format!("10.{}.{}.{}:7000", number >> 16, number >> 8 & 0xff, number & 0xff);
        let mut client = Client::new(&address, "ann", "pass of ann");
        ids.insert(world.allocate(&mut client));
    }
    assert_eq!((ids.len(), world.count(), world.host.open.len()), (65_536, 65_536, 65_536));
    assert_eq!(world.server.allocations().count(), 65_536);
    world.pass(601);
    assert_eq!((world.count(), world.host.open.len()), (0, 0));
    assert!(ids.iter().all(|id| world.server.client(*id).is_none()));
    assert_eq!(world.server.poll_timeout(), None, "then there is nothing more to do");
}

#[test]
fn the_parity_asked_for_is_what_the_host_is_asked_for() {
    // The toy host would give an odd port to whoever does not ask.
    let mut world = World::new(settings());
    let port = |world: &mut World, client: &mut Client, attributes: &[Attribute]| {
        world.allocate_with(client, attributes).address(kind::XOR_RELAYED_ADDRESS).unwrap().port() % 2
    };
    assert_eq!(port(&mut world, &mut ann(), &[]), 1, "{:?}", Parity::Any);
    assert_eq!(port(&mut world, &mut bob(), &[(kind::EVEN_PORT, vec![0x7f])]), 0, "other flags mean nothing");
}
