//! Mobility (RFC 8016): an allocation follows its client to another address, and nobody else.

use peerline_turn::{AllocationId, FiveTuple, PeerRoute, Quotas, RelayId, Settings, Transport};
use peerline_wire::stun::{Method, kind};

use crate::answer::Answer;
use crate::client::Client;
use crate::draft::Attribute;
use crate::world::{PEER, World, ann, bob, guest, rest_settings, settings};

fn mobile() -> World {
    World::new(Settings { mobility: true, ..settings() })
}

fn ticket(value: &[u8]) -> Attribute {
    (kind::MOBILITY_TICKET, value.to_vec())
}

/// An allocation that can be moved, and its ticket.
fn allocate(world: &mut World, client: &mut Client) -> (AllocationId, Vec<u8>) {
    let answer = world.allocate_with(client, &[ticket(&[])]);
    assert_eq!(answer.code(), 200);
    (world.server.find(&client.tuple).unwrap(), answer.value(kind::MOBILITY_TICKET).unwrap().to_vec())
}

/// The same client at another address, where it has no nonce yet.
fn moved(client: &Client, port: u16) -> Client {
    let to = FiveTuple { client: format!("203.0.113.50:{port}").parse().unwrap(), ..client.tuple };
    Client { tuple: to, nonce: Vec::new(), ..client.clone() }
}

fn resume(world: &mut World, client: &mut Client, shown: &[u8]) -> Answer {
    world.request(client, Method::REFRESH, &[ticket(shown)])
}

#[test]
fn where_it_is_off_nobody_gets_a_ticket() {
    let mut world = World::new(settings());
    assert_eq!(world.allocate_with(&mut ann(), &[ticket(&[])]).code(), 405);
    assert_eq!(resume(&mut world, &mut ann(), &[0; 24]).code(), 405);
    assert_eq!((world.count(), world.host.open.len()), (0, 0));
}

#[test]
fn who_does_not_ask_gets_no_ticket() {
    let mut world = mobile();
    let answer = world.allocate_with(&mut ann(), &[]);
    assert_eq!((answer.code(), answer.value(kind::MOBILITY_TICKET)), (200, None));
    assert_eq!(world.allocate_with(&mut bob(), &[ticket(b"mine")]).code(), 400);
}

#[test]
fn an_allocation_follows_its_client_with_all_that_it_has() {
    let mut world = mobile();
    let mut here = ann();
    let (id, first) = allocate(&mut world, &mut here);
    assert_eq!(world.bind(&mut here, 0x4000, PEER), 200);
    let mut there = moved(&here, 1);
    let answer = resume(&mut world, &mut there, &first);
    assert_eq!((answer.code(), answer.number(kind::LIFETIME)), (200, Some(600)));
    let second = answer.value(kind::MOBILITY_TICKET).unwrap().to_vec();
    assert_ne!(first, second);

    assert_eq!((world.server.find(&there.tuple), world.server.find(&here.tuple)), (Some(id), None));
    assert_eq!((world.server.client(id), world.count(), world.host.open.len()), (Some(there.tuple), 1, 1));
    assert!(world.server.channel(id, 0x4000).is_some());
    assert_eq!(world.server.peer(id, RelayId(1), PEER.parse().unwrap()), PeerRoute::Channel(0x4000));
    assert_eq!(world.refresh(&mut here, 0).code(), 437, "from the old address nothing can be done");
    assert_eq!(world.permit(&mut there, &[PEER]), 200);

    let mut further = Client { tuple: FiveTuple { transport: Transport::Tls, ..there.tuple }, ..moved(&there, 2) };
    assert_eq!(resume(&mut world, &mut further, &second).code(), 200);
    assert_eq!((world.server.client(id), world.count()), (Some(further.tuple), 1));
    world.pass(601);
    assert_eq!((world.count(), world.host.open.len()), (0, 0));
    assert_eq!(resume(&mut world, &mut moved(&here, 3), &second).code(), 400, "it has ended");
}

#[test]
fn a_ticket_is_good_once() {
    let mut world = mobile();
    let mut here = ann();
    let (id, first) = allocate(&mut world, &mut here);
    let mut there = moved(&here, 1);
    assert_eq!(resume(&mut world, &mut there, &first).code(), 200);
    for port in 2..20 {
        assert_eq!(resume(&mut world, &mut moved(&here, port), &first).code(), 400);
    }
    assert_eq!((world.server.find(&there.tuple), world.count(), world.host.open.len()), (Some(id), 1, 1));
}

#[test]
fn when_the_answer_is_lost_the_same_request_gets_the_ticket_again() {
    let mut world = mobile();
    let mut here = ann();
    let (_, first) = allocate(&mut world, &mut here);
    let mut there = moved(&here, 1);
    world.introduce(&mut there);
    let message = there.sealed(Method::REFRESH, &[ticket(&first)]);
    let answer = world.answer(there.tuple, &message);
    assert_eq!(answer.code(), 200);
    assert_eq!(world.answer(there.tuple, &message), answer);
}

#[test]
fn tickets_of_others_and_made_up_ones_are_worth_nothing() {
    let mut world = mobile();
    let mut here = ann();
    let (id, shown) = allocate(&mut world, &mut here);
    let mut thief = bob();
    assert_eq!(resume(&mut world, &mut thief, &shown).code(), 441);
    thief.username = "ann".into();
    thief.nonce.clear();
    world.introduce(&mut thief);
    let message = thief.sealed(Method::REFRESH, &[ticket(&shown)]);
    assert_eq!(world.answer(thief.tuple, &message).code(), 401, "without the password");
    for index in 0..shown.len() {
        let mut forged = shown.clone();
        forged[index] ^= 1;
        assert_eq!(resume(&mut world, &mut moved(&here, 1), &forged).code(), 400, "{index}");
    }
    for forged in [&[][..], &[0; 24], &shown[..23], &[&shown[..], &[0]].concat()] {
        assert_eq!(resume(&mut world, &mut moved(&here, 1), forged).code(), 400);
    }
    assert_eq!((world.server.find(&here.tuple), world.count()), (Some(id), 1), "it is where it was");
    assert_eq!(resume(&mut world, &mut moved(&here, 1), &shown).code(), 200, "and the ticket is still good");
}

#[test]
fn a_request_that_is_refused_moves_nothing() {
    let mut world = mobile();
    let mut here = ann();
    let (id, shown) = allocate(&mut world, &mut here);
    let refused: [(u16, Attribute); 3] = [
        (420, (0x7fff, vec![])),
        (443, (kind::REQUESTED_ADDRESS_FAMILY, vec![2, 0, 0, 0])),
        (400, (kind::LIFETIME, vec![0; 3])),
    ];
    for (code, attribute) in refused {
        let mut there = moved(&here, 1);
        let answer = world.request(&mut there, Method::REFRESH, &[ticket(&shown), attribute]);
        assert_eq!((answer.code(), world.server.find(&there.tuple)), (code, None));
        assert_eq!(world.server.find(&here.tuple), Some(id));
    }
    assert_eq!(resume(&mut world, &mut moved(&here, 1), &shown).code(), 200);
}

#[test]
fn it_can_be_ended_from_a_new_address() {
    let mut world = mobile();
    let mut here = ann();
    let (_, shown) = allocate(&mut world, &mut here);
    let end = [ticket(&shown), (kind::LIFETIME, vec![0; 4])];
    let answer = world.request(&mut moved(&here, 1), Method::REFRESH, &end);
    assert_eq!((answer.code(), answer.value(kind::MOBILITY_TICKET)), (200, None));
    assert_eq!((world.count(), world.host.open.len()), (0, 0));
}

#[test]
fn a_broken_connection_may_come_back() {
    let mut world = mobile();
    let tcp = FiveTuple { transport: Transport::Tcp, ..ann().tuple };
    let mut here = Client { tuple: tcp, ..ann() };
    let (id, shown) = allocate(&mut world, &mut here);
    world.server.client_gone(tcp, &mut world.host);
    assert_eq!((world.server.find(&tcp), world.count(), world.host.open.len()), (None, 1, 1));

    // Meanwhile the same 5-tuple is used again, for another allocation.
    let mut other = Client { nonce: Vec::new(), ..here.clone() };
    let newer = world.allocate(&mut other);
    assert_eq!(world.server.client(id), None, "whoever has it now hears nothing of what comes for the first");
    assert_eq!(world.server.client(newer), Some(tcp));
    let mut there = moved(&here, 1);
    assert_eq!(resume(&mut world, &mut there, &shown).code(), 200);
    assert_eq!((world.server.find(&tcp), world.server.find(&there.tuple)), (Some(newer), Some(id)));
    assert_eq!(world.refresh(&mut there, 0).code(), 200);
    assert_eq!((world.server.find(&tcp), world.count()), (Some(newer), 1));
}

#[test]
fn who_does_not_come_back_is_forgotten_in_time() {
    let mut world = mobile();
    let mut here = ann();
    let (old, _) = allocate(&mut world, &mut here);
    world.server.client_gone(here.tuple, &mut world.host);
    let newer = world.allocate(&mut here);
    world.pass(300);
    assert_eq!(world.refresh(&mut here, 600).code(), 200);
    world.pass(301);
    assert_eq!(world.server.client(old), None);
    assert_eq!((world.server.find(&here.tuple), world.count(), world.host.open.len()), (Some(newer), 1, 1));
}

#[test]
fn an_allocation_that_moves_or_waits_still_counts() {
    let quotas = Quotas { allocations: 1, ..Quotas::default() };
    let mut world = World::new(Settings { mobility: true, quotas, ..rest_settings() });
    let carl = |port| guest("carl", &format!("198.51.100.3:{port}"), 10_000);
    let mut here = carl(1);
    let (_, shown) = allocate(&mut world, &mut here);
    world.server.client_gone(here.tuple, &mut world.host);
    assert_eq!(world.allocate_with(&mut carl(2), &[]).code(), 486);
    let mut there = moved(&here, 1);
    assert_eq!(resume(&mut world, &mut there, &shown).code(), 200);
    for port in 3..9 {
        assert_eq!(world.allocate_with(&mut carl(port), &[]).code(), 486);
    }
    assert_eq!(world.refresh(&mut there, 0).code(), 200);
    world.allocate(&mut carl(9));
}

#[test]
fn expired_credentials_still_move_what_they_have() {
    let mut world = World::new(Settings { mobility: true, ..rest_settings() });
    let mut here = guest("carl", "198.51.100.3:1", 100);
    let (id, shown) = allocate(&mut world, &mut here);
    world.pass(200);
    let mut there = moved(&here, 1);
    assert_eq!(resume(&mut world, &mut there, &shown).code(), 200);
    assert_eq!(world.server.find(&there.tuple), Some(id));
}
