//! What the server says, taken apart.

use std::net::SocketAddr;

use peerline_wire::stun::{Class, FingerprintCheck, Message, decode_xor_address, kind};

use crate::client::{Client, Integrity};
use crate::draft::Draft;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer(pub(crate) Vec<u8>);

impl Answer {
    pub(crate) fn message(&self) -> Message<'_> {
        Message::parse(&self.0).expect("every answer is a STUN message")
    }

    pub(crate) fn value(&self, kind: u16) -> Option<&[u8]> {
        Some(self.message().attribute(kind)?.value)
    }

    pub(crate) fn address(&self, kind: u16) -> Option<SocketAddr> {
        decode_xor_address(self.value(kind)?, self.message().transaction)
    }

    pub(crate) fn addresses(&self, kind: u16) -> Vec<SocketAddr> {
        let message = self.message();
        let of_kind = message.attributes().filter(|attribute| attribute.kind == kind);
        of_kind.map(|attribute| decode_xor_address(attribute.value, message.transaction).unwrap()).collect()
    }

    pub(crate) fn number(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.value(kind)?.try_into().unwrap()))
    }

    /// 200 for a success.
    pub(crate) fn code(&self) -> u16 {
        match (self.message().class, self.value(kind::ERROR_CODE)) {
            (Class::Success, None) => 200,
            (Class::Error, Some([0, 0, class, number, ..])) => u16::from(*class) * 100 + u16::from(*number),
            other => panic!("neither success nor error: {other:?}"),
        }
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.value(kind::MESSAGE_INTEGRITY).is_some() || self.value(kind::MESSAGE_INTEGRITY_SHA256).is_some()
    }

    /// With the key and in the way of this client, and a FINGERPRINT if and only if the client sends one.
    pub(crate) fn assert_is_for(&self, client: &Client) {
        let message = self.message();
        let (kind, other) = match client.integrity {
            Integrity::Sha1 => (kind::MESSAGE_INTEGRITY, kind::MESSAGE_INTEGRITY_SHA256),
            Integrity::Sha256 => (kind::MESSAGE_INTEGRITY_SHA256, kind::MESSAGE_INTEGRITY),
        };
        assert!(message.attribute(other).is_none());
        let integrity = message.attribute(kind).expect("an answer to whom we know is sealed");
        let unsealed = Draft::received(&self.0[..integrity.offset]);
        let sealed = match client.integrity {
            Integrity::Sha1 => unsealed.seal_sha1(&client.key()),
            Integrity::Sha256 => unsealed.seal_sha256(&client.key()),
        };
        let expected = if client.has_fingerprint { sealed.fingerprint() } else { sealed };
        assert_eq!(self.0, expected.bytes());
        let fingerprint = if client.has_fingerprint { FingerprintCheck::Right } else { FingerprintCheck::Absent };
        assert_eq!(message.check_fingerprint(), fingerprint);
    }
}
