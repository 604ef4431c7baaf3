//! A message as a client writes it, right or wrong, with nothing from the code under test but its numbers.

use aws_lc_rs::hmac;
use peerline_wire::stun::{Method, crc32, kind};

/// Type and value.
pub(crate) type Attribute = (u16, Vec<u8>);

#[derive(Debug, Clone)]
pub(crate) struct Draft {
    bytes: Vec<u8>,
}

pub(crate) const REQUEST: u16 = 0x000;
pub(crate) const INDICATION: u16 = 0x010;

impl Draft {
    pub(crate) fn request(method: Method, transaction: [u8; 12]) -> Self {
        Self::new(REQUEST, method, transaction)
    }

    /// `class` as it stands in the message type. All methods used here are below 0x10.
    pub(crate) fn new(class: u16, method: Method, transaction: [u8; 12]) -> Self {
        let mut bytes = Vec::from((class | method.number()).to_be_bytes());
        bytes.extend([0, 0, 0x21, 0x12, 0xa4, 0x42]);
        bytes.extend(transaction);
        Self { bytes }
    }

    /// The beginning of a message that somebody else has written.
    pub(crate) fn received(head: &[u8]) -> Self {
        Self { bytes: head.to_vec() }
    }

    pub(crate) fn with(mut self, kind: u16, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        self.bytes.extend(kind.to_be_bytes());
        self.bytes.extend((value.len() as u16).to_be_bytes());
        self.bytes.extend(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.count(0)
    }

    pub(crate) fn with_all(self, attributes: &[Attribute]) -> Self {
        attributes.iter().fold(self, |draft, (kind, value)| draft.with(*kind, value))
    }

    /// MESSAGE-INTEGRITY (RFC 8489 §14.5)
    pub(crate) fn seal_sha1(self, key: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
        let counted = self.count(24);
        let tag = hmac::sign(&key, &counted.bytes);
        counted.with(kind::MESSAGE_INTEGRITY, tag)
    }

    /// MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.6)
    pub(crate) fn seal_sha256(self, key: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let counted = self.count(36);
        let tag = hmac::sign(&key, &counted.bytes);
        counted.with(kind::MESSAGE_INTEGRITY_SHA256, tag)
    }

    /// FINGERPRINT (RFC 8489 §14.7)
    pub(crate) fn fingerprint(self) -> Self {
        let counted = self.count(8);
        let value = crc32(&counted.bytes) ^ 0x5354_554e;
        counted.with(kind::FINGERPRINT, value.to_be_bytes())
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Sets the length field, with so many bytes still to come.
    fn count(mut self, to_come: usize) -> Self {
        let len = (self.bytes.len() - 20 + to_come) as u16;
        self.bytes[2..4].copy_from_slice(&len.to_be_bytes());
        self
    }
}
