//! Long-term credentials (RFC 8489 §9.2): who is let in, and how nobody on the way weakens it.

use peerline_turn::{FiveTuple, NonceKeys, Secret, Settings, Transport, User, rest_password};
use peerline_wire::stun::{Method, kind};

use crate::client::{Client, Integrity, Password, UDP};
use crate::draft::Attribute;
use crate::world::{SECRET, START_UNIX_S, World, ann, bob, guest, learn, rest_settings, settings};

fn udp() -> Vec<Attribute> {
    vec![(UDP.0, UDP.1.to_vec())]
}

/// Tries to allocate with these credentials and says what came of it.
fn attempt(world: &mut World, client: &mut Client) -> u16 {
    if client.nonce.is_empty() {
        world.introduce(client);
    }
    let message = client.sealed(Method::ALLOCATE, &udp());
    world.answer(client.tuple, &message).code()
}

#[test]
fn a_stranger_is_told_what_it_needs() {
    let mut world = World::new(settings());
    let mut ann = ann();
    let message = ann.bare(Method::ALLOCATE, &udp());
    let challenge = world.answer(ann.tuple, &message);
    assert_eq!((challenge.code(), challenge.is_sealed()), (401, false));
    assert_eq!(challenge.value(kind::REALM), Some(&b"example.org"[..]));
    let nonce = challenge.value(kind::NONCE).unwrap();
    assert!(nonce.starts_with(b"obMatJos2") && nonce.len() <= 128);
    assert_eq!(challenge.value(kind::PASSWORD_ALGORITHMS), Some(&[0, 2, 0, 0, 0, 1, 0, 0][..]));
}

#[test]
fn every_mixture_of_hashes_is_welcome_and_answered_in_kind() {
    for password_algorithm in [Password::Md5, Password::Sha256] {
        for integrity in [Integrity::Sha1, Integrity::Sha256] {
            for has_fingerprint in [false, true] {
                let mut world = World::new(settings());
                let mut ann = Client { password_algorithm, integrity, has_fingerprint, ..ann() };
                // `request` checks the seal and the FINGERPRINT of every answer.
                world.allocate(&mut ann);
                assert_eq!(world.permit(&mut ann, &["127.0.0.1:1"]), 403);
                assert_eq!(world.refresh(&mut ann, 0).code(), 200);
            }
        }
    }
}

#[test]
fn a_request_with_both_seals_is_judged_by_the_stronger() {
    let mut world = World::new(settings());
    let mut ann = ann().modern();
    world.introduce(&mut ann);
    let key = ann.key();
    let both = ann.signed(Method::ALLOCATE, &udp()).seal_sha1(b"wrong").seal_sha256(&key).bytes();
    let answer = world.answer(ann.tuple, &both);
    assert_eq!(answer.code(), 200);
    answer.assert_is_for(&ann);
    let other = FiveTuple { transport: Transport::Tcp, ..ann.tuple };
    let mut ann = Client { tuple: other, nonce: Vec::new(), ..ann };
    world.introduce(&mut ann);
    let weak = ann.signed(Method::ALLOCATE, &udp()).seal_sha1(&key).seal_sha256(b"wrong").bytes();
    assert_eq!(world.answer(ann.tuple, &weak).code(), 401);
}

#[test]
fn a_short_seal_is_no_seal() {
    let mut world = World::new(settings());
    let mut ann = ann().modern();
    world.introduce(&mut ann);
    let full = ann.sealed(Method::ALLOCATE, &udp());
    for len in [0, 4, 16, 20, 28, 31] {
        // The same digits, fewer of them; the length of the message that they are made over is another, too.
        let digits = full[full.len() - 32..][..len].to_vec();
        let cut = ann.signed(Method::ALLOCATE, &udp()).with(kind::MESSAGE_INTEGRITY_SHA256, digits).bytes();
        assert_eq!(world.answer(ann.tuple, &cut).code(), 401, "{len}");
    }
    assert_eq!(world.count(), 0);
}

#[test]
fn wrong_names_and_passwords_are_all_the_same_401() {
    let mut world = World::new(rest_settings());
    let soon = START_UNIX_S + 100;
    let wrong = [
        ("ann", "pass of bob"),
        ("ann", ""),
        ("carl", "pass of ann"),
        ("", ""),
        ("ann:", "pass of ann"),
        (&format!("{soon}:carl"), "guess"),
        (&format!("{soon}:carl"), &rest_password(b"another secret", &format!("{soon}:carl"))),
        (&format!("{soon}:dora"), &rest_password(SECRET, &format!("{soon}:carl"))),
    ];
    let mut len = None;
    for (name, password) in wrong {
        let mut client = Client::new("198.51.100.9:4000", name, password);
        world.introduce(&mut client);
        let message = client.sealed(Method::ALLOCATE, &udp());
        let answer = world.answer(client.tuple, &message);
        assert_eq!((answer.code(), answer.is_sealed()), (401, false), "{name}");
        assert_eq!(*len.get_or_insert(answer.0.len()), answer.0.len(), "the answer does not tell which was wrong");
    }
    assert_eq!((world.count(), world.host.open.len()), (0, 0));
}

#[test]
fn a_sealed_request_that_lacks_something_is_400() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.introduce(&mut ann);
    let all =
        [(kind::USERNAME, b"ann".to_vec()), (kind::REALM, ann.realm.clone().into()), (kind::NONCE, ann.nonce.clone())];
    for missing in 0..3 {
        let mut attributes = udp();
        attributes.extend(all.iter().enumerate().filter(|(index, _)| *index != missing).map(|(_, a)| a.clone()));
        let draft = crate::draft::Draft::request(Method::ALLOCATE, [1; 12]).with_all(&attributes);
        let answer = world.answer(ann.tuple, &draft.seal_sha1(&ann.key()).bytes());
        assert_eq!((answer.code(), answer.is_sealed()), (400, false), "{missing}");
    }
    for (kind, value) in [(kind::USERNAME, vec![0xff, 0xfe]), (kind::REALM, vec![0xc0])] {
        let attributes = all.clone().map(|(one, good)| (one, if one == kind { value.clone() } else { good }));
        let draft = crate::draft::Draft::request(Method::ALLOCATE, [1; 12]).with_all(&attributes);
        let answer = world.answer(ann.tuple, &draft.seal_sha1(&ann.key()).bytes());
        assert_eq!(answer.code(), 400, "not UTF-8");
    }
}

#[test]
fn another_realm_is_401_and_the_right_one_is_told() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.introduce(&mut ann);
    ann.realm = "example.com".into();
    let message = ann.sealed(Method::ALLOCATE, &udp());
    let answer = world.answer(ann.tuple, &message);
    assert_eq!((answer.code(), answer.value(kind::REALM)), (401, Some(&b"example.org"[..])));
}

#[test]
fn every_method_is_for_those_who_have_signed() {
    let mut world = World::new(settings());
    let mut ann = ann();
    let refused = [Method::ALLOCATE, Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND];
    for method in refused {
        let message = ann.bare(method, &udp());
        assert_eq!(world.answer(ann.tuple, &message).code(), 401, "{method:?} without an allocation");
    }
    world.allocate(&mut ann);
    for method in refused {
        let message = ann.bare(method, &udp());
        assert_eq!(world.answer(ann.tuple, &message).code(), 401, "{method:?} with one");
    }
    assert_eq!(world.count(), 1);
}

#[test]
fn without_an_allocation_there_is_437_for_who_has_signed() {
    let mut world = World::new(settings());
    for method in [Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND] {
        assert_eq!(world.request(&mut ann(), method, &[]).code(), 437);
    }
}

#[test]
fn another_user_on_the_same_five_tuple_is_441() {
    let mut world = World::new(settings());
    let (mut ann, mut bob) = (ann(), bob());
    world.allocate(&mut ann);
    bob.tuple = ann.tuple;
    for method in [Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND] {
        let attributes = [vec![(kind::LIFETIME, vec![0; 4])], bob.peers(&["8.8.8.8:5000"])].concat();
        assert_eq!(world.request(&mut bob, method, &attributes).code(), 441);
    }
    assert_eq!(world.count(), 1);
}

#[test]
fn what_follows_the_seal_does_not_count() {
    let lifetime_0 = (kind::LIFETIME, [0; 4]);
    for mut ann in [ann(), ann().modern()] {
        let mut world = World::new(settings());
        world.allocate(&mut ann);
        let draft = ann.signed(Method::REFRESH, &[]);
        let key = ann.key();
        let sealed = if ann.is_modern() { draft.seal_sha256(&key) } else { draft.seal_sha1(&key) };
        for message in [
            sealed.clone().with(lifetime_0.0, lifetime_0.1).bytes(),
            sealed.clone().with(lifetime_0.0, lifetime_0.1).fingerprint().bytes(),
            sealed.clone().with(0x7fff, [1]).bytes(),
        ] {
            let answer = world.answer(ann.tuple, &message);
            assert_eq!((answer.code(), answer.number(kind::LIFETIME)), (200, Some(600)));
            assert_eq!(world.count(), 1, "somebody on the way has deleted an allocation");
        }
        let behind_fingerprint = sealed.fingerprint().with(lifetime_0.0, lifetime_0.1).bytes();
        assert_eq!(world.send(ann.tuple, &behind_fingerprint), crate::world::Came::Nothing);
    }
    // Between the two seals: under the stronger one, and still behind the first.
    let mut world = World::new(settings());
    let mut ann = ann().modern();
    world.allocate(&mut ann);
    let key = ann.key();
    let draft = ann.signed(Method::REFRESH, &[]).seal_sha1(&key).with(lifetime_0.0, lifetime_0.1).seal_sha256(&key);
    let answer = world.answer(ann.tuple, &draft.bytes());
    assert_eq!((answer.code(), answer.number(kind::LIFETIME), world.count()), (200, Some(600), 1));
}

#[test]
fn credentials_behind_the_seal_do_not_count_either() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.introduce(&mut ann);
    let key = ann.key();
    let message = crate::draft::Draft::request(Method::ALLOCATE, [1; 12])
        .with(UDP.0, UDP.1)
        .seal_sha1(&key)
        .with(kind::USERNAME, "ann")
        .with(kind::REALM, &ann.realm)
        .with(kind::NONCE, &ann.nonce);
    assert_eq!(world.answer(ann.tuple, &message.bytes()).code(), 400);
}

#[test]
fn one_flipped_bit_anywhere_is_noticed() {
    for mut ann in [ann(), ann().modern()] {
        let mut world = World::new(settings());
        world.introduce(&mut ann);
        let good = ann.sealed(Method::ALLOCATE, &udp());
        for position in 0..good.len() {
            let mut bad = good.clone();
            bad[position] ^= 1;
            world.send(ann.tuple, &bad);
            assert_eq!((world.count(), world.host.open.len()), (0, 0), "byte {position}");
        }
        assert_eq!(world.answer(ann.tuple, &good).code(), 200);
    }
}

#[test]
fn nobody_on_the_way_can_weaken_the_password_algorithm() {
    let mut world = World::new(settings());
    let mut ann = ann().modern();
    world.introduce(&mut ann);
    let offered = [0, 2, 0, 0, 0, 1, 0, 0];
    let chosen = |number: u8| (kind::PASSWORD_ALGORITHM, vec![0, number, 0, 0]);
    let mut plain = ann.clone();
    plain.offered = None; // such a client writes no algorithms of its own
    let cases: [(u16, Vec<Attribute>); 8] = [
        (400, vec![(kind::PASSWORD_ALGORITHMS, vec![0, 1, 0, 0]), chosen(1)]), // SHA-256 was taken out of the offer
        (400, vec![(kind::PASSWORD_ALGORITHMS, vec![0, 1, 0, 0, 0, 2, 0, 0]), chosen(2)]),
        (400, vec![(kind::PASSWORD_ALGORITHMS, offered.to_vec())]),
        (400, vec![chosen(2)]),
        (400, vec![(kind::PASSWORD_ALGORITHMS, offered.to_vec()), chosen(3)]),
        (400, vec![(kind::PASSWORD_ALGORITHMS, offered.to_vec()), (kind::PASSWORD_ALGORITHM, vec![0, 2])]),
        (401, vec![(kind::PASSWORD_ALGORITHMS, offered.to_vec()), chosen(1)]), // not what the key was made with
        (200, vec![(kind::PASSWORD_ALGORITHMS, offered.to_vec()), chosen(2)]),
    ];
    for (code, algorithms) in cases {
        let message = plain.sealed(Method::ALLOCATE, &[udp(), algorithms.clone()].concat());
        assert_eq!(world.answer(ann.tuple, &message).code(), code, "{algorithms:?}");
    }
}

#[test]
fn the_features_in_the_nonce_cannot_be_taken_out() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.introduce(&mut ann);
    let mut weakened = ann.clone();
    weakened.nonce[9..13].copy_from_slice(b"AAAA");
    assert_eq!(attempt(&mut world, &mut weakened), 438);
    weakened.nonce = b"a nonce without a cookie".to_vec();
    assert_eq!(attempt(&mut world, &mut weakened), 438);
    assert_eq!(attempt(&mut world, &mut ann), 200);
}

#[test]
fn static_users_may_hide_their_names() {
    let mut world = World::new(settings());
    for mut client in
        [ann().modern(), Client { integrity: Integrity::Sha1, password_algorithm: Password::Md5, ..bob() }]
    {
        client.is_anonymous = true;
        world.introduce(&mut client);
        assert_eq!(client.nonce[9..13], *b"wAAA", "both features are announced");
        world.allocate(&mut client);
    }
    let users: Vec<String> = world.server.allocations().map(|view| view.username.to_string()).collect();
    assert_eq!(users, ["ann", "bob"]);
    let mut carl = Client::new("198.51.100.3:1", "carl", "pass of carl");
    carl.is_anonymous = true;
    assert_eq!(attempt(&mut world, &mut carl), 401);
}

#[test]
fn with_time_limited_names_hiding_is_not_announced() {
    let mut world = World::new(rest_settings());
    let mut ann = ann().modern();
    world.introduce(&mut ann);
    assert_eq!(ann.nonce[9..13], *b"gAAA");
    ann.is_anonymous = true;
    assert_eq!(attempt(&mut world, &mut ann), 401);
}

#[test]
fn a_nonce_is_stale_after_an_hour_and_the_answer_has_a_fresh_one() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.allocate(&mut ann);
    world.pass(590);
    world.refresh(&mut ann, 3600);
    world.pass(3011);
    let message = ann.sealed(Method::REFRESH, &[]);
    let answer = world.answer(ann.tuple, &message);
    assert_eq!((answer.code(), answer.is_sealed()), (438, false));
    assert_eq!(answer.value(kind::PASSWORD_ALGORITHMS).map(<[u8]>::len), Some(8));
    learn(&mut ann, &answer);
    assert_eq!(world.refresh(&mut ann, 600).code(), 200);
}

#[test]
fn a_nonce_is_of_one_five_tuple() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.introduce(&mut ann);
    for tuple in [
        FiveTuple { client: "198.51.100.1:4002".parse().unwrap(), ..ann.tuple },
        FiveTuple { client: "198.51.100.2:4001".parse().unwrap(), ..ann.tuple },
        FiveTuple { transport: Transport::Tls, ..ann.tuple },
    ] {
        let mut elsewhere = Client { tuple, ..ann.clone() };
        assert_eq!(attempt(&mut world, &mut elsewhere), 438);
    }
}

#[test]
fn with_a_wrong_password_a_stale_nonce_is_401() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.introduce(&mut ann);
    ann.password = "guess".into();
    world.skip(4000);
    assert_eq!(attempt(&mut world, &mut ann), 401);
}

#[test]
fn nonces_outlive_one_change_of_keys() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.introduce(&mut ann);
    let keys = NonceKeys::from_key(&[7; 32]).rotated().unwrap();
    world.server.rekey(keys.clone());
    assert_eq!(attempt(&mut world, &mut ann), 200);
    world.server.rekey(keys.rotated().unwrap());
    let message = ann.sealed(Method::REFRESH, &[]);
    assert_eq!(world.answer(ann.tuple, &message).code(), 438);
}

#[test]
fn time_limited_credentials_are_good_until_they_expire() {
    let mut world = World::new(rest_settings());
    assert_eq!(attempt(&mut world, &mut guest("carl", "198.51.100.3:1", 100)), 200);
    world.pass(99);
    assert_eq!(attempt(&mut world, &mut guest("carl", "198.51.100.3:2", 100)), 200);
    world.pass(1);
    assert_eq!(attempt(&mut world, &mut guest("carl", "198.51.100.3:3", 100)), 401);
    assert_eq!(attempt(&mut world, &mut guest("carl", "198.51.100.3:4", 200)), 200);
}

#[test]
fn who_has_an_allocation_keeps_it_when_its_credentials_expire() {
    let mut world = World::new(rest_settings());
    let mut carl = guest("carl", "198.51.100.3:1", 100).modern();
    world.allocate(&mut carl);
    world.pass(500);
    assert_eq!(world.permit(&mut carl, &["8.8.8.8:5000"]), 200);
    assert_eq!(world.bind(&mut carl, 0x4000, "8.8.8.8:5000"), 200);
    assert_eq!(world.refresh(&mut carl, 600).code(), 200);
    assert_eq!(world.refresh(&mut carl, 0).code(), 200);
    assert_eq!(attempt(&mut world, &mut carl), 401, "but no other one");
}

#[test]
fn secrets_and_users_change_while_the_server_runs() {
    let secret = |text: &str| Secret(text.as_bytes().to_vec());
    let mut world = World::new(rest_settings());
    let mut old = guest("carl", "198.51.100.3:1", 10_000);
    world.allocate(&mut old);
    let mut ann = ann();
    world.allocate(&mut ann);

    world.reload(Settings { secrets: vec![secret("new"), Secret(SECRET.to_vec())], ..settings() });
    assert_eq!(attempt(&mut world, &mut guest("dora", "198.51.100.4:1", 10_000)), 200, "by the old secret");
    let mut new = guest("dora", "198.51.100.4:2", 10_000);
    new.password = rest_password(b"new", &new.username);
    assert_eq!(attempt(&mut world, &mut new), 200);

    let users = vec![User { name: "ann".into(), password: "another".into() }];
    world.reload(Settings { secrets: vec![secret("new")], users, ..settings() });
    assert_eq!(attempt(&mut world, &mut guest("dora", "198.51.100.4:3", 10_000)), 401);
    assert_eq!(attempt(&mut world, &mut Client::new("198.51.100.5:1", "ann", "pass of ann")), 401);
    assert_eq!(attempt(&mut world, &mut Client::new("198.51.100.5:2", "ann", "another")), 200);
    assert_eq!(world.refresh(&mut old, 600).code(), 200, "calls go on");
    assert_eq!(world.refresh(&mut ann, 600).code(), 200);
}

#[test]
fn without_credentials_nobody_is_told_that_there_is_a_relay() {
    let mut world = World::new(Settings { users: Vec::new(), ..settings() });
    let message = ann().bare(Method::ALLOCATE, &udp());
    assert_eq!(world.send(ann().tuple, &message), crate::world::Came::Nothing);
    let message = ann().bare(Method::BINDING, &[]);
    assert_eq!(world.answer(ann().tuple, &message).0.len(), 32);
}
