//! Servers of other makes, servers that lie, and people on the way who make up their answers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use md5::{Digest, Md5};
use peerline_transport::relay::{Relay, RelayEvent, RelayFamily, RelayInput, RelaySettings};
use peerline_wire::stun::{
    Class, Message, MessageWriter, Method, TransactionId, encode_address, encode_xor_address, kind,
};
use proptest::prelude::*;

use crate::relay_world::{OTHER, PEER, World, address, ann};

const REALM: &[u8] = b"example.org";
const RELAYED: &str = "203.0.113.9:49152";

type Attribute = (u16, Vec<u8>);

/// A server that says what the test wants.
struct Script {
    relay: Relay,
    now: Instant,
    /// The last request.
    asked: Vec<u8>,
    count: usize,
}

impl Script {
    fn new(settings: RelaySettings) -> Self {
        let now = Instant::now();
        let mut relay = Relay::new(now, settings);
        relay.connected(now);
        let mut script = Self { relay, now, asked: vec![], count: 0 };
        script.hear();
        script
    }

    /// Up to where the client has told its name.
    fn challenged(settings: RelaySettings) -> Self {
        let mut script = Self::new(settings);
        script.answer(Class::Error, &[error(401), (kind::REALM, REALM.to_vec()), (kind::NONCE, b"once".to_vec())]);
        assert!(script.request().attribute(kind::MESSAGE_INTEGRITY).is_some());
        script
    }

    fn hear(&mut self) {
        while let Some(packet) = self.relay.poll_transmit() {
            self.asked = packet;
            self.count += 1;
        }
    }

    fn request(&self) -> Message<'_> {
        Message::parse(&self.asked).unwrap()
    }

    fn message(&self, class: Class, attributes: &[Attribute], key: Option<&[u8]>, behind: &[Attribute]) -> Vec<u8> {
        let request = self.request();
        message(class, request.method, request.transaction, attributes, key, behind)
    }

    fn take(&mut self, packet: &[u8]) -> RelayInput {
        let input = self.relay.handle_input(self.now, packet);
        self.hear();
        input
    }

    /// An answer that nobody vouches for.
    fn answer(&mut self, class: Class, attributes: &[Attribute]) {
        let packet = self.message(class, attributes, None, &[]);
        assert_eq!(self.take(&packet), RelayInput::Taken);
    }

    fn answer_sealed(&mut self, class: Class, attributes: &[Attribute]) {
        let packet = self.message(class, attributes, Some(&key("pass of ann")), &[]);
        assert_eq!(self.take(&packet), RelayInput::Taken);
    }

    fn relayed(&self) -> Attribute {
        relayed(self.request().transaction)
    }

    fn event(&mut self) -> Option<RelayEvent> {
        self.relay.poll_event()
    }

    fn allocated(settings: RelaySettings) -> Self {
        let mut script = Self::challenged(settings);
        script.answer_sealed(Class::Success, &[script.relayed()]);
        assert!(matches!(script.event(), Some(RelayEvent::Allocated { mapped: None, .. })));
        script
    }

    /// Says when it was woken, for so long.
    fn wait(&mut self, duration: Duration) -> Vec<Duration> {
        let (start, mut woken) = (self.now, vec![]);
        while let Some(due) = self.relay.poll_timeout().filter(|due| *due <= start + duration) {
            assert!(due > self.now, "it turns in circles");
            self.now = due;
            self.relay.handle_timeout(due);
            woken.push(due - start);
            self.hear();
        }
        self.now = start + duration;
        woken
    }
}

fn message(
    class: Class,
    method: Method,
    transaction: TransactionId,
    attributes: &[Attribute],
    key: Option<&[u8]>,
    behind: &[Attribute],
) -> Vec<u8> {
    let mut buffer = vec![0; 4096];
    let mut writer = MessageWriter::new(&mut buffer, class, method, transaction).unwrap();
    for (kind, value) in attributes {
        writer.attribute(*kind, value).unwrap();
    }
    if let Some(key) = key {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
        let sign = |bytes: &[u8]| hmac::sign(&key, bytes).as_ref().try_into().unwrap();
        writer.integrity::<20>(kind::MESSAGE_INTEGRITY, sign).unwrap();
    }
    for (kind, value) in behind {
        writer.attribute(*kind, value).unwrap();
    }
    let len = writer.finish();
    buffer.truncate(len);
    buffer
}

fn key(password: &str) -> Vec<u8> {
    Md5::digest(format!("ann:example.org:{password}")).to_vec()
}

fn error(code: u16) -> Attribute {
    (kind::ERROR_CODE, vec![0, 0, (code / 100) as u8, (code % 100) as u8])
}

fn relayed(transaction: TransactionId) -> Attribute {
    let (value, len) = encode_xor_address(address(RELAYED), transaction);
    (kind::XOR_RELAYED_ADDRESS, value[..len].to_vec())
}

fn alternate(server: &str) -> Vec<Attribute> {
    let (value, len) = encode_address(address(server));
    vec![error(300), (kind::ALTERNATE_SERVER, value[..len].to_vec())]
}

fn code(event: Option<RelayEvent>) -> u16 {
    match event {
        Some(RelayEvent::Failed { code, .. } | RelayEvent::Lost { code, .. }) => code,
        other => panic!("no end but {other:?}"),
    }
}

#[test]
fn a_server_of_rfc_5389_gets_what_it_knows() {
    let mut script = Script::challenged(ann());
    let request = script.request();
    assert_eq!(request.attribute(kind::USERNAME).unwrap().value, b"ann");
    assert_eq!(request.attribute(kind::REALM).unwrap().value, REALM);
    assert_eq!(request.attribute(kind::NONCE).unwrap().value, b"once");
    for newer in [kind::MESSAGE_INTEGRITY_SHA256, kind::PASSWORD_ALGORITHM, kind::REQUESTED_ADDRESS_FAMILY] {
        assert_eq!(request.attribute(newer), None);
    }
    let seal = request.attribute(kind::MESSAGE_INTEGRITY).unwrap();
    let (head, rest) = request.covered_by(&seal);
    let sha1 = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key("pass of ann"));
    assert_eq!(hmac::sign(&sha1, &[&head[..], rest].concat()).as_ref(), seal.value);
    script.answer_sealed(Class::Success, &[script.relayed()]);
    assert_eq!(script.event(), Some(RelayEvent::Allocated { relayed: address(RELAYED), mapped: None }));
}

#[test]
fn nobody_talks_us_out_of_the_better_algorithm() {
    let mut script = Script::new(ann());
    let challenge = [error(401), (kind::REALM, REALM.to_vec()), (kind::NONCE, b"obMatJos2gAAAx".to_vec())];
    script.answer(Class::Error, &challenge);
    assert_eq!((code(script.event()), script.count), (401, 1));

    let mut script = Script::new(ann());
    let only_unknown = (kind::PASSWORD_ALGORITHMS, vec![0, 9, 0, 0]);
    script.answer(Class::Error, &[challenge.to_vec(), vec![only_unknown]].concat());
    assert_eq!((code(script.event()), script.count), (401, 1));
}

#[test]
fn a_challenge_without_a_realm_or_a_nonce_or_with_endless_ones_cannot_be_answered() {
    let (realm, nonce) = ((kind::REALM, REALM.to_vec()), (kind::NONCE, b"once".to_vec()));
    for attributes in [
        vec![realm.clone()],
        vec![nonce.clone()],
        vec![],
        vec![realm, (kind::NONCE, vec![b'n'; 764])],
        vec![nonce, (kind::REALM, vec![b'r'; 764])],
    ] {
        let mut script = Script::new(ann());
        script.answer(Class::Error, &[vec![error(401)], attributes].concat());
        assert_eq!((code(script.event()), script.count), (401, 1));
    }
    let mut script = Script::new(ann());
    let longest = [(kind::REALM, vec![b'r'; 763]), (kind::NONCE, vec![b'n'; 763])];
    script.answer(Class::Error, &[vec![error(401)], longest.to_vec()].concat());
    assert_eq!(script.count, 2, "as long as the RFC allows");
}

#[test]
fn a_name_that_is_too_long_is_no_name() {
    let mut script = Script::new(RelaySettings { username: "n".repeat(4000), ..ann() });
    script.answer(Class::Error, &[error(401), (kind::REALM, REALM.to_vec()), (kind::NONCE, b"once".to_vec())]);
    assert_eq!(code(script.event()), 701);
}

#[test]
fn made_up_answers_change_nothing_and_the_real_one_still_counts() {
    let mut script = Script::challenged(ann());
    let mut forged = vec![
        script.message(Class::Success, &[script.relayed()], None, &[]),
        script.message(Class::Success, &[script.relayed()], Some(&key("guess")), &[]),
        script.message(Class::Error, &[error(437)], None, &[]),
        script.message(Class::Error, &[error(486)], Some(&key("guess")), &[]),
        script.message(Class::Error, &[error(400)], None, &[]),
        script.message(Class::Error, &alternate("198.51.100.66:3478"), None, &[]),
    ];
    let mut flipped = script.message(Class::Success, &[script.relayed()], Some(&key("pass of ann")), &[]);
    flipped[27] ^= 1;
    forged.push(flipped);
    for packet in forged {
        assert_eq!(script.take(&packet), RelayInput::Taken);
        assert_eq!((script.event(), script.count), (None, 2));
    }
    script.answer_sealed(Class::Success, &[script.relayed()]);
    assert!(matches!(script.event(), Some(RelayEvent::Allocated { .. })));
}

#[test]
fn an_error_that_nobody_vouches_for_counts_when_nothing_else_comes() {
    let mut script = Script::challenged(ann());
    script.answer(Class::Error, &[error(486)]);
    script.wait(Duration::from_secs(39));
    assert_eq!(script.event(), None);
    script.wait(Duration::from_secs(1));
    assert_eq!(code(script.event()), 486);

    let mut script = Script::challenged(RelaySettings { is_stream: true, ..ann() });
    script.answer(Class::Error, &[error(486)]);
    assert_eq!(code(script.event()), 486, "on a stream nothing else can come");
}

#[test]
fn what_stands_behind_the_seal_does_not_count() {
    let mut script = Script::challenged(ann());
    let packet = script.message(Class::Success, &[], Some(&key("pass of ann")), &[script.relayed()]);
    script.take(&packet);
    let said = script.event();
    assert_eq!(
        said,
        Some(RelayEvent::Failed { code: 701, reason: "the server has answered without an address".into() })
    );
}

#[test]
fn addresses_that_are_none_are_refused() {
    for nonsense in ["0.0.0.0:5000", "203.0.113.9:0", "224.0.0.1:5000", "[::]:5000"] {
        let mut script = Script::challenged(ann());
        let (value, len) = encode_xor_address(address(nonsense), script.request().transaction);
        script.answer_sealed(Class::Success, &[(kind::XOR_RELAYED_ADDRESS, value[..len].to_vec())]);
        assert_eq!(code(script.event()), 701, "{nonsense}");
    }
}

#[test]
fn a_server_that_challenges_for_ever_is_left() {
    let mut script = Script::challenged(ann());
    for round in 0..20_u8 {
        if let Some(event) = script.event() {
            assert_eq!((code(Some(event)), script.count), (438, 5));
            return;
        }
        let nonce = (kind::NONCE, vec![b'n', round]);
        script.answer(Class::Error, &[error(438), (kind::REALM, REALM.to_vec()), nonce]);
    }
    panic!("it goes on for ever");
}

#[test]
fn another_realm_is_another_question() {
    let mut script = Script::challenged(ann());
    script.answer(Class::Error, &[error(401), (kind::REALM, b"elsewhere".to_vec()), (kind::NONCE, b"two".to_vec())]);
    assert_eq!(script.request().attribute(kind::REALM).unwrap().value, b"elsewhere");
    script.answer(Class::Error, &[error(401), (kind::REALM, b"elsewhere".to_vec()), (kind::NONCE, b"three".to_vec())]);
    assert_eq!(code(script.event()), 401);
}

#[test]
fn what_it_says_to_people_is_cut_and_cleaned() {
    let mut script = Script::challenged(ann());
    let text = [&b"\0\0\x04\x56"[..], b"quota\r\n\x1b[31m ", &[b'x'; 600]].concat();
    script.answer_sealed(Class::Error, &[(kind::ERROR_CODE, text)]);
    let Some(RelayEvent::Failed { code: 486, reason }) = script.event() else { panic!("it is over") };
    assert!(reason.starts_with("quota[31m xxx") && reason.len() == 200, "{reason}");
}

#[test]
fn lifetimes_out_of_this_world_neither_spin_nor_sleep() {
    for lifetime_s in [0, 1, u32::MAX] {
        let mut script = Script::challenged(ann());
        let lifetime = (kind::LIFETIME, lifetime_s.to_be_bytes().to_vec());
        script.answer_sealed(Class::Success, &[script.relayed(), lifetime.clone()]);
        let first = script.relay.poll_timeout().unwrap() - script.now;
        assert!((Duration::from_secs(15)..=Duration::from_secs(3600)).contains(&first), "{first:?}");
        script.wait(first);
        assert_eq!(script.request().method, Method::REFRESH);
        script.answer_sealed(Class::Success, &[lifetime]);
        let second = script.relay.poll_timeout().unwrap() - script.now;
        assert!(second >= Duration::from_secs(15), "{second:?}");
    }
}

#[test]
fn a_refresh_that_is_refused_leaves_what_there_is() {
    let mut script = Script::allocated(ann());
    script.wait(Duration::from_secs(541));
    assert_eq!(script.request().method, Method::REFRESH);
    script.answer_sealed(Class::Error, &[error(486)]);
    let mut out = vec![];
    script.relay.send(script.now, address(PEER), b"\x17", &mut out);
    script.hear();
    script.answer_sealed(Class::Success, &[]);
    assert!(script.relay.send(script.now, address(PEER), b"\x17", &mut out));
    script.wait(Duration::from_secs(58));
    assert_eq!(script.event(), None);
    script.wait(Duration::from_secs(2));
    assert_eq!(code(script.event()), 486, "and then it is said why");
}

#[test]
fn an_allocation_that_is_gone_ends_everything() {
    for purpose in ["permission", "refresh"] {
        let mut script = Script::allocated(ann());
        if purpose == "permission" {
            script.relay.send(script.now, address(PEER), b"\x17", &mut vec![]);
            script.hear();
        } else {
            script.wait(Duration::from_secs(541));
        }
        script.answer_sealed(Class::Error, &[error(437)]);
        assert_eq!(code(script.event()), 437);
        assert_eq!(script.relay.poll_timeout(), None);
    }
}

#[test]
fn another_server_is_asked_with_the_same_name() {
    let mut script = Script::challenged(ann());
    script.answer_sealed(Class::Error, &alternate("192.0.2.2:3479"));
    let server = address("192.0.2.2:3479");
    assert_eq!(script.relay.server(), server);
    assert_eq!(script.event(), Some(RelayEvent::Redirected { server, domain: None }));
    assert_eq!(script.request().attribute(kind::USERNAME), None, "which has to ask for it");
    script.answer(Class::Error, &[error(401), (kind::REALM, REALM.to_vec()), (kind::NONCE, b"other".to_vec())]);
    assert_eq!(script.request().attribute(kind::USERNAME).unwrap().value, b"ann");
    script.answer_sealed(Class::Success, &[script.relayed()]);
    assert!(matches!(script.event(), Some(RelayEvent::Allocated { .. })));
}

#[test]
fn servers_do_not_send_us_in_circles_nor_inwards() {
    let mut script = Script::new(ann());
    for hop in ["192.0.2.2:3478", "192.0.2.3:3478", "192.0.2.4:3478"] {
        script.answer(Class::Error, &alternate(hop));
        assert_eq!(script.event(), Some(RelayEvent::Redirected { server: address(hop), domain: None }));
    }
    script.answer(Class::Error, &alternate("192.0.2.5:3478"));
    assert_eq!(code(script.event()), 300, "too often");
    for nonsense in
        ["192.0.2.1:3478", "127.0.0.1:22", "[2001:db8::1]:3478", "0.0.0.0:3478", "192.0.2.9:0", "224.0.0.1:3478"]
    {
        let mut script = Script::new(ann());
        script.answer(Class::Error, &alternate(nonsense));
        assert_eq!((code(script.event()), script.count), (300, 1), "{nonsense}");
    }
    let mut script = Script::new(ann());
    script.answer(Class::Error, &[error(300)]);
    assert_eq!(code(script.event()), 300, "to nowhere");
}

#[test]
fn over_a_stream_the_owner_connects_to_the_other_server() {
    let mut script = Script::new(RelaySettings { is_stream: true, ..ann() });
    let attributes = [alternate("192.0.2.2:5349"), vec![(kind::ALTERNATE_DOMAIN, b"b.example.org".to_vec())]].concat();
    script.answer(Class::Error, &attributes);
    let (server, domain) = (address("192.0.2.2:5349"), Some("b.example.org".to_owned()));
    assert_eq!(script.event(), Some(RelayEvent::Redirected { server, domain }));
    assert_eq!(script.count, 1);
    script.relay.connected(script.now);
    script.hear();
    assert_eq!((script.count, script.request().method), (2, Method::ALLOCATE));
    script.relay.disconnected("Connection reset by peer");
    assert_eq!(code(script.event()), 701);
}

#[test]
fn data_is_only_believed_of_those_we_talk_to() {
    let mut script = Script::allocated(ann());
    let indication = |peer: &str, attributes: &[Attribute]| {
        let id = TransactionId([3; 12]);
        let (value, len) = encode_xor_address(address(peer), id);
        let peer = (kind::XOR_PEER_ADDRESS, value[..len].to_vec());
        message(Class::Indication, Method::DATA, id, &[vec![peer], attributes.to_vec()].concat(), None, &[])
    };
    let data = [(kind::DATA, b"\x17 hello".to_vec())];
    assert_eq!(script.take(&indication(PEER, &data)), RelayInput::Taken, "from nobody we know");
    script.relay.send(script.now, address(PEER), b"\x17", &mut vec![]);
    script.hear();
    script.answer_sealed(Class::Success, &[]);
    let packet = indication(PEER, &data);
    let RelayInput::Data { peer, at } = script.take(&packet) else { panic!("now it is one we know") };
    assert_eq!((peer, &packet[at]), (address(PEER), &b"\x17 hello"[..]));
    assert_eq!(script.take(&indication(OTHER, &data)), RelayInput::Taken);
    assert_eq!(script.take(&indication(PEER, &[])), RelayInput::Taken, "an indication of an ICMP error has no data");
    for channel_data in [&b"\x40\0\0\x02ab"[..], b"\x40\0\0\x09ab", b"\x7f\xff\0\0", b"\x40", b"\x40\0\0"] {
        assert_eq!(script.take(channel_data), RelayInput::Foreign, "{channel_data:?}");
    }
    let mut out = vec![];
    assert!(script.relay.send(script.now, address(PEER), b"\x17", &mut out));
    script.hear();
    assert_eq!(script.request().method, Method::CHANNEL_BIND);
    let early = RelayInput::Data { peer: address(PEER), at: 4..6 };
    assert_eq!(script.take(b"\x40\0\0\x02ab"), early, "the server's answer may be overtaken");
    assert_eq!(script.take(b"\x40\x01\0\x02ab"), RelayInput::Foreign);
}

#[test]
fn messages_of_others_are_left_to_them() {
    let mut script = Script::challenged(ann());
    let of_another = |method, class| message(class, method, TransactionId([9; 12]), &[error(437)], None, &[]);
    for packet in [
        of_another(Method::ALLOCATE, Class::Error),
        of_another(Method::BINDING, Class::Success),
        of_another(Method::BINDING, Class::Request),
        of_another(Method::SEND, Class::Indication),
        message(Class::Success, Method::REFRESH, script.request().transaction, &[], None, &[]),
        vec![],
        vec![0],
        vec![0x80; 40],
        b"\x16\xfe\xfd".to_vec(),
    ] {
        assert_eq!(script.take(&packet), RelayInput::Foreign, "{packet:?}");
    }
    assert_eq!((script.event(), script.count), (None, 2));
}

#[test]
fn a_peer_with_a_thousand_addresses_costs_only_so_much() {
    let mut script = Script::allocated(ann());
    for host in 0..1000_u32 {
        let peer = SocketAddr::new(std::net::Ipv4Addr::from_bits(0x0808_0000 + host).into(), 5000);
        script.relay.send(script.now, peer, &[0x17; 1200], &mut vec![]);
    }
    script.hear();
    assert_eq!(script.count, 2 + 512);
}

/// A world in which we know a peer on a channel and another without.
fn busy_world() -> World {
    let mut world = World::clean(RelaySettings { family: RelayFamily::V4, ..ann() });
    world.allocate();
    world.send(OTHER, b"\0\x01 check");
    for _ in 0..2 {
        world.send(PEER, b"\x17 data");
        world.run_for(1);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_from_the_server_break_it_or_end_it(packets: Vec<Vec<u8>>) {
        let mut world = busy_world();
        for packet in packets {
            if let RelayInput::Data { at, .. } = world.inject(&packet) {
                prop_assert!(at.end <= packet.len());
            }
        }
        world.send(PEER, b"\x17 data");
        world.run_for(1);
        prop_assert_eq!((world.events.len(), world.at_peers.len()), (1, 4));
    }

    /// Real answers with something else in them: whatever comes of it, what it then asks for comes to an end.
    #[test]
    fn no_damage_to_an_answer_makes_it_spin(at in 0_usize..200, to: u8, code in 300_u16..700, is_sealed: bool) {
        let mut script = Script::challenged(ann());
        let key = is_sealed.then(|| key("pass of ann"));
        let attributes = [script.relayed(), error(code)];
        let class = if at % 2 == 0 { Class::Success } else { Class::Error };
        let mut packet = script.message(class, &attributes, key.as_deref(), &[]);
        let len = packet.len();
        packet[at % len] = to;
        script.take(&packet);
        prop_assert!(script.wait(Duration::from_secs(1200)).len() < 100);
        prop_assert!(script.count < 40);
    }
}
