//! Any datagram, as the STUN server gets it (RFC 8489): it never panics, and what it answers parses.
//!
//! Run: `make fuzz TARGET=stun`.

#![no_main]

use std::net::SocketAddr;

use libfuzzer_sys::fuzz_target;
use peerline_wire::stun::binding::{BindingRequest, MAX_ANSWER_LEN};
use peerline_wire::stun::{Message, decode_xor_address};

fuzz_target!(|datagram: &[u8]| {
    if let Ok(message) = Message::parse(datagram) {
        assert_eq!(message.as_bytes(), datagram);
        let walked: usize = message.attributes().map(|a| 4 + a.value.len().next_multiple_of(4)).sum();
        assert_eq!(20 + walked, datagram.len(), "the attributes fill the message");
        for attribute in message.attributes() {
            decode_xor_address(attribute.value, message.transaction);
        }
    }
    let Ok(request) = BindingRequest::parse(datagram) else { return };
    for source in [SocketAddr::from(([203, 0, 113, 7], 4242)), SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7], 1))]
    {
        let mut buffer = [0; MAX_ANSWER_LEN];
        let answer = request.answer(source, &mut buffer);
        let bytes = answer.bytes(&buffer);
        assert!(bytes.len() <= 52 || bytes.len() <= datagram.len() * 2);
        assert_eq!(Message::parse(bytes).unwrap().transaction, request.transaction());
    }
});
