//! What a fuzzer's bytes make a TURN server say to our client (RFC 8656): right things, wrong things, and those of a liar
//! who knows the password.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use md5::{Digest, Md5};
use peerline_transport::relay::{Relay, RelayEvent, RelayFamily, RelayInput, RelaySettings, RelayStream};
use peerline_wire::stun::{Class, Message, Method, encode_address, encode_xor_address, kind};

use crate::bytes::Bytes;
use crate::draft::{Attribute, Draft, INDICATION};
use crate::mutation::mutate;

const MAX_STEPS: usize = 120;
const SUCCESS: u16 = 0x100;
const ERROR: u16 = 0x110;
const REALM: &str = "example.org";
const CODES: [u16; 16] = [300, 400, 401, 403, 420, 437, 438, 440, 441, 442, 443, 486, 500, 508, 699, 701];
const NONCES: [&str; 5] = ["once", "twice", "obMatJos2gAAA0000", "obMatJos2wAAAx", ""];
const SECONDS: [u64; 8] = [0, 1, 10, 40, 61, 301, 601, 4000];
const ADDRESSES: [&str; 6] =
    ["203.0.113.9:49152", "[2600::9]:49152", "0.0.0.0:0", "8.8.8.8:5000", "192.0.2.2:3478", "[::ffff:8.8.8.8]:5000"];
const PEERS: [&str; 4] = ["8.8.8.8:5000", "8.8.8.8:5001", "9.9.9.9:6000", "[2606:4700::1]:5000"];
const METHODS: [Method; 5] =
    [Method::ALLOCATE, Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND, Method::DATA];
const KINDS: [u16; 22] = [
    kind::ERROR_CODE,
    kind::REALM,
    kind::NONCE,
    kind::LIFETIME,
    kind::XOR_RELAYED_ADDRESS,
    kind::XOR_MAPPED_ADDRESS,
    kind::XOR_PEER_ADDRESS,
    kind::DATA,
    kind::PASSWORD_ALGORITHMS,
    kind::PASSWORD_ALGORITHM,
    kind::ALTERNATE_SERVER,
    kind::ALTERNATE_DOMAIN,
    kind::MAPPED_ADDRESS,
    kind::UNKNOWN_ATTRIBUTES,
    kind::MESSAGE_INTEGRITY,
    kind::MESSAGE_INTEGRITY_SHA256,
    kind::FINGERPRINT,
    kind::SOFTWARE,
    kind::ADDRESS_ERROR_CODE,
    kind::MOBILITY_TICKET,
    kind::USERHASH,
    0x7fff,
];

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn one_address(bytes: &mut Bytes<'_>, of: &[&str]) -> SocketAddr {
    let text = bytes.one_of(of);
    address(text)
}

/// Panics if something does not hold.
pub(crate) fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let mut walk = Walk::new(bytes.byte());
    for _ in 0..MAX_STEPS {
        if bytes.is_empty() {
            break;
        }
        walk.step(&mut bytes);
        walk.check();
    }
    walk.end();
}

struct Walk {
    now: Instant,
    relay: Relay,
    stream: RelayStream,
    /// The last requests of the client, the newest last.
    asked: Vec<Vec<u8>>,
    last: Vec<u8>,
    is_stream: bool,
    is_closing: bool,
    is_over: bool,
}

impl Walk {
    fn new(bits: u8) -> Self {
        let (now, is_stream) = (Instant::now(), bits & 1 != 0);
        let settings = RelaySettings {
            server: address("192.0.2.1:3478"),
            is_stream,
            family: if bits & 2 == 0 { RelayFamily::V4 } else { RelayFamily::V6 },
            username: "ann".to_owned(),
            password: "pass of ann".to_owned(),
        };
        let relay = Relay::new(now, settings);
        let mut walk = Self {
            now,
            relay,
            stream: RelayStream::default(),
            asked: Vec::new(),
            last: Vec::new(),
            is_stream,
            is_closing: false,
            is_over: false,
        };
        walk.relay.connected(now);
        walk.check();
        // Most begin with an allocation that stands.
        if bits & 4 == 0 {
            let once =
                [(kind::ERROR_CODE, vec![0, 0, 4, 1]), (kind::REALM, REALM.into()), (kind::NONCE, b"once".to_vec())];
            walk.answer(ERROR, &once, 0);
            let relayed =
                attribute(kind::XOR_RELAYED_ADDRESS, address(ADDRESSES[usize::from(bits & 2 != 0)]), walk.id());
            walk.answer(SUCCESS, &[relayed, (kind::LIFETIME, 600_u32.to_be_bytes().to_vec())], 1);
        }
        walk
    }

    /// Of the newest request.
    fn id(&self) -> [u8; 12] {
        self.asked.last().and_then(|asked| asked[8..20].try_into().ok()).unwrap_or_default()
    }

    /// Answers the newest request; unsealed, or sealed with this key.
    fn answer(&mut self, class: u16, attributes: &[Attribute], seal: u8) {
        let Some(asked) = self.asked.last().cloned() else { return };
        let Ok(request) = Message::parse(&asked) else { return };
        let draft = Draft::new(class, request.method, request.transaction.0).with_all(attributes);
        self.take(sealed(draft, seal).bytes());
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let now = self.now;
        match bytes.byte() % 16 {
            0..=4 => {
                let draft = self.lie(bytes);
                self.take(draft);
            }
            5 => {
                let packet = mutate(bytes, self.last.clone(), &[], 0);
                self.take(packet);
            }
            6 => self.take(bytes.some().to_vec()),
            7 => {
                let data = bytes.some();
                let number = 0x4000 + u16::from(bytes.byte() % 4);
                let len = if bytes.byte().is_multiple_of(8) { bytes.word() } else { data.len() as u16 };
                self.take([&number.to_be_bytes()[..], &len.to_be_bytes(), data].concat());
            }
            8 => {
                let peer = one_address(bytes, &PEERS);
                let draft = Draft::new(INDICATION, Method::DATA, [1; 12]);
                let peer = attribute(kind::XOR_PEER_ADDRESS, peer, [1; 12]);
                let draft = draft.with_all(&[peer, (kind::DATA, bytes.some().to_vec())]);
                self.take(draft.bytes());
            }
            9..=11 => {
                let (peer, mut out) = (one_address(bytes, &PEERS), Vec::new());
                // As DTLS, or as a check.
                let data = [&[*bytes.one_of(&[22, 0])][..], bytes.some()].concat();
                let is_sent = self.relay.send(now, peer, &data, &mut out);
                assert_eq!(is_sent, !out.is_empty());
                assert!(!is_sent || out.windows(data.len()).any(|part| part == data));
                assert!(!self.is_over || !is_sent);
            }
            12 if self.is_stream && bytes.byte().is_multiple_of(4) => self.relay.disconnected("gone"),
            12 => self.relay.connected(now),
            13 if bytes.byte().is_multiple_of(8) => {
                self.is_closing = true;
                self.relay.close(now);
            }
            14 => {
                self.now += Duration::from_secs(*bytes.one_of(&SECONDS));
                self.settle();
            }
            _ => {
                self.now = self.now.max(self.relay.poll_timeout().unwrap_or(self.now));
                self.settle();
            }
        }
    }

    /// An answer to one of the requests, with what such answers have in them, or anything.
    fn lie(&mut self, bytes: &mut Bytes<'_>) -> Vec<u8> {
        let nth = usize::from(bytes.byte() % 8);
        let asked = self.asked.iter().rev().nth(nth).or(self.asked.last()).cloned().unwrap_or_default();
        let request = Message::parse(&asked).ok();
        let id = request.map_or([9; 12], |request| request.transaction.0);
        let method = request.map_or(Method::ALLOCATE, |request| request.method);
        let method = if bytes.byte().is_multiple_of(8) { *bytes.one_of(&METHODS) } else { method };
        let class = *bytes.one_of(&[SUCCESS, ERROR, SUCCESS, ERROR, INDICATION, 0]);
        let mut draft = Draft::new(class, method, id);
        for _ in 0..bytes.byte() % 6 {
            let (kind, value) = one_attribute(bytes, id);
            draft = draft.with(kind, value);
        }
        let mut draft = sealed(draft, bytes.byte() % 5);
        if bytes.byte().is_multiple_of(8) {
            let (kind, value) = one_attribute(bytes, id);
            draft = draft.with(kind, value);
        }
        if bytes.byte().is_multiple_of(4) { draft.fingerprint().bytes() } else { draft.bytes() }
    }

    fn take(&mut self, packet: Vec<u8>) {
        if self.is_stream {
            // Padded, as messages of a stream are.
            let mut padded = packet.clone();
            padded.resize(packet.len().next_multiple_of(4), 0);
            self.stream.push(&padded);
            loop {
                match self.stream.next_message() {
                    Ok(Some(message)) => hand_in(&mut self.relay, self.now, message),
                    Ok(None) => break,
                    Err(_) => {
                        self.stream = RelayStream::default();
                        self.relay.disconnected("nonsense");
                        break;
                    }
                }
            }
        } else {
            hand_in(&mut self.relay, self.now, &packet);
        }
        self.last = packet;
        self.check();
    }

    fn settle(&mut self) {
        let mut times = 0;
        while self.relay.poll_timeout().is_some_and(|due| due <= self.now) {
            self.relay.handle_timeout(self.now);
            self.check();
            times += 1;
            assert!(times < 1000, "it is due again and again without time passing");
        }
    }

    fn check(&mut self) {
        let mut count = 0;
        while let Some(event) = self.relay.poll_event() {
            // Who closes what is over already is told that it is closed.
            let is_asked_for = event == RelayEvent::Closed && std::mem::take(&mut self.is_closing);
            assert!(!self.is_over || is_asked_for, "after its end: {event:?}");
            match event {
                RelayEvent::Redirected { .. } if self.is_stream => self.relay.connected(self.now),
                RelayEvent::Failed { .. } | RelayEvent::Lost { .. } | RelayEvent::Closed => self.is_over = true,
                _ => {}
            }
        }
        while let Some(packet) = self.relay.poll_transmit() {
            count += 1;
            assert!(count <= 200, "{count} packets in one step");
            let Ok(message) = Message::parse(&packet) else { continue };
            if message.class == Class::Request {
                self.asked.push(packet);
            }
        }
        if self.asked.len() > 16 {
            self.asked.drain(..self.asked.len() - 16);
        }
        assert!(!self.is_over || self.relay.relayed().is_none());
    }

    /// The server is silent from now on: the relay ends, and there is nothing to be woken for.
    fn end(mut self) {
        let mut wakes = 0;
        while let Some(due) = self.relay.poll_timeout() {
            self.now = self.now.max(due);
            self.relay.handle_timeout(self.now);
            self.check();
            wakes += 1;
            assert!(wakes < 20_000, "it is woken without end");
        }
        assert!(self.relay.relayed().is_none());
    }
}

fn hand_in(relay: &mut Relay, now: Instant, packet: &[u8]) {
    if let RelayInput::Data { peer, at } = relay.handle_input(now, packet) {
        assert!(packet.get(at).is_some());
        assert!(PEERS.contains(&peer.to_string().as_str()) || !peer.ip().is_unspecified());
    }
}

fn attribute(kind: u16, value: SocketAddr, id: [u8; 12]) -> Attribute {
    let (bytes, len) = encode_xor_address(value, peerline_wire::stun::TransactionId(id));
    (kind, bytes[..len].to_vec())
}

fn one_attribute(bytes: &mut Bytes<'_>, id: [u8; 12]) -> Attribute {
    let kind = *bytes.one_of(&KINDS);
    let value = match (bytes.byte() % 8, kind) {
        (0, _) => bytes.some().to_vec(),
        (_, kind::ERROR_CODE) => {
            let code = *bytes.one_of(&CODES);
            vec![0, 0, (code / 100) as u8, (code % 100) as u8]
        }
        (_, kind::REALM) => REALM.into(),
        (_, kind::NONCE) => (*bytes.one_of(&NONCES)).as_bytes().to_vec(),
        (_, kind::LIFETIME) => bytes.one_of(&[0_u32, 1, 600, 3600, u32::MAX]).to_be_bytes().to_vec(),
        (_, kind::PASSWORD_ALGORITHMS) => {
            bytes.one_of(&[&[0, 2, 0, 0, 0, 1, 0, 0][..], &[0, 1, 0, 0], &[0, 9]]).to_vec()
        }
        (_, kind::ALTERNATE_SERVER | kind::MAPPED_ADDRESS) => {
            let (value, len) = encode_address(one_address(bytes, &ADDRESSES));
            value[..len].to_vec()
        }
        (_, kind::XOR_RELAYED_ADDRESS | kind::XOR_MAPPED_ADDRESS | kind::XOR_PEER_ADDRESS) => {
            return attribute(kind, one_address(bytes, &ADDRESSES), id);
        }
        _ => bytes.some().to_vec(),
    };
    (kind, value)
}

/// 0: not at all; else by whom knows the password, in one of the ways there are.
fn sealed(draft: Draft, how: u8) -> Draft {
    let text = format!("ann:{REALM}:pass of ann");
    match how {
        1 | 4 => draft.seal_sha1(&Md5::digest(&text)),
        2 => draft.seal_sha256(digest::digest(&digest::SHA256, text.as_bytes()).as_ref()),
        3 => draft.seal_sha256(&Md5::digest(&text)),
        _ => draft,
    }
}
