//! The sealed sample messages of RFC 5769 §2 and of RFC 8489 appendix B.1 (with its erratum 6268).

use aws_lc_rs::{digest, hmac};
use peerline_wire::stun::{Class, Message, MessageWriter, kind};

use crate::credentials::{Algorithm, LongTermKey};
use crate::request::{Integrity, Request};

const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";
const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae\
    802200105354554e207465737420636c69656e74 002400046e0001ff 80290008932ff9b151263b36\
    000600096576746a3a68367659202020 000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004e57a3bcf";
const RESPONSE_IPV4: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae\
    8022000b7465737420766563746f7220 002000080001a147e112a643\
    000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004c07d4c96";
const RESPONSE_IPV6: &str = "010100482112a442b7e7a701bc34d686fa87dfae\
    8022000b7465737420766563746f7220 002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9\
    00080014a382954e4be67bf11784c97c8292c275bfe3ed41 80280004c8fb0b4c";

const USERNAME: &str = "マトリックス";
const REALM: &str = "example.org";
/// As it is after SASLprep.
const LONG_TERM_PASSWORD: &str = "TheMatrIX";
const LONG_TERM: &str = "000100602112a44278ad3433c6ad72c029da412e\
    00060012e3839ee38388e383aae38383e382afe382b90000\
    0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341 0014000b6578616d706c652e6f726700\
    00080014f67024656dd64a3e02b8e0712e85c9a28ca89666";
const SHA256: &str = "000100902112a44278ad3433c6ad72c029da412e\
    001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704\
    001500296f624d61744a6f7332414141 43662f2f3439396b39353464364f4c33346f4c39465354767936347341000000\
    0014000b6578616d706c652e6f726700 001d000400020000\
    001c0020b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn what_a_seal_covers_is_what_the_samples_cover() {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, PASSWORD.as_bytes());
    for sample in [REQUEST, RESPONSE_IPV4, RESPONSE_IPV6] {
        let bytes = bytes(sample);
        let message = Message::parse(&bytes).unwrap();
        let seal = message.attribute(kind::MESSAGE_INTEGRITY).unwrap();
        let (head, rest) = message.covered_by(&seal);
        assert!(hmac::verify(&key, &[&head, rest].concat(), seal.value).is_ok());
    }
}

#[test]
fn the_long_term_samples_are_sealed_with_our_keys() {
    for (sample, algorithm, integrity) in
        [(LONG_TERM, Algorithm::Md5, Integrity::Sha1), (SHA256, Algorithm::Sha256, Integrity::Sha256)]
    {
        let bytes = bytes(sample);
        let request = Request::new(Message::parse(&bytes).unwrap(), false);
        assert_eq!(request.integrity(), Some(integrity));
        let key = LongTermKey::derive(algorithm, USERNAME, REALM, LONG_TERM_PASSWORD);
        assert!(request.is_sealed_with(integrity, &key));
        let other = LongTermKey::derive(algorithm, USERNAME, REALM, "TheMatrix");
        assert!(!request.is_sealed_with(integrity, &other));
    }
}

#[test]
fn the_hash_of_the_sample_name_is_the_one_in_the_sample() {
    let bytes = bytes(SHA256);
    let request = Request::new(Message::parse(&bytes).unwrap(), false);
    let hash = digest::digest(&digest::SHA256, format!("{USERNAME}:{REALM}").as_bytes());
    assert_eq!(request.find(kind::USERHASH).unwrap().value, hash.as_ref());
}

#[test]
fn the_samples_come_out_as_they_are_when_we_write_them() {
    for (sample, algorithm, integrity) in
        [(LONG_TERM, Algorithm::Md5, Integrity::Sha1), (SHA256, Algorithm::Sha256, Integrity::Sha256)]
    {
        let expected = bytes(sample);
        let message = Message::parse(&expected).unwrap();
        let key = integrity.key(&LongTermKey::derive(algorithm, USERNAME, REALM, LONG_TERM_PASSWORD));
        let mut buffer = [0xff; 200];
        let mut writer = MessageWriter::new(&mut buffer, Class::Request, message.method, message.transaction).unwrap();
        for attribute in message.attributes().take_while(|attribute| attribute.kind != integrity.kind()) {
            writer.attribute(attribute.kind, attribute.value).unwrap();
        }
        let sign = |bytes: &[u8]| hmac::sign(&key, bytes);
        match integrity {
            Integrity::Sha1 => writer.integrity::<20>(integrity.kind(), |b| sign(b).as_ref().try_into().unwrap()),
            Integrity::Sha256 => writer.integrity::<32>(integrity.kind(), |b| sign(b).as_ref().try_into().unwrap()),
        }
        .unwrap();
        let len = writer.finish();
        assert_eq!(buffer[..len], expected);
    }
}
