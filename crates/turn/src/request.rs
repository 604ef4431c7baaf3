//! A request as far as it can be trusted: what follows its integrity attribute does not count (RFC 8489 §14.5).

use aws_lc_rs::hmac;
use peerline_wire::stun::{Attribute, Class, Message, Method, TransactionId, decode_xor_address, kind};

use crate::credentials::LongTermKey;

/// Which integrity attribute a client uses; it gets the same back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integrity {
    Sha1,
    Sha256,
}

impl Integrity {
    pub(crate) const fn kind(self) -> u16 {
        match self {
            Self::Sha1 => kind::MESSAGE_INTEGRITY,
            Self::Sha256 => kind::MESSAGE_INTEGRITY_SHA256,
        }
    }

    pub(crate) fn key(self, key: &LongTermKey) -> hmac::Key {
        let algorithm = match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
        };
        hmac::Key::new(algorithm, key.as_bytes())
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'m> {
    message: Message<'m>,
    /// Attributes from this offset on are nobody's.
    covered_end: usize,
    pub(crate) has_fingerprint: bool,
}

impl<'m> Request<'m> {
    pub(crate) fn new(message: Message<'m>, has_fingerprint: bool) -> Self {
        let is_end = |a: &Attribute<'_>| {
            matches!(a.kind, kind::MESSAGE_INTEGRITY | kind::MESSAGE_INTEGRITY_SHA256 | kind::FINGERPRINT)
        };
        let covered_end = message.attributes().find(is_end).map_or(usize::MAX, |a| a.offset);
        Self { message, covered_end, has_fingerprint }
    }

    pub(crate) fn class(&self) -> Class {
        self.message.class
    }

    pub(crate) fn method(&self) -> Method {
        self.message.method
    }

    pub(crate) fn transaction(&self) -> TransactionId {
        self.message.transaction
    }

    pub(crate) fn len(&self) -> usize {
        self.message.as_bytes().len()
    }

    pub(crate) fn attributes(&self) -> impl Iterator<Item = Attribute<'m>> + use<'m> {
        let end = self.covered_end;
        self.message.attributes().take_while(move |attribute| attribute.offset < end)
    }

    pub(crate) fn find(&self, kind: u16) -> Option<Attribute<'m>> {
        self.attributes().find(|attribute| attribute.kind == kind)
    }

    pub(crate) fn has(&self, kind: u16) -> bool {
        self.find(kind).is_some()
    }

    pub(crate) fn text(&self, kind: u16) -> Option<&'m str> {
        std::str::from_utf8(self.find(kind)?.value).ok()
    }

    /// The first byte of an attribute of four.
    pub(crate) fn octet(&self, kind: u16) -> Option<u8> {
        let [octet, _, _, _] = *<&[u8; 4]>::try_from(self.find(kind)?.value).ok()?;
        Some(octet)
    }

    pub(crate) fn number(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.find(kind)?.value.try_into().ok()?))
    }

    /// All peers it names. `Err`: one of them is no address.
    pub(crate) fn peers(&self) -> Result<Vec<std::net::SocketAddr>, ()> {
        let of_peers = self.attributes().filter(|attribute| attribute.kind == kind::XOR_PEER_ADDRESS);
        of_peers
            .map(|attribute| {
                let peer = decode_xor_address(attribute.value, self.transaction()).ok_or(())?;
                Ok(std::net::SocketAddr::new(peer.ip().to_canonical(), peer.port()))
            })
            .collect()
    }

    pub(crate) fn unknown(&self, known: &[u16]) -> Vec<u16> {
        let unknown = |a: &Attribute<'_>| {
            a.is_comprehension_required() && !known.contains(&a.kind) && !CREDENTIALS.contains(&a.kind)
        };
        self.attributes().filter(unknown).map(|attribute| attribute.kind).collect()
    }

    /// The stronger one of those it has.
    pub(crate) fn integrity(&self) -> Option<Integrity> {
        [Integrity::Sha256, Integrity::Sha1].into_iter().find(|one| self.message.attribute(one.kind()).is_some())
    }

    /// Compared in constant time.
    pub(crate) fn is_sealed_with(&self, integrity: Integrity, key: &LongTermKey) -> bool {
        let Some(seal) = self.message.attribute(integrity.kind()) else { return false };
        let (head, rest) = self.message.covered_by(&seal);
        let signed = [&head[..], rest].concat();
        hmac::verify(&integrity.key(key), &signed, seal.value).is_ok()
    }
}

/// Understood in every request.
const CREDENTIALS: [u16; 5] = [kind::USERNAME, kind::REALM, kind::NONCE, kind::PASSWORD_ALGORITHM, kind::USERHASH];
