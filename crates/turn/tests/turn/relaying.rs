//! Send and Data indications (RFC 8656 §11), what names that are no longer good do, and what is counted.

use std::net::SocketAddr;

use peerline_turn::{AllocationId, Direction, FreeReason, PeerRoute, RelayId, TurnEvent, Usage};
use peerline_wire::stun::{Class, Message, Method, decode_xor_address, kind};

use crate::client::Client;
use crate::draft::{Draft, INDICATION};
use crate::world::{Came, PEER, World, ann, settings};

fn permitted() -> (World, Client, AllocationId) {
    let mut world = World::new(settings());
    let mut ann = ann();
    let id = world.allocate(&mut ann);
    assert_eq!(world.permit(&mut ann, &[PEER]), 200);
    (world, ann, id)
}

#[test]
fn a_send_indication_becomes_a_datagram() {
    let (mut world, mut ann, id) = permitted();
    for data in [&b""[..], b"a", b"four", &[0xab; 1200]] {
        for has_fingerprint in [false, true] {
            ann.has_fingerprint = has_fingerprint;
            let message = ann.send_indication(PEER, data);
            let (peer, data, dont_fragment) = (PEER.to_owned(), data.to_vec(), false);
            let forward = Came::Forward { allocation: id, relay: 1, peer, data, dont_fragment };
            assert_eq!(world.send(ann.tuple, &message), forward);
        }
    }
}

#[test]
fn a_send_indication_that_is_not_right_is_dropped_in_silence() {
    let (mut world, mut ann, _) = permitted();
    let good = ann.peers(&[PEER])[0].clone();
    let data = (kind::DATA, b"x".to_vec());
    let cases = [
        vec![good.clone()],
        vec![data.clone()],
        vec![good.clone(), good.clone(), data.clone()],
        vec![(kind::XOR_PEER_ADDRESS, vec![0, 1]), data.clone()],
        vec![good.clone(), data.clone(), (0x7fff, vec![])],
        vec![good.clone(), data.clone(), (kind::DONT_FRAGMENT, vec![])], // which this host cannot do
    ];
    for attributes in cases {
        let message = Draft::new(INDICATION, Method::SEND, [0; 12]).with_all(&attributes).bytes();
        assert_eq!(world.send(ann.tuple, &message), Came::Nothing, "{attributes:?}");
    }
    for peer in ["8.8.8.9:5000", "8.8.8.8:0", "8.8.8.8:53", "127.0.0.1:5000"] {
        let message = ann.send_indication(peer, b"x");
        assert_eq!(world.send(ann.tuple, &message), Came::Nothing, "{peer}");
    }
    let message = ann.send_indication(PEER, b"x");
    let stranger = crate::world::bob().tuple;
    assert_eq!(world.send(stranger, &message), Came::Nothing, "of somebody without an allocation");
}

#[test]
fn a_host_that_can_forbid_fragments_is_told_to() {
    let (mut world, ann, id) = permitted();
    world.host.can_forbid_fragments = true;
    let attributes = [ann.peers(&[PEER])[0].clone(), (kind::DONT_FRAGMENT, vec![]), (kind::DATA, b"x".to_vec())];
    let message = Draft::new(INDICATION, Method::SEND, [0; 12]).with_all(&attributes).bytes();
    let (peer, data) = (PEER.to_owned(), b"x".to_vec());
    let forward = Came::Forward { allocation: id, relay: 1, peer, data, dont_fragment: true };
    assert_eq!(world.send(ann.tuple, &message), forward);
}

#[test]
fn a_data_indication_says_who_has_sent_what() {
    let mut world = World::new(settings());
    let mut transactions = std::collections::HashSet::new();
    for peer in ["8.8.8.8:5000", "[2606:4700::1]:1"] {
        let peer: SocketAddr = peer.parse().unwrap();
        for len in [0, 1, 2, 3, 4, 1199, 1200, 1500, 65_000] {
            let data = vec![0xcd; len];
            let mut head = [0xff; 64];
            let head_len = world.server.write_data_indication(peer, len, &mut head);
            let mut bytes = [&head[..head_len], &data].concat();
            bytes.resize(head_len + len.next_multiple_of(4), 0);
            let message = Message::parse(&bytes).unwrap();
            assert_eq!((message.class, message.method), (Class::Indication, Method::DATA));
            let from = message.attribute(kind::XOR_PEER_ADDRESS).unwrap().value;
            assert_eq!(decode_xor_address(from, message.transaction), Some(peer));
            assert_eq!(message.attribute(kind::DATA).unwrap().value, data);
            assert_eq!(message.attributes().count(), 2);
            assert!(transactions.insert(message.transaction));
        }
    }
}

#[test]
fn a_name_that_is_no_longer_good_does_nothing() {
    let (mut world, mut ann, old) = permitted();
    world.bind(&mut ann, 0x4000, PEER);
    assert_eq!(world.refresh(&mut ann, 0).code(), 200);
    let new = world.allocate(&mut ann);
    assert_eq!(world.bind(&mut ann, 0x4000, PEER), 200);
    world.events();
    for stale in [old, AllocationId::from_bits(0), AllocationId::from_bits(u64::MAX), AllocationId::from_bits(1 << 32)]
    {
        assert_eq!(world.server.client(stale), None);
        assert_eq!(world.server.channel(stale, 0x4000), None);
        assert_eq!(world.server.peer(stale, RelayId(1), PEER.parse().unwrap()), PeerRoute::Dropped);
        assert!(!world.server.admit(world.now.instant, stale, 1, 1));
        world.server.count_relayed(stale, Direction::Up, 1, 1);
        assert!(!world.server.kick(stale, &mut world.host));
    }
    assert_eq!((world.count(), world.events()), (1, vec![]));
    assert_eq!(world.server.allocations().next().unwrap().usage, Usage::default());
    assert_eq!(AllocationId::from_bits(new.to_bits()), new);
}

#[test]
fn what_was_relayed_is_told_while_it_lives_and_when_it_ends() {
    let (mut world, mut ann, id) = permitted();
    world.server.count_relayed(id, Direction::Up, 3, 300);
    world.server.count_relayed(id, Direction::Down, 2, u32::MAX);
    world.server.count_relayed(id, Direction::Down, 2, u32::MAX);
    world.pass(100);
    let usage = Usage { packets_up: 3, bytes_up: 300, packets_down: 4, bytes_down: 2 * u64::from(u32::MAX) };
    let view = world.server.allocations().next().unwrap();
    assert_eq!((&*view.username, view.tuple, view.usage), ("ann", ann.tuple, usage));
    assert_eq!((view.age_s, view.left_s, view.permissions, view.channels), (100, 500, 1, 0));
    assert_eq!(view.relayed, ["198.18.0.1:49153".parse().unwrap()]);
    world.events();
    world.refresh(&mut ann, 0);
    let freed = TurnEvent::Freed { id, username: "ann".into(), why: FreeReason::Released, usage };
    assert_eq!(world.events(), [freed]);
}
