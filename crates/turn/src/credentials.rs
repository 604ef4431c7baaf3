//! Passwords: those of static users, and those that time-limited user names carry a proof of.
//!
//! A time-limited name is `EXPIRY:NAME`, the expiry in seconds since 1970; its password is the base64 of
//! HMAC-SHA1(secret, name) ("A REST API for access to TURN services"). Whoever knows the secret makes them; the server
//! keeps no list.

use std::sync::Arc;

use aws_lc_rs::{digest, hmac};
use md5::{Digest, Md5};

use crate::settings::{Quotas, Settings};

/// Whom a user name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Of whom quotas are counted: the name without its expiry.
    pub(crate) name: Arc<str>,
    pub(crate) quotas: Quotas,
}

/// How a password becomes a key (RFC 8489 §18.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    /// From a PASSWORD-ALGORITHM (RFC 8489 §14.12); neither of the two has parameters.
    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        match value {
            [0, 1, 0, 0] => Some(Self::Md5),
            [0, 2, 0, 0] => Some(Self::Sha256),
            _ => None,
        }
    }
}

/// The key of the long-term credential mechanism; never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct LongTermKey {
    bytes: [u8; 32],
    len: u8,
}

impl std::fmt::Debug for LongTermKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LongTermKey(…)")
    }
}

impl LongTermKey {
    /// RFC 8489 §9.2.2. Names and passwords are taken as they are: OpaqueString changes nothing in those we make.
    pub(crate) fn derive(algorithm: Algorithm, username: &str, realm: &str, password: &str) -> Self {
        let mut bytes = [0; 32];
        let text = [username, realm, password].join(":");
        let len = match algorithm {
            Algorithm::Md5 => {
                bytes[..16].copy_from_slice(&Md5::digest(text.as_bytes()));
                16
            }
            Algorithm::Sha256 => {
                bytes.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
                32
            }
        };
        Self { bytes, len }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// The passwords that a user name may have now: none for a stranger, one for a static user, one for each secret.
pub(crate) fn passwords(settings: &Settings, username: &str, unix_s: u64) -> Vec<String> {
    if let Some(user) = settings.users.iter().find(|user| user.name == username) {
        return vec![user.password.clone()];
    }
    let expiry = username.split(':').next().and_then(|digits| digits.parse::<u64>().ok());
    if expiry.is_none_or(|expiry| expiry <= unix_s) {
        return Vec::new();
    }
    settings.secrets.iter().map(|secret| rest_password(&secret.0, username)).collect()
}

pub(crate) fn account(settings: &Settings, username: &str) -> Account {
    if settings.users.iter().any(|user| user.name == username) {
        return Account { name: username.into(), quotas: settings.static_quotas };
    }
    // A name without a part after its expiry is a user of its own.
    let name = username.split_once(':').map_or(username, |(_, name)| name);
    Account { name: name.into(), quotas: settings.quotas }
}

/// The password of a time-limited user name.
pub fn rest_password(secret: &[u8], username: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    base64(hmac::sign(&key, username.as_bytes()).as_ref())
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let letter = if index <= chunk.len() { LETTERS[(word >> (18 - 6 * index) & 0x3f) as usize] } else { b'=' };
            text.push(char::from(letter));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Secret, User};

    fn settings() -> Settings {
        let secrets = vec![Secret(b"new".to_vec()), Secret(b"old".to_vec())];
        let users = vec![User { name: "ann".into(), password: "pass".into() }];
        Settings { secrets, users, ..Settings::default() }
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn the_md5_key_is_that_of_the_rfc() {
        // RFC 8489 §9.2.2
        let key = LongTermKey::derive(Algorithm::Md5, "user", "realm", "pass");
        let expected = [0x84, 0x93, 0xfb, 0xc5, 0x3b, 0xa5, 0x82, 0xfb, 0x4c, 0x04, 0x4c, 0x45, 0x6b, 0xdc, 0x40, 0xeb];
        assert_eq!(key.as_bytes(), expected);
    }

    #[test]
    fn a_time_limited_name_has_a_password_until_it_expires() {
        let settings = settings();
        assert_eq!(passwords(&settings, "ann", 0), ["pass"]);
        assert_eq!(passwords(&settings, "bob", 0), [""; 0]);
        let both = passwords(&settings, "1000:bob", 999);
        assert_eq!(both, [rest_password(b"new", "1000:bob"), rest_password(b"old", "1000:bob")]);
        assert_eq!(passwords(&settings, "1000:bob", 1000), [""; 0]);
        for odd in ["", ":", "1e9:bob", "-1:bob", "99999999999999999999:bob", "bob:1000"] {
            assert_eq!(passwords(&settings, odd, 0), [""; 0], "{odd}");
        }
    }

    #[test]
    fn quotas_are_counted_by_the_name_without_its_expiry() {
        let settings = settings();
        assert_eq!(&*account(&settings, "1000:bob").name, "bob");
        assert_eq!(&*account(&settings, "2000:bob").name, "bob");
        assert_eq!(&*account(&settings, "1000").name, "1000");
        assert_eq!(account(&settings, "ann"), Account { name: "ann".into(), quotas: Quotas::UNLIMITED });
    }
}
