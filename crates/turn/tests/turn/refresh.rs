//! Refresh (RFC 8656 §8).

use peerline_turn::{FreeReason, Settings, TurnEvent, Usage};
use peerline_wire::stun::{Method, kind};

use crate::draft::Attribute;
use crate::world::{Came, World, ann, settings};

#[test]
fn an_allocation_ends_when_it_is_not_refreshed() {
    let mut world = World::new(settings());
    let mut ann = ann();
    let id = world.allocate(&mut ann);
    world.pass(599);
    assert_eq!(world.server.find(&ann.tuple), Some(id));
    world.pass(2);
    assert_eq!((world.server.find(&ann.tuple), world.count(), world.host.open.len()), (None, 0, 0));
    let why = FreeReason::Expired;
    let freed = TurnEvent::Freed { id, username: "ann".into(), why, usage: Usage::default() };
    assert_eq!(world.events()[1..], [freed]);
    assert_eq!(world.refresh(&mut ann, 600).code(), 437);
}

#[test]
fn a_refresh_makes_it_longer_within_the_limits() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.allocate(&mut ann);
    for (asked, granted) in [(1, 600), (900, 900), (3600, 3600), (1_000_000, 3600)] {
        assert_eq!(world.refresh(&mut ann, asked).number(kind::LIFETIME), Some(granted));
    }
    let answer = world.request(&mut ann, Method::REFRESH, &[]);
    assert_eq!(answer.number(kind::LIFETIME), Some(600), "the default, although it had longer");
    for _ in 0..20 {
        world.pass(500);
        assert_eq!(world.refresh(&mut ann, 600).code(), 200);
        world.introduce(&mut ann); // before its nonce grows old
    }
    world.pass(601);
    assert_eq!(world.count(), 0);
}

#[test]
fn a_shorter_lifetime_counts_as_well() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.allocate(&mut ann);
    world.refresh(&mut ann, 3600);
    world.refresh(&mut ann, 600);
    world.pass(601);
    assert_eq!((world.count(), world.host.open.len()), (0, 0));
}

#[test]
fn lifetime_0_ends_it_at_once() {
    let mut world = World::new(settings());
    let mut ann = ann();
    let id = world.allocate(&mut ann);
    let answer = world.refresh(&mut ann, 0);
    assert_eq!((answer.code(), answer.number(kind::LIFETIME)), (200, Some(0)));
    assert_eq!((world.server.find(&ann.tuple), world.server.client(id), world.host.open.len()), (None, None, 0));
    assert!(matches!(world.events()[1], TurnEvent::Freed { why: FreeReason::Released, .. }));
    let again = world.allocate(&mut ann);
    assert_ne!(again, id, "the old name names nothing");
    world.pass(300);
    assert_eq!(world.server.find(&ann.tuple), Some(again), "the old one's deadline is not the new one's");
}

#[test]
fn nonsense_is_400_and_changes_nothing() {
    let mut world = World::new(Settings { ..settings() });
    let mut ann = ann();
    world.allocate(&mut ann);
    let refused: [(u16, Attribute); 6] = [
        (400, (kind::LIFETIME, vec![])),
        (400, (kind::LIFETIME, vec![0; 3])),
        (400, (kind::LIFETIME, vec![0; 5])),
        (443, (kind::REQUESTED_ADDRESS_FAMILY, vec![2, 0, 0, 0])),
        (443, (kind::REQUESTED_ADDRESS_FAMILY, vec![])),
        (420, (0x7fff, vec![])),
    ];
    for (code, attribute) in refused {
        let answer = world.request(&mut ann, Method::REFRESH, std::slice::from_ref(&attribute));
        assert_eq!(answer.code(), code, "{attribute:?}");
    }
    assert_eq!(world.count(), 1);
    let indication = crate::draft::Draft::new(crate::draft::INDICATION, Method::REFRESH, [0; 12])
        .with(kind::LIFETIME, [0; 4])
        .bytes();
    assert_eq!((world.send(ann.tuple, &indication), world.count()), (Came::Nothing, 1));
}
