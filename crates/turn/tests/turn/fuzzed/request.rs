//! Requests of every make: sensible ones, ones with anything in them, sealed ones with something behind the seal.

use peerline_wire::stun::{Method, kind};

use crate::client::{Client, UDP};
use crate::draft::Attribute;
use crate::fuzzed::bytes::Bytes;

pub(crate) const PEERS: [&str; 12] = [
    "8.8.8.8:5000",
    "8.8.8.8:5001",
    "1.1.1.1:5000",
    "[2606:4700::1]:5000",
    "[::ffff:8.8.4.4]:5000",
    "8.8.8.8:0",
    "8.8.8.8:53",
    "10.0.0.1:5000",
    "127.0.0.1:5000",
    "[::1]:5000",
    "[::ffff:169.254.169.254]:5000",
    "[64:ff9b::7f00:1]:5000",
];

const NUMBERS: [u16; 6] = [0x4000, 0x4001, 0x7fff, 0x3fff, 0x8000, 0];

const LIFETIMES: [u32; 5] = [0, 600, 3600, u32::MAX, 1];

const METHODS: [Method; 7] = [
    Method::ALLOCATE,
    Method::REFRESH,
    Method::CREATE_PERMISSION,
    Method::CHANNEL_BIND,
    Method::BINDING,
    Method::CONNECT,
    Method::CONNECTION_BIND,
];

const KINDS: [u16; 29] = [
    kind::CONNECTION_ID,
    kind::CHANGE_REQUEST,
    kind::RESPONSE_PORT,
    kind::MAPPED_ADDRESS,
    kind::USERNAME,
    kind::MESSAGE_INTEGRITY,
    kind::ERROR_CODE,
    kind::CHANNEL_NUMBER,
    kind::LIFETIME,
    kind::XOR_PEER_ADDRESS,
    kind::DATA,
    kind::REALM,
    kind::NONCE,
    kind::REQUESTED_ADDRESS_FAMILY,
    kind::EVEN_PORT,
    kind::REQUESTED_TRANSPORT,
    kind::DONT_FRAGMENT,
    kind::MESSAGE_INTEGRITY_SHA256,
    kind::PASSWORD_ALGORITHM,
    kind::USERHASH,
    kind::RESERVATION_TOKEN,
    kind::ADDITIONAL_ADDRESS_FAMILY,
    kind::PASSWORD_ALGORITHMS,
    kind::SOFTWARE,
    kind::FINGERPRINT,
    kind::MOBILITY_TICKET,
    0x7fff,
    0xffff,
    0,
];

/// Of an Allocate; each bit of the first byte adds one.
pub(crate) fn allocate(bytes: &mut Bytes<'_>, token: &[u8]) -> Vec<Attribute> {
    let bits = bytes.byte();
    let mut attributes = vec![(UDP.0, UDP.1.to_vec())];
    let optional = [
        (kind::EVEN_PORT, vec![0x80]),
        (kind::EVEN_PORT, vec![0]),
        (kind::RESERVATION_TOKEN, token.to_vec()),
        (kind::ADDITIONAL_ADDRESS_FAMILY, vec![2, 0, 0, 0]),
        (kind::REQUESTED_ADDRESS_FAMILY, vec![2, 0, 0, 0]),
        (kind::MOBILITY_TICKET, vec![]),
        (kind::DONT_FRAGMENT, vec![]),
    ];
    attributes.extend(optional.into_iter().enumerate().filter(|(bit, _)| bits >> bit & 1 != 0).map(|(_, one)| one));
    if bits & 0x80 != 0 {
        attributes.push(lifetime(bytes));
    }
    attributes
}

/// Of a Refresh.
pub(crate) fn refresh(bytes: &mut Bytes<'_>, ticket: Option<&Vec<u8>>) -> Vec<Attribute> {
    let mut attributes = vec![lifetime(bytes)];
    let family = bytes.byte() % 4;
    if family != 0 {
        attributes.push((kind::REQUESTED_ADDRESS_FAMILY, vec![family, 0, 0, 0]));
    }
    attributes.extend(ticket.map(|ticket| (kind::MOBILITY_TICKET, ticket.clone())));
    attributes
}

/// Of a CreatePermission: up to fifteen peers.
pub(crate) fn permission(bytes: &mut Bytes<'_>, client: &Client) -> Vec<Attribute> {
    let count = bytes.byte() & 0xf;
    let peers: Vec<&str> = (0..count).map(|_| *bytes.one_of(&PEERS)).collect();
    client.peers(&peers)
}

/// Of a ChannelBind.
pub(crate) fn channel(bytes: &mut Bytes<'_>, client: &Client) -> Vec<Attribute> {
    let channel = (kind::CHANNEL_NUMBER, (u32::from(number(bytes)) << 16).to_be_bytes().to_vec());
    let peer = client.peers(&[*bytes.one_of(&PEERS)]);
    [vec![channel], peer].concat()
}

/// Most often one of those that mean something.
pub(crate) fn number(bytes: &mut Bytes<'_>) -> u16 {
    match bytes.byte() {
        255 => bytes.word(),
        low => NUMBERS[usize::from(low) % NUMBERS.len()],
    }
}

fn lifetime(bytes: &mut Bytes<'_>) -> Attribute {
    (kind::LIFETIME, bytes.one_of(&LIFETIMES).to_be_bytes().to_vec())
}

/// A request with anything in it: before the seal, and behind it, where nothing must be obeyed.
pub(crate) fn free(bytes: &mut Bytes<'_>, client: &mut Client) -> Vec<u8> {
    let method = *bytes.one_of(&METHODS);
    let before = attributes(bytes);
    let draft = client.signed(method, &before);
    let key = client.key();
    let sealed = match bytes.byte() % 8 {
        0 => draft,
        1 => draft.seal_sha1(&key).seal_sha256(&key),
        2 => draft.seal_sha256(&key).seal_sha1(&key),
        3 => draft.seal_sha1(&key).seal_sha1(&key),
        4 => draft.seal_sha256(&key),
        _ => draft.seal_sha1(&key),
    };
    let behind = attributes(bytes);
    let whole = sealed.with_all(&behind);
    if bytes.flag() { whole.fingerprint().bytes() } else { whole.bytes() }
}

/// Without credentials.
pub(crate) fn bare(bytes: &mut Bytes<'_>, client: &mut Client) -> Vec<u8> {
    let method = *bytes.one_of(&METHODS);
    client.bare(method, &attributes(bytes))
}

fn attributes(bytes: &mut Bytes<'_>) -> Vec<Attribute> {
    let count = bytes.byte() & 7;
    (0..count).map(|_| (*bytes.one_of(&KINDS), bytes.some().to_vec())).collect()
}
