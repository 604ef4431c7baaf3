//! What the server gives to whom it does not know: little, seldom, and no memory of it.

use peerline_turn::{RateLimit, Settings};
use peerline_wire::stun::{Method, kind};

use crate::client::{Client, UDP};
use crate::draft::Draft;
use crate::world::{Came, World, ann, settings};

const METHODS: [Method; 4] = [Method::ALLOCATE, Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND];

#[test]
fn a_binding_answer_is_the_smallest_there_is() {
    let mut world = World::new(settings());
    let message = ann().bare(Method::BINDING, &[]);
    assert_eq!(message.len(), 20);
    let answer = world.answer(ann().tuple, &message);
    assert_eq!((answer.0.len(), answer.address(kind::XOR_MAPPED_ADDRESS)), (32, Some(ann().tuple.client)));
    let six = Client::new("[2001:db8::1]:4001", "ann", "");
    assert_eq!(world.answer(six.tuple, &message).0.len(), 44);
    let mapped = Client::new("[::ffff:198.51.100.1]:4001", "ann", "");
    assert_eq!(world.answer(mapped.tuple, &message), answer);
    assert_eq!(world.server.counters().bindings, 3);
}

#[test]
fn no_answer_to_a_stranger_is_longer_than_allowed() {
    for realm in ["a", "example.org", "turn.example.org", &"long".repeat(30)] {
        let mut world = World::new(Settings { realm: realm.to_owned(), ..settings() });
        for method in METHODS {
            for has_fingerprint in [false, true] {
                for padding in (0..300).step_by(4) {
                    let mut draft = Draft::request(method, [3; 12]);
                    if padding >= 4 {
                        draft = draft.with(0x8022, vec![b' '; padding - 4]);
                    }
                    let message = if has_fingerprint { draft.fingerprint().bytes() } else { draft.bytes() };
                    let answer = world.answer(ann().tuple, &message);
                    assert!(answer.0.len() * 10 <= message.len() * 36, "{} to {}", answer.0.len(), message.len());
                    if message.len() < 28 {
                        assert!(answer.0.len() <= 72, "{} to {}", answer.0.len(), message.len());
                        assert_eq!(answer.value(kind::PASSWORD_ALGORITHMS), None);
                    }
                }
            }
        }
    }
}

#[test]
fn the_shortest_allocate_of_a_real_client_is_told_all() {
    let mut world = World::new(Settings { realm: "turn.example.org".to_owned(), ..settings() });
    let message = ann().bare(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]);
    assert_eq!(message.len(), 28);
    let answer = world.answer(ann().tuple, &message);
    assert_eq!(answer.code(), 401);
    assert!(answer.value(kind::PASSWORD_ALGORITHMS).is_some());
}

#[test]
fn every_refusal_of_a_stranger_is_within_bounds_with_credentials_too() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.introduce(&mut ann);
    let key = ann.key();
    let drafts = [
        Draft::request(Method::ALLOCATE, [1; 12]).seal_sha1(&key),
        Draft::request(Method::ALLOCATE, [1; 12]).seal_sha256(&key),
        Draft::request(Method::ALLOCATE, [1; 12]).with(kind::MESSAGE_INTEGRITY, []),
        Draft::request(Method::ALLOCATE, [1; 12]).with(kind::USERNAME, "ann").with(kind::MESSAGE_INTEGRITY, []),
        ann.signed(Method::ALLOCATE, &[]).seal_sha1(b"wrong"),
        ann.signed(Method::ALLOCATE, &[]).with(kind::MESSAGE_INTEGRITY, []),
        ann.signed(Method::ALLOCATE, &[]).with(kind::MESSAGE_INTEGRITY_SHA256, [0; 36]),
    ];
    for draft in drafts {
        for message in [draft.clone().bytes(), draft.fingerprint().bytes()] {
            let answer = world.answer(ann.tuple, &message);
            assert!(answer.0.len() * 10 <= message.len() * 36, "{} to {}", answer.0.len(), message.len());
            assert!(!answer.is_sealed());
        }
    }
}

#[test]
fn what_is_not_a_clean_request_is_met_with_silence() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.introduce(&mut ann);
    let good = ann.sealed(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]);
    let changed = |position: usize, value: u8| {
        let mut message = good.clone();
        message[position] = value;
        message
    };
    let silent: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("one byte", vec![0]),
        ("19 bytes", good[..19].to_vec()),
        ("a cut message", good[..good.len() - 4].to_vec()),
        ("a message and more", [&good[..], &[0; 4]].concat()),
        ("another cookie", changed(4, 0x22)),
        ("a length that is no multiple of four", changed(3, good[3] + 1)),
        ("a length past the end", changed(3, good[3] + 4)),
        ("an attribute past the end", changed(23, 0xff)),
        ("ChannelData", vec![0x40, 0, 0, 4, 1, 2, 3, 4]),
        ("RTP", [&[0x80, 0x60][..], &good[2..]].concat()),
        ("a success response", changed(0, 1)),
        ("an error response", [&[0x01, 0x13][..], &good[2..]].concat()),
        ("an Allocate indication", [&[0x00, 0x13][..], &good[2..]].concat()),
        ("a Data indication", [&[0x00, 0x17][..], &good[2..]].concat()),
        ("a Send request", [&[0x00, 0x06][..], &good[2..]].concat()),
        ("a method of nobody", [&[0x00, 0x0f][..], &good[2..]].concat()),
        ("a TCP Connect", [&[0x00, 0x0a][..], &good[2..]].concat()),
        ("a wrong FINGERPRINT", Draft::request(Method::ALLOCATE, [1; 12]).with(kind::FINGERPRINT, [0; 4]).bytes()),
        ("a short FINGERPRINT", Draft::request(Method::ALLOCATE, [1; 12]).with(kind::FINGERPRINT, [0; 3]).bytes()),
        (
            "a FINGERPRINT in the middle",
            Draft::request(Method::BINDING, [1; 12]).fingerprint().with(0x8022, "x").bytes(),
        ),
        ("a Binding response", Draft::new(0x100, Method::BINDING, [1; 12]).bytes()),
        ("a Binding indication", Draft::new(0x010, Method::BINDING, [1; 12]).bytes()),
    ];
    let count = silent.len() as u64;
    for (what, message) in silent {
        assert_eq!(world.send(ann.tuple, &message), Came::Nothing, "{what}");
    }
    let counters = world.server.counters();
    assert_eq!(counters.malformed + counters.unserved, count, "each is counted once");
    assert_eq!((world.count(), world.host.open.len()), (0, 0));
    assert_eq!(world.answer(ann.tuple, &good).code(), 200);
}

#[test]
fn strangers_are_not_remembered() {
    let mut world = World::new(settings());
    for number in 0..10_000_u32 {
        let address = format!("10.0.{}.{}:5000", number >> 8, number & 0xff);
        let mut client = Client::new(&address, "ann", "");
        let message = client.bare(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]);
        assert_eq!(world.answer(client.tuple, &message).code(), 401);
    }
    assert_eq!((world.count(), world.host.open.len(), world.events().len()), (0, 0, 0));
    assert_eq!(world.server.poll_timeout(), None);
}

#[test]
fn answers_to_one_source_have_a_limit_that_those_we_know_do_not_feel() {
    let answers = Some(RateLimit { per_second: 10, burst: 20 });
    let mut world = World::new(Settings { answers, ..settings() });
    let mut ann = ann();
    world.allocate(&mut ann); // the first of the twenty
    let bare = ann.bare(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]);
    let binding = ann.bare(Method::BINDING, &[]);
    let neighbour = Client::new("198.51.100.1:9999", "ann", "");
    let mut answered = 0;
    for round in 0..200 {
        let (tuple, message) = if round % 2 == 0 { (ann.tuple, &bare) } else { (neighbour.tuple, &binding) };
        answered += u32::from(world.send(tuple, message) != Came::Nothing);
    }
    assert_eq!((answered, world.server.counters().rate_limited), (19, 181));
    assert_eq!(world.refresh(&mut ann, 600).code(), 200);
    assert_eq!(world.permit(&mut ann, &["127.0.0.1:1"]), 403, "errors for those we know are not counted");
    world.pass(1);
    let answered = (0..200).filter(|_| world.send(ann.tuple, &bare) != Came::Nothing).count();
    assert_eq!(answered, 10);
    let other = Client::new("198.51.100.77:1", "ann", "");
    assert_ne!(world.send(other.tuple, &bare), Came::Nothing, "another source has its own");
}
