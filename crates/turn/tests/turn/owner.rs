//! The owner: it is asked, it decides, it kicks, it drains, and it says that a connection is closed.

use peerline_turn::{FreeReason, QuestionId, Settings, TurnEvent, Verdict};
use peerline_wire::stun::{Method, kind};

use crate::client::{Client, UDP};
use crate::world::{Came, World, ann, bob, learn, settings};

fn asking() -> World {
    World::new(Settings { asks_owner: true, ..settings() })
}

/// Sends an Allocate, and gives the question that comes of it.
fn ask(world: &mut World, client: &mut Client) -> (QuestionId, Vec<u8>) {
    if client.nonce.is_empty() {
        world.introduce(client);
    }
    let message = client.sealed(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]);
    match world.send(client.tuple, &message) {
        Came::Question(question) => {
            assert_eq!(*question.username, *client.username);
            (question.id, message)
        }
        other => panic!("no question but {other:?}"),
    }
}

#[test]
fn the_owner_is_asked_before_an_allocation_is_made() {
    let mut world = asking();
    let mut ann = Client { has_fingerprint: true, ..ann() };
    let (question, message) = ask(&mut world, &mut ann);
    assert_eq!((world.count(), world.host.open.len()), (0, 0));
    assert_eq!(world.send(ann.tuple, &message), Came::Nothing, "asked again, the client waits");
    let (tuple, answer) = world.decide(question, Verdict::Allow).unwrap();
    assert_eq!((tuple, answer.code(), world.count()), (ann.tuple, 200, 1));
    answer.assert_is_for(&ann);
    assert_eq!(world.answer(ann.tuple, &message), answer, "the answer was lost");
    assert_eq!(world.decide(question, Verdict::Allow), None, "a question is answered once");
    assert_eq!(world.count(), 1);
    assert_eq!(world.refresh(&mut ann, 600).code(), 200, "nothing else is asked about");
}

#[test]
fn what_the_owner_denies_is_403() {
    let mut world = asking();
    let mut ann = ann();
    let (question, _) = ask(&mut world, &mut ann);
    let (tuple, answer) = world.decide(question, Verdict::Deny).unwrap();
    assert_eq!((tuple, answer.code(), world.count(), world.host.open.len()), (ann.tuple, 403, 0, 0));
    answer.assert_is_for(&ann);
}

#[test]
fn only_who_could_get_one_is_asked_about() {
    let mut world = World::new(Settings { asks_owner: true, max_allocations: 1, ..settings() });
    let mut ann = ann();
    assert_eq!(world.request(&mut ann, Method::ALLOCATE, &[]).code(), 400);
    let (question, _) = ask(&mut world, &mut ann);
    world.decide(question, Verdict::Allow);
    assert_eq!(world.allocate_with(&mut bob(), &[]).code(), 508);
}

#[test]
fn who_is_not_decided_about_in_time_may_ask_again() {
    let mut world = asking();
    let mut ann = ann();
    let (question, message) = ask(&mut world, &mut ann);
    world.pass(10);
    assert_eq!(world.decide(question, Verdict::Allow), None);
    assert_eq!((world.count(), world.server.poll_timeout()), (0, None));
    let Came::Question(again) = world.send(ann.tuple, &message) else { panic!() };
    assert_ne!(again.id, question);
    assert_eq!(world.decide(again.id, Verdict::Allow).unwrap().1.code(), 200);
}

#[test]
fn what_has_changed_in_between_counts() {
    // Somebody else has taken the last place.
    let mut world = World::new(Settings { asks_owner: true, max_allocations: 1, ..settings() });
    let (mut ann, mut bob) = (ann(), bob());
    let (of_ann, of_bob) = (ask(&mut world, &mut ann).0, ask(&mut world, &mut bob).0);
    assert_eq!(world.decide(of_ann, Verdict::Allow).unwrap().1.code(), 200);
    assert_eq!(world.decide(of_bob, Verdict::Allow).unwrap().1.code(), 508);

    // The client has got one meanwhile, by another request.
    let mut world = asking();
    let (question, _) = ask(&mut world, &mut ann);
    world.reload(settings());
    world.allocate(&mut ann);
    assert_eq!(world.decide(question, Verdict::Allow).unwrap().1.code(), 437);
    assert_eq!((world.count(), world.host.open.len()), (1, 1));

    // The client is gone.
    let mut world = asking();
    let (question, _) = ask(&mut world, &mut bob);
    world.server.client_gone(bob.tuple, &mut world.host);
    assert_eq!(world.decide(question, Verdict::Allow), None);
    assert_eq!(world.count(), 0);

    // The password is another one.
    let mut world = asking();
    let (question, _) = ask(&mut world, &mut bob);
    world.reload(Settings {
        users: vec![peerline_turn::User { name: "bob".into(), password: "new".into() }],
        ..settings()
    });
    assert_eq!(world.decide(question, Verdict::Allow).unwrap().1.code(), 401);
    assert_eq!(world.count(), 0);
}

#[test]
fn a_nonce_that_grew_old_while_the_owner_thought_is_told_so() {
    for verdict in [Verdict::Allow, Verdict::Deny] {
        let mut world = asking();
        let mut ann = ann();
        world.introduce(&mut ann);
        world.skip(3599);
        let (question, _) = ask(&mut world, &mut ann);
        world.skip(2);
        let (_, answer) = world.decide(question, verdict).unwrap();
        assert_eq!((answer.code(), world.count()), (438, 0));
        learn(&mut ann, &answer);
        ask(&mut world, &mut ann);
    }
}

#[test]
fn the_denied_user_may_have_an_allocation_from_before() {
    let mut world = asking();
    let mut ann = ann();
    let (question, _) = ask(&mut world, &mut ann);
    world.reload(settings());
    let id = world.allocate(&mut ann);
    world.decide(question, Verdict::Deny);
    assert_eq!(world.server.find(&ann.tuple), Some(id));
}

#[test]
fn questions_are_bounded() {
    let mut world = asking();
    let mut asked = 0;
    for port in 1..2000 {
        let mut client = Client::new(&format!("198.51.100.1:{port}"), "ann", "pass of ann");
        world.introduce(&mut client);
        let message = client.sealed(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]);
        asked += u32::from(world.send(client.tuple, &message) != Came::Nothing);
    }
    assert_eq!(asked, 1024);
    let mut bob = bob();
    world.pass(10);
    world.introduce(&mut bob);
    let long = [(UDP.0, UDP.1.to_vec()), (0xc000, vec![0; 4000])];
    let message = bob.sealed(Method::ALLOCATE, &long);
    assert_eq!(world.send(bob.tuple, &message), Came::Nothing, "nor is anything long kept");
    ask(&mut world, &mut bob);
}

#[test]
fn who_is_kicked_is_gone() {
    let mut world = World::new(settings());
    let mut ann = ann();
    let id = world.allocate(&mut ann);
    world.events();
    assert!(world.server.kick(id, &mut world.host));
    assert!(matches!(world.events()[..], [TurnEvent::Freed { why: FreeReason::Kicked, .. }]));
    assert_eq!((world.count(), world.host.open.len()), (0, 0));
    assert!(!world.server.kick(id, &mut world.host));
    assert_eq!(world.refresh(&mut ann, 600).code(), 437);
}

#[test]
fn an_allocation_goes_with_its_connection() {
    let mut world = World::new(settings());
    let (mut ann, mut bob) = (ann(), bob());
    world.allocate(&mut ann);
    world.allocate(&mut bob);
    world.events();
    world.server.client_gone(ann.tuple, &mut world.host);
    world.server.client_gone(ann.tuple, &mut world.host);
    assert!(matches!(world.events()[..], [TurnEvent::Freed { why: FreeReason::Disconnected, .. }]));
    assert_eq!((world.count(), world.host.open.len()), (1, 1));
}

#[test]
fn a_server_that_drains_lets_nobody_in_and_nobody_down() {
    let mut world = World::new(settings());
    let (mut ann, mut bob) = (ann(), bob());
    world.introduce(&mut ann);
    let message = ann.sealed(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]);
    let first = world.answer(ann.tuple, &message);
    world.server.drain();
    assert_eq!(world.answer(ann.tuple, &message), first, "it has been let in already");
    assert_eq!(world.allocate_with(&mut bob, &[]).code(), 508);
    assert_eq!((world.refresh(&mut ann, 600).code(), world.permit(&mut ann, &["8.8.8.8:1"])), (200, 200));
    assert_eq!((world.bind(&mut ann, 0x4000, "8.8.8.8:5000"), world.count()), (200, 1));
}

#[test]
fn a_server_that_drains_can_say_where_else_to_go() {
    for (text, value) in [
        ("203.0.113.9:3478", vec![0, 1, 0x0d, 0x96, 203, 0, 113, 9]),
        ("[2001:db8::9]:3478", [vec![0, 2, 0x0d, 0x96, 0x20, 1, 0x0d, 0xb8], vec![0; 11], vec![9]].concat()),
    ] {
        let mut world = World::new(Settings { alternate: Some(text.parse().unwrap()), ..settings() });
        world.allocate(&mut ann());
        world.server.drain();
        let answer = world.allocate_with(&mut bob(), &[]);
        assert_eq!((answer.code(), answer.value(kind::ALTERNATE_SERVER)), (300, Some(&value[..])));
    }
}
