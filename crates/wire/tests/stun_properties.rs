//! Properties of the STUN codec: parse∘write is the identity, and no bytes make it panic.

use std::net::{IpAddr, SocketAddr};

use peerline_wire::stun::binding::{BindingRequest, MAX_ANSWER_LEN};
use peerline_wire::stun::{
    Class, FingerprintCheck, Message, MessageWriter, Method, TransactionId, decode_xor_address, encode_xor_address,
    kind,
};
use proptest::prelude::*;

fn class() -> impl Strategy<Value = Class> {
    prop_oneof![Just(Class::Request), Just(Class::Indication), Just(Class::Success), Just(Class::Error)]
}

fn method() -> impl Strategy<Value = Method> {
    (0..=Method::MAX).prop_map(|number| Method::new(number).unwrap())
}

fn attributes() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    let any_but_fingerprint = any::<u16>().prop_filter("written apart", |number| *number != kind::FINGERPRINT);
    proptest::collection::vec((any_but_fingerprint, proptest::collection::vec(any::<u8>(), 0..40)), 0..12)
}

fn address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

fn write(class: Class, method: Method, id: [u8; 12], attributes: &[(u16, Vec<u8>)], fingerprint: bool) -> Vec<u8> {
    let mut buffer = vec![0xAA; 2048];
    let mut writer = MessageWriter::new(&mut buffer, class, method, TransactionId(id)).unwrap();
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_what_is_read(
        class in class(), method in method(), id: [u8; 12], attributes in attributes(), fingerprint: bool,
    ) {
        let bytes = write(class, method, id, &attributes, fingerprint);
        let message = Message::parse(&bytes).unwrap();
        prop_assert_eq!((message.class, message.method, message.transaction), (class, method, TransactionId(id)));
        let read: Vec<_> = message.attributes()
            .filter(|a| a.kind != kind::FINGERPRINT).map(|a| (a.kind, a.value.to_vec())).collect();
        prop_assert_eq!(&read, &attributes);
        let expected = if fingerprint { FingerprintCheck::Right } else { FingerprintCheck::Absent };
        prop_assert_eq!(message.check_fingerprint(), expected);
        // And back: what was read, written again, is the same bytes.
        prop_assert_eq!(write(class, method, id, &read, fingerprint), bytes);
    }

    #[test]
    fn addresses_survive_the_xor(address in address(), id: [u8; 12]) {
        let (value, len) = encode_xor_address(address, TransactionId(id));
        prop_assert_eq!(decode_xor_address(&value[..len], TransactionId(id)), Some(address));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), source in address()) {
        exercise(&bytes, source);
    }

    #[test]
    fn nearly_right_messages_never_panic(
        attributes in attributes(), id: [u8; 12], cut in 0_usize..300, flip in 0_usize..300, by: u8, source in address(),
    ) {
        let mut bytes = write(Class::Request, Method::BINDING, id, &attributes, true);
        if let Some(byte) = bytes.get_mut(flip) {
            *byte ^= by;
        }
        bytes.truncate(bytes.len().saturating_sub(cut).max(cut.min(20)));
        exercise(&bytes, source);
    }

    #[test]
    fn an_answer_is_never_more_than_the_floor_or_a_little_over_its_request(
        attributes in attributes(), id: [u8; 12], fingerprint: bool, source in address(),
    ) {
        let request = write(Class::Request, Method::BINDING, id, &attributes, fingerprint);
        let mut buffer = [0; MAX_ANSWER_LEN];
        let answer = BindingRequest::parse(&request).unwrap().answer(source, &mut buffer);
        let len = answer.bytes(&buffer).len();
        prop_assert!(len <= 44 + 8 || len <= request.len() * 2, "{} bytes for {}", len, request.len());
    }
}

fn exercise(bytes: &[u8], source: SocketAddr) {
    if let Ok(message) = Message::parse(bytes) {
        for attribute in message.attributes() {
            let _ = decode_xor_address(attribute.value, message.transaction);
        }
        let _ = message.check_fingerprint();
    }
    if let Ok(request) = BindingRequest::parse(bytes) {
        let mut buffer = [0; MAX_ANSWER_LEN];
        let answer = request.answer(source, &mut buffer);
        let parsed = Message::parse(answer.bytes(&buffer)).expect("our own answer parses");
        assert_eq!(parsed.transaction, request.transaction());
    }
}
