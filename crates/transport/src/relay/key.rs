//! A password as a key, and the two ways to seal with it (RFC 8489 §9.2.2, §14.5, §14.6).

use std::fmt;

use aws_lc_rs::{digest, hmac};
use md5::{Digest, Md5};
use peerline_wire::stun::{Attribute, BufferFull, Message, MessageWriter, kind};

/// How a password becomes a key (RFC 8489 §18.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    /// The first one of a server's PASSWORD-ALGORITHMS that we know (RFC 8489 §9.2.5, §14.11).
    pub(super) fn first_of(mut offered: &[u8]) -> Option<Self> {
        while let Some(([n1, n2, l1, l2], rest)) = offered.split_first_chunk::<4>() {
            let len = usize::from(u16::from_be_bytes([*l1, *l2]));
            match (u16::from_be_bytes([*n1, *n2]), len) {
                (1, 0) => return Some(Self::Md5),
                (2, 0) => return Some(Self::Sha256),
                _ => offered = rest.get(len.next_multiple_of(4)..)?,
            }
        }
        None
    }

    /// As a PASSWORD-ALGORITHM.
    pub(super) fn as_value(self) -> [u8; 4] {
        match self {
            Self::Md5 => [0, 1, 0, 0],
            Self::Sha256 => [0, 2, 0, 0],
        }
    }

    /// Names and passwords are taken as they are: OpaqueString changes nothing in those that servers give out.
    fn derive(self, username: &str, realm: &[u8], password: &str) -> Vec<u8> {
        let text = [username.as_bytes(), realm, password.as_bytes()].join(&b':');
        match self {
            Self::Md5 => Md5::digest(&text).to_vec(),
            Self::Sha256 => digest::digest(&digest::SHA256, &text).as_ref().to_vec(),
        }
    }
}

/// By what messages of one exchange show that they are from who knows the password.
#[derive(Clone)]
pub(super) struct Seal {
    kind: u16,
    key: hmac::Key,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Seal {
    /// MESSAGE-INTEGRITY.
    pub(super) fn sha1(username: &str, realm: &[u8], password: &str) -> Self {
        let key = Algorithm::Md5.derive(username, realm, password);
        Self { kind: kind::MESSAGE_INTEGRITY, key: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key) }
    }

    /// MESSAGE-INTEGRITY-SHA256.
    pub(super) fn sha256(algorithm: Algorithm, username: &str, realm: &[u8], password: &str) -> Self {
        let key = algorithm.derive(username, realm, password);
        Self { kind: kind::MESSAGE_INTEGRITY_SHA256, key: hmac::Key::new(hmac::HMAC_SHA256, &key) }
    }

    /// Over all that stands so far.
    pub(super) fn put(&self, writer: &mut MessageWriter<'_>) -> Result<(), BufferFull> {
        match self.kind {
            kind::MESSAGE_INTEGRITY => writer.integrity::<20>(self.kind, |bytes| self.sign(bytes))?,
            _ => writer.integrity::<32>(self.kind, |bytes| self.sign(bytes))?,
        };
        Ok(())
    }

    fn sign<const N: usize>(&self, bytes: &[u8]) -> [u8; N] {
        let mut value = [0; N];
        value.copy_from_slice(&hmac::sign(&self.key, bytes).as_ref()[..N]);
        value
    }

    /// The attribute that seals this message, if it is right; what follows it does not count. Compared in constant time.
    pub(super) fn find_in<'m>(&self, message: &Message<'m>) -> Option<Attribute<'m>> {
        let found = message.attribute(self.kind)?;
        let (head, rest) = message.covered_by(&found);
        let signed = [&head[..], rest].concat();
        hmac::verify(&self.key, &signed, found.value).is_ok().then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_md5_key_is_that_of_the_rfc() {
        let expected = [0x84, 0x93, 0xfb, 0xc5, 0x3b, 0xa5, 0x82, 0xfb, 0x4c, 0x04, 0x4c, 0x45, 0x6b, 0xdc, 0x40, 0xeb];
        assert_eq!(Algorithm::Md5.derive("user", b"realm", "pass"), expected);
    }

    #[test]
    fn the_servers_first_choice_that_we_know_is_taken() {
        let (md5, sha256) = ([0, 1, 0, 0], [0, 2, 0, 0]);
        assert_eq!(Algorithm::first_of(&[sha256, md5].concat()), Some(Algorithm::Sha256));
        assert_eq!(Algorithm::first_of(&[md5, sha256].concat()), Some(Algorithm::Md5));
        let unknown = [0, 9, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0];
        assert_eq!(Algorithm::first_of(&[&unknown[..], &sha256].concat()), Some(Algorithm::Sha256));
        for odd in [&b""[..], &[0, 2], &[0, 2, 0, 9], &unknown, &[0, 9, 255, 255]] {
            assert_eq!(Algorithm::first_of(odd), None, "{odd:?}");
        }
    }
}
