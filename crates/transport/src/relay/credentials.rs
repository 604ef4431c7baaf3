//! Who we are to the server: the long-term credential mechanism (RFC 8489 §9.2), client's side.

use std::fmt;

use aws_lc_rs::digest;
use peerline_wire::stun::{BufferFull, Message, MessageWriter, kind};

use super::key::{Algorithm, Seal};

/// With this a nonce begins that carries security features which nobody on the way can have taken out (RFC 8489 §9.2).
const COOKIE: &[u8; 9] = b"obMatJos2";
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Bits 0 and 1 of the 24 (RFC 8489 §18.1).
const PASSWORD_ALGORITHMS: u32 = 1 << 23;
const USERNAME_ANONYMITY: u32 = 1 << 22;
/// Of realms and nonces (RFC 8489 §14.9, §14.10).
const MAX_LEN: usize = 763;

pub(super) struct Credentials {
    username: String,
    password: String,
    challenge: Option<Challenge>,
}

/// What the server has asked us to prove ourselves with.
struct Challenge {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    /// PASSWORD-ALGORITHMS as it came, and our choice.
    offered: Option<(Vec<u8>, Algorithm)>,
    /// USERHASH instead of USERNAME.
    is_anonymous: bool,
    seal: Seal,
}

/// The challenge cannot be answered: it is broken, or somebody has weakened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unanswerable;

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl Credentials {
    pub(super) fn new(username: String, password: String) -> Self {
        Self { username, password, challenge: None }
    }

    /// Another server knows nothing of what this one has asked.
    pub(super) fn forget(&mut self) {
        self.challenge = None;
    }

    /// Of requests that are made now; `None`: the server has not asked yet.
    pub(super) fn seal(&self) -> Option<&Seal> {
        self.challenge.as_ref().map(|challenge| &challenge.seal)
    }

    pub(super) fn is_of_realm(&self, message: &Message<'_>) -> bool {
        let realm = message.attribute(kind::REALM).map(|realm| realm.value);
        self.challenge.as_ref().is_some_and(|challenge| realm.is_none_or(|realm| realm == challenge.realm))
    }

    /// From a 401 or a 438.
    pub(super) fn learn(&mut self, message: &Message<'_>) -> Result<(), Unanswerable> {
        let value = |kind| message.attribute(kind).map(|attribute| attribute.value).filter(|v| v.len() <= MAX_LEN);
        let nonce = value(kind::NONCE).ok_or(Unanswerable)?;
        let known = self.challenge.as_ref().map(|challenge| challenge.realm.clone());
        let realm = value(kind::REALM).map(<[u8]>::to_vec).or(known).ok_or(Unanswerable)?;
        if is_weakened(message) {
            return Err(Unanswerable);
        }
        let offered = match value(kind::PASSWORD_ALGORITHMS) {
            None => None,
            Some(offered) => Some((offered.to_vec(), Algorithm::first_of(offered).ok_or(Unanswerable)?)),
        };
        let seal = match offered {
            None => Seal::sha1(&self.username, &realm, &self.password),
            Some((_, algorithm)) => Seal::sha256(algorithm, &self.username, &realm, &self.password),
        };
        let is_anonymous = features_of(nonce) & USERNAME_ANONYMITY != 0;
        self.challenge = Some(Challenge { realm, nonce: nonce.to_vec(), offered, is_anonymous, seal });
        Ok(())
    }

    /// All that the server has asked for, the seal last.
    pub(super) fn put(&self, writer: &mut MessageWriter<'_>) -> Result<(), BufferFull> {
        let Some(Challenge { realm, nonce, offered, is_anonymous, seal }) = &self.challenge else { return Ok(()) };
        match is_anonymous {
            true => writer.attribute(kind::USERHASH, self.userhash(realm).as_ref())?,
            false => writer.attribute(kind::USERNAME, self.username.as_bytes())?,
        };
        writer.attribute(kind::REALM, realm)?.attribute(kind::NONCE, nonce)?;
        if let Some((offered, algorithm)) = offered {
            writer.attribute(kind::PASSWORD_ALGORITHMS, offered)?;
            writer.attribute(kind::PASSWORD_ALGORITHM, &algorithm.as_value())?;
        }
        seal.put(writer)
    }

    /// RFC 8489 §14.4
    fn userhash(&self, realm: &[u8]) -> digest::Digest {
        digest::digest(&digest::SHA256, &[self.username.as_bytes(), realm].join(&b':'))
    }
}

/// Its nonce says that there are password algorithms, and there are none: somebody has taken them out.
pub(super) fn is_weakened(message: &Message<'_>) -> bool {
    let nonce = message.attribute(kind::NONCE).map_or(&[][..], |nonce| nonce.value);
    features_of(nonce) & PASSWORD_ALGORITHMS != 0 && message.attribute(kind::PASSWORD_ALGORITHMS).is_none()
}

/// Without a cookie there are none.
fn features_of(nonce: &[u8]) -> u32 {
    let letters = nonce.strip_prefix(COOKIE).and_then(|rest| rest.first_chunk::<4>());
    let six_bits = |letter: &u8| LETTERS.iter().position(|one| one == letter).map(|six| six as u32);
    letters.and_then(|four| four.iter().try_fold(0, |bits, letter| Some(bits << 6 | six_bits(letter)?))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_from_nonces_with_the_cookie_alone() {
        assert_eq!(features_of(b"obMatJos2gAAA0000"), PASSWORD_ALGORITHMS);
        assert_eq!(features_of(b"obMatJos2QAAA"), USERNAME_ANONYMITY);
        assert_eq!(features_of(b"obMatJos2wAAAx"), PASSWORD_ALGORITHMS | USERNAME_ANONYMITY);
        for none in [&b""[..], b"obMatJos2", b"obMatJos2gAA", b"obMatJos2g-AA", b"obMatJos1gAAA", b"xobMatJos2gAAA"] {
            assert_eq!(features_of(none), 0, "{none:?}");
        }
    }
}
