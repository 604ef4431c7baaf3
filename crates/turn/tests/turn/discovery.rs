//! Behaviour discovery (RFC 5780): which addresses a client is told, and from which of them it is answered.

use std::net::SocketAddr;

use peerline_turn::{Discovery, OwnIp, RateLimit, Settings, Transport};
use peerline_wire::stun::{Method, decode_address, kind};

use crate::answer::Answer;
use crate::client::Client;
use crate::draft::Attribute;
use crate::world::{Came, World, ann, settings};

const CHANGE_IP: u8 = 4;
const CHANGE_PORT: u8 = 2;
const BOTH: u8 = CHANGE_IP | CHANGE_PORT;

fn ip(text: &str) -> OwnIp {
    OwnIp::from(text.parse::<std::net::IpAddr>().unwrap())
}

fn discovering() -> Settings {
    let v4 = Discovery { ips: [ip("192.0.2.1"), ip("192.0.2.2")], ports: [3478, 3479] };
    let v6 = Discovery { ips: [ip("2001:db8::1"), ip("2001:db8::2")], ports: [3478, 3480] };
    Settings { discovery: vec![v4, v6], ..settings() }
}

fn asking(server: &str) -> Client {
    let mut client = ann();
    client.tuple.server = server.parse().unwrap();
    if client.tuple.server.is_ipv6() {
        client.tuple.client = "[2001:db8::99]:4001".parse().unwrap();
    }
    client
}

fn change(flags: u8) -> Attribute {
    (kind::CHANGE_REQUEST, vec![0, 0, 0, flags])
}

fn address(answer: &Answer, kind: u16) -> Option<String> {
    answer.value(kind).map(|value| decode_address(value).unwrap().to_string())
}

/// From where the answer leaves, and what it is.
fn ask(world: &mut World, client: &mut Client, attributes: &[Attribute]) -> (String, Answer) {
    let message = client.bare(Method::BINDING, attributes);
    match world.send(client.tuple, &message) {
        Came::Answer(answer) => (client.tuple.server.to_string(), answer),
        Came::AnswerFrom(from, answer) => (from, answer),
        other => panic!("no answer but {other:?}"),
    }
}

#[test]
fn a_client_is_told_where_else_it_can_ask() {
    let mut world = World::new(discovering());
    for (server, other) in [
        ("192.0.2.1:3478", "192.0.2.2:3479"),
        ("192.0.2.1:3479", "192.0.2.2:3478"),
        ("192.0.2.2:3478", "192.0.2.1:3479"),
        ("192.0.2.2:3479", "192.0.2.1:3478"),
        ("[2001:db8::1]:3478", "[2001:db8::2]:3480"),
    ] {
        let mut client = asking(server);
        let (from, answer) = ask(&mut world, &mut client, &[]);
        assert_eq!((from.as_str(), answer.code()), (server, 200));
        assert_eq!(address(&answer, kind::RESPONSE_ORIGIN).as_deref(), Some(server));
        assert_eq!(address(&answer, kind::OTHER_ADDRESS).as_deref(), Some(other));
        assert_eq!(answer.address(kind::XOR_MAPPED_ADDRESS), Some(client.tuple.client));
        assert_eq!(address(&answer, kind::MAPPED_ADDRESS), Some(client.tuple.client.to_string()));
        assert_eq!(answer.0.len(), if client.tuple.client.is_ipv4() { 68 } else { 116 });
    }
}

#[test]
fn the_answer_leaves_from_where_the_client_asks() {
    let mut world = World::new(discovering());
    for (server, flags, expected) in [
        ("192.0.2.1:3478", 0, "192.0.2.1:3478"),
        ("192.0.2.1:3478", CHANGE_IP, "192.0.2.2:3478"),
        ("192.0.2.1:3478", CHANGE_PORT, "192.0.2.1:3479"),
        ("192.0.2.1:3478", BOTH, "192.0.2.2:3479"),
        ("192.0.2.2:3479", BOTH, "192.0.2.1:3478"),
        ("192.0.2.2:3478", CHANGE_PORT, "192.0.2.2:3479"),
        ("[2001:db8::1]:3480", BOTH, "[2001:db8::2]:3478"),
        ("192.0.2.1:3478", 0xf8 | BOTH, "192.0.2.2:3479"), // the other bits mean nothing
    ] {
        let (from, answer) = ask(&mut world, &mut asking(server), &[change(flags)]);
        assert_eq!((from.as_str(), answer.code()), (expected, 200));
        assert_eq!(address(&answer, kind::RESPONSE_ORIGIN).as_deref(), Some(expected));
        let (_, plain) = ask(&mut world, &mut asking(server), &[]);
        let other = |answer| address(answer, kind::OTHER_ADDRESS);
        assert_eq!(other(&answer), other(&plain), "it does not depend on what was asked for");
    }
    assert_eq!(world.server.counters().bindings, 16);
}

#[test]
fn behind_a_one_to_one_nat_clients_are_told_public_addresses_and_sockets_are_found_by_their_own() {
    let own =
        |bind: &str, advertise: &str| OwnIp { bind: bind.parse().unwrap(), advertise: advertise.parse().unwrap() };
    let ips = [own("10.0.0.1", "192.0.2.1"), own("10.0.0.2", "192.0.2.2")];
    let discovery = vec![Discovery { ips, ports: [3478, 3479] }];
    let mut world = World::new(Settings { discovery, ..settings() });
    let (from, answer) = ask(&mut world, &mut asking("10.0.0.1:3478"), &[change(CHANGE_IP)]);
    assert_eq!(from, "10.0.0.2:3478");
    assert_eq!(address(&answer, kind::RESPONSE_ORIGIN).as_deref(), Some("192.0.2.2:3478"));
    assert_eq!(address(&answer, kind::OTHER_ADDRESS).as_deref(), Some("192.0.2.2:3479"));
}

#[test]
fn where_it_is_not_served_a_change_is_420_and_an_answer_as_small_as_ever() {
    let tcp = |mut client: Client| {
        client.tuple.transport = Transport::Tcp;
        client
    };
    for (settings, mut client) in [
        (settings(), asking("192.0.2.1:3478")),
        (discovering(), asking("192.0.2.77:3478")),
        (discovering(), asking("192.0.2.1:5349")),
        (discovering(), tcp(asking("192.0.2.1:3478"))),
    ] {
        let mut world = World::new(settings);
        let (_, answer) = ask(&mut world, &mut client, &[]);
        assert_eq!(answer.0.len(), 32);
        assert_eq!((answer.value(kind::OTHER_ADDRESS), answer.value(kind::RESPONSE_ORIGIN)), (None, None));
        for flags in [0, CHANGE_IP, BOTH] {
            let (from, answer) = ask(&mut world, &mut client, &[change(flags)]);
            assert_eq!((from, answer.code()), (client.tuple.server.to_string(), 420));
            assert_eq!(answer.value(kind::UNKNOWN_ATTRIBUTES), Some(&[0, 3][..]));
        }
    }
}

#[test]
fn nobody_is_answered_at_another_port_or_with_padding() {
    let mut world = World::new(discovering());
    for (kind, value) in [(kind::RESPONSE_PORT, vec![0x10, 0, 0, 0]), (kind::PADDING, vec![0; 64])] {
        let (from, answer) = ask(&mut world, &mut asking("192.0.2.1:3478"), &[change(BOTH), (kind, value)]);
        assert_eq!((from.as_str(), answer.code()), ("192.0.2.1:3478", 420));
        assert_eq!(answer.value(peerline_wire::stun::kind::UNKNOWN_ATTRIBUTES), Some(&kind.to_be_bytes()[..]));
        assert_eq!(answer.0.len(), 36);
    }
}

#[test]
fn a_change_that_is_no_number_is_400() {
    let mut world = World::new(discovering());
    for value in [vec![], vec![BOTH], vec![0, 0, BOTH], vec![0; 8]] {
        let (from, answer) = ask(&mut world, &mut asking("192.0.2.1:3478"), &[(kind::CHANGE_REQUEST, value)]);
        assert_eq!((from.as_str(), answer.code()), ("192.0.2.1:3478", 400));
    }
    assert_eq!(world.server.counters().refused, 4);
}

#[test]
fn what_follows_a_seal_changes_nothing() {
    let mut world = World::new(discovering());
    let behind = [(kind::MESSAGE_INTEGRITY, vec![0; 20]), change(BOTH)];
    assert_eq!(ask(&mut world, &mut asking("192.0.2.1:3478"), &behind).0, "192.0.2.1:3478");
}

#[test]
fn a_fingerprint_is_answered_with_one_from_wherever() {
    let mut world = World::new(discovering());
    let mut client = Client { has_fingerprint: true, ..asking("192.0.2.1:3478") };
    let (from, answer) = ask(&mut world, &mut client, &[change(BOTH)]);
    assert_eq!((from.as_str(), answer.0.len()), ("192.0.2.2:3479", 76));
    assert_eq!(answer.message().check_fingerprint(), peerline_wire::stun::FingerprintCheck::Right);
}

#[test]
fn answers_from_everywhere_are_limited_together() {
    let answers = Some(RateLimit { per_second: 10, burst: 20 });
    let mut world = World::new(Settings { answers, ..discovering() });
    let mut answered = 0;
    for round in 0..100_u8 {
        let mut client = asking(["192.0.2.1:3478", "192.0.2.2:3479"][usize::from(round % 2)]);
        let message = client.bare(Method::BINDING, &[change(round % 8)]);
        answered += u32::from(world.send(client.tuple, &message) != Came::Nothing);
    }
    assert_eq!((answered, world.server.counters().rate_limited), (20, 80));
}

#[test]
fn it_can_be_switched_off_while_the_server_runs() {
    let mut world = World::new(discovering());
    assert_eq!(ask(&mut world, &mut asking("192.0.2.1:3478"), &[change(BOTH)]).0, "192.0.2.2:3479");
    world.reload(settings());
    let (from, answer) = ask(&mut world, &mut asking("192.0.2.1:3478"), &[change(BOTH)]);
    assert_eq!((from.parse::<SocketAddr>().unwrap(), answer.code()), ("192.0.2.1:3478".parse().unwrap(), 420));
}
