//! The sample messages of RFC 5769, which still hold for RFC 8489.

use std::net::SocketAddr;

use peerline_wire::stun::{Class, FingerprintCheck, Message, Method, decode_xor_address, encode_xor_address, kind};

const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae\
    802200105354554e207465737420636c69656e74 002400046e0001ff 80290008932ff9b151263b36\
    000600096576746a3a68367659202020 000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004e57a3bcf";
const RESPONSE_IPV4: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae\
    8022000b7465737420766563746f7220 002000080001a147e112a643\
    000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004c07d4c96";
const IPV6_VALUE: &str = "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn the_sample_request_parses_and_its_fingerprint_is_right() {
    let bytes = bytes(REQUEST);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.class, message.method), (Class::Request, Method::BINDING));
    assert_eq!(message.attribute(kind::SOFTWARE).unwrap().value, b"STUN test client");
    assert_eq!(message.attribute(kind::USERNAME).unwrap().value, b"evtj:h6vY");
    assert_eq!(message.attributes().count(), 6);
    assert_eq!(message.check_fingerprint(), FingerprintCheck::Right);
}

#[test]
fn the_sample_response_tells_the_mapped_ipv4_address() {
    let bytes = bytes(RESPONSE_IPV4);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.class, Class::Success);
    assert_eq!(message.check_fingerprint(), FingerprintCheck::Right);
    let value = message.attribute(kind::XOR_MAPPED_ADDRESS).unwrap().value;
    let expected: SocketAddr = "192.0.2.1:32853".parse().unwrap();
    assert_eq!(decode_xor_address(value, message.transaction), Some(expected));
}

#[test]
fn an_ipv6_address_is_hidden_by_the_transaction_id_too() {
    let request = bytes(REQUEST);
    let transaction = Message::parse(&request).unwrap().transaction;
    let address: SocketAddr = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
    let (value, len) = encode_xor_address(address, transaction);
    assert_eq!(value[..len], bytes(IPV6_VALUE));
    assert_eq!(decode_xor_address(&value, transaction), Some(address));
}

#[test]
fn one_flipped_bit_anywhere_breaks_the_fingerprint() {
    let good = bytes(REQUEST);
    for position in 20..good.len() {
        let mut bad = good.clone();
        bad[position] ^= 1;
        if let Ok(message) = Message::parse(&bad) {
            assert_ne!(message.check_fingerprint(), FingerprintCheck::Right, "byte {position}");
        }
    }
}
