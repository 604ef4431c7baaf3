//! What a STUN server answers, and to what it stays silent (RFC 8489 §6.3.1).

use std::net::SocketAddr;

use peerline_wire::stun::binding::{Answer, BindingRequest, MAX_ANSWER_LEN, Silence};
use peerline_wire::stun::{
    Class, FingerprintCheck, Message, MessageWriter, Method, ParseError, TransactionId, decode_xor_address, kind,
};

const ID: TransactionId = TransactionId(*b"twelve bytes");

fn message(class: Class, method: Method, attributes: &[(u16, &[u8])], fingerprint: bool) -> Vec<u8> {
    let mut buffer = vec![0; 8192];
    let mut writer = MessageWriter::new(&mut buffer, class, method, ID).unwrap();
    for (kind, value) in attributes {
        writer.attribute(*kind, value).unwrap();
    }
    if fingerprint {
        writer.fingerprint().unwrap();
    }
    let len = writer.finish();
    buffer.truncate(len);
    buffer
}

fn request(attributes: &[(u16, &[u8])], fingerprint: bool) -> Vec<u8> {
    message(Class::Request, Method::BINDING, attributes, fingerprint)
}

fn answer(request: &[u8], source: &str) -> (Answer, Vec<u8>) {
    let mut buffer = [0; MAX_ANSWER_LEN];
    let answer = BindingRequest::parse(request).unwrap().answer(source.parse().unwrap(), &mut buffer);
    (answer, answer.bytes(&buffer).to_vec())
}

fn silence(datagram: &[u8]) -> Silence {
    BindingRequest::parse(datagram).unwrap_err()
}

fn mapped(answer: &[u8]) -> Option<SocketAddr> {
    let message = Message::parse(answer).unwrap();
    assert_eq!(message.class, Class::Success);
    decode_xor_address(message.attribute(kind::XOR_MAPPED_ADDRESS)?.value, message.transaction)
}

#[test]
fn a_bare_request_gets_the_smallest_answer() {
    let (kind, bytes) = answer(&request(&[], false), "203.0.113.7:4242");
    assert_eq!(kind, Answer::Success(32));
    assert_eq!(mapped(&bytes), Some("203.0.113.7:4242".parse().unwrap()));
    let (kind, bytes) = answer(&request(&[], false), "[2001:db8::7]:4242");
    assert_eq!(kind, Answer::Success(44));
    assert_eq!(mapped(&bytes), Some("[2001:db8::7]:4242".parse().unwrap()));
}

#[test]
fn an_ipv4_client_of_an_ipv6_socket_is_told_its_ipv4_address() {
    let (kind, bytes) = answer(&request(&[], false), "[::ffff:203.0.113.7]:4242");
    assert_eq!(kind, Answer::Success(32));
    assert_eq!(mapped(&bytes), Some("203.0.113.7:4242".parse().unwrap()));
}

#[test]
fn fingerprint_is_sent_only_to_whom_sent_one() {
    let (kind, bytes) = answer(&request(&[], true), "203.0.113.7:4242");
    assert_eq!(kind, Answer::Success(40));
    assert_eq!(Message::parse(&bytes).unwrap().check_fingerprint(), FingerprintCheck::Right);
    let (_, bytes) = answer(&request(&[(0x7777, b"")], true), "203.0.113.7:4242");
    assert_eq!(Message::parse(&bytes).unwrap().check_fingerprint(), FingerprintCheck::Right);
}

#[test]
fn attributes_that_need_not_be_understood_are_ignored() {
    let attributes: [(u16, &[u8]); 3] = [(kind::SOFTWARE, b"some client"), (0xC057, b"1234"), (kind::USERNAME, b"me")];
    assert_eq!(answer(&request(&attributes, false), "203.0.113.7:1").0, Answer::Success(32));
}

#[test]
fn unknown_attributes_that_must_be_understood_are_named_in_a_420() {
    let (kind, bytes) = answer(&request(&[(0x0003, &[0; 4]), (0x8022, b"x"), (0x7777, b"")], false), "203.0.113.7:1");
    assert_eq!(kind, Answer::UnknownAttributes(36));
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.class, Class::Error);
    assert_eq!(message.attribute(self::kind::ERROR_CODE).unwrap().value, [0, 0, 4, 20]);
    assert_eq!(message.attribute(self::kind::UNKNOWN_ATTRIBUTES).unwrap().value, [0x00, 0x03, 0x77, 0x77]);
}

#[test]
fn more_unknown_attributes_than_fit_are_cut_short() {
    let many: Vec<(u16, &[u8])> = (0x4000..0x4400).map(|kind| (kind, &[][..])).collect();
    let (kind, bytes) = answer(&request(&many, true), "203.0.113.7:1");
    assert_eq!(kind, Answer::UnknownAttributes(MAX_ANSWER_LEN));
    assert_eq!(Message::parse(&bytes).unwrap().check_fingerprint(), FingerprintCheck::Right);
}

#[test]
fn what_follows_an_integrity_attribute_is_not_looked_at() {
    let attributes: [(u16, &[u8]); 2] = [(kind::MESSAGE_INTEGRITY, &[0; 20]), (0x7777, b"")];
    assert_eq!(answer(&request(&attributes, false), "203.0.113.7:1").0, Answer::Success(32));
}

#[test]
fn responses_indications_and_other_methods_get_silence() {
    for class in [Class::Success, Class::Error, Class::Indication] {
        assert_eq!(silence(&message(class, Method::BINDING, &[], false)), Silence::NotARequest);
    }
    let allocate = Method::new(0x003).unwrap();
    assert_eq!(silence(&message(Class::Request, allocate, &[], false)), Silence::OtherMethod);
}

#[test]
fn garbage_gets_silence_and_a_reason() {
    let good = request(&[(kind::SOFTWARE, b"abc")], false);
    let with = |position: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[position] = byte;
        silence(&bytes)
    };
    assert_eq!(silence(b""), Silence::Malformed(ParseError::TooShort));
    assert_eq!(silence(&good[..19]), Silence::Malformed(ParseError::TooShort));
    assert_eq!(with(0, 0x80), Silence::Malformed(ParseError::NotStun));
    assert_eq!(with(4, 0x22), Silence::Malformed(ParseError::WrongCookie));
    assert_eq!(with(3, 4), Silence::Malformed(ParseError::WrongLength));
    assert_eq!(with(3, 9), Silence::Malformed(ParseError::WrongLength));
    assert_eq!(with(23, 200), Silence::Malformed(ParseError::AttributeTooLong { offset: 20 }));
    let longer = [&good[..], &[0; 4]].concat();
    assert_eq!(silence(&longer), Silence::Malformed(ParseError::WrongLength));
}

#[test]
fn a_wrong_or_misplaced_fingerprint_gets_silence() {
    let mut wrong = request(&[], true);
    *wrong.last_mut().unwrap() ^= 1;
    assert_eq!(silence(&wrong), Silence::WrongFingerprint);
    let not_last = request(&[(kind::FINGERPRINT, &[0; 4]), (kind::SOFTWARE, b"x")], false);
    assert_eq!(silence(&not_last), Silence::WrongFingerprint);
    assert_eq!(silence(&request(&[(kind::FINGERPRINT, b"")], false)), Silence::WrongFingerprint);
}
