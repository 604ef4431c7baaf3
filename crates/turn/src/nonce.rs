//! Nonces that need no memory: a time and a seal over it and the client's 5-tuple (RFC 8489 §9.2, §18.1).
//!
//! They are 32 bytes long: each byte more would make the answer to a stranger one more.

use std::net::IpAddr;

use aws_lc_rs::{constant_time, error::Unspecified, hmac, rand};

use crate::tuple::FiveTuple;

/// By this a client knows that what follows are security features, which nobody on the way can have taken out.
const COOKIE: &[u8; 9] = b"obMatJos2";
/// Bit 0 of the features: we speak PASSWORD-ALGORITHMS. Bit 1, USERHASH.
pub(crate) const PASSWORD_ALGORITHMS: u32 = 0x80_0000;
pub(crate) const USERNAME_ANONYMITY: u32 = 0x40_0000;

/// Cookie, four letters of features, eight digits of time, eleven letters of seal.
pub(crate) const NONCE_LEN: usize = 9 + 4 + 8 + SEAL_LEN;
/// With six bits in each letter: a forger has one chance in 2⁶⁶, and only on line.
const SEAL_LEN: usize = 11;
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What seals the nonces of one server, the same on all its shards.
#[derive(Clone)]
pub struct NonceKeys {
    current: hmac::Key,
    /// Still good for nonces that were made before the last change.
    previous: Option<hmac::Key>,
}

impl std::fmt::Debug for NonceKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NonceKeys(…)")
    }
}

impl NonceKeys {
    pub fn random() -> Result<Self, Unspecified> {
        let mut key = [0; 32];
        rand::fill(&mut key)?;
        Ok(Self::from_key(&key))
    }

    pub fn from_key(key: &[u8; 32]) -> Self {
        Self { current: hmac::Key::new(hmac::HMAC_SHA256, key), previous: None }
    }

    /// A new key; nonces of the one it replaces stay good, those of the one before do not.
    pub fn rotated(&self) -> Result<Self, Unspecified> {
        Ok(Self { previous: Some(self.current.clone()), ..Self::random()? })
    }

    pub(crate) fn make(&self, tuple: &FiveTuple, unix_s: u64, features: u32) -> [u8; NONCE_LEN] {
        make(&self.current, tuple, unix_s as u32, features)
    }

    /// Whether it was made here, for this 5-tuple, and not too long ago.
    pub(crate) fn is_good(&self, nonce: &[u8], tuple: &FiveTuple, unix_s: u64, lifetime_s: u64) -> bool {
        let (Some(features), Some(time)) = (features_of(nonce), time_of(nonce)) else { return false };
        let age_s = u64::from((unix_s as u32).wrapping_sub(time));
        let is_ours = |key| constant_time::verify_slices_are_equal(&make(key, tuple, time, features), nonce).is_ok();
        age_s <= lifetime_s && (is_ours(&self.current) || self.previous.as_ref().is_some_and(is_ours))
    }
}

/// The security features that a nonce names, sealed or not; `None`: it has no cookie.
pub(crate) fn features_of(nonce: &[u8]) -> Option<u32> {
    let letters = nonce.strip_prefix(COOKIE)?.first_chunk::<4>()?;
    letters.iter().try_fold(0, |bits, letter| {
        let six = LETTERS.iter().position(|one| one == letter)?;
        Some(bits << 6 | six as u32)
    })
}

fn time_of(nonce: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(nonce.get(13..21)?).ok()?, 16).ok()
}

fn make(key: &hmac::Key, tuple: &FiveTuple, time: u32, features: u32) -> [u8; NONCE_LEN] {
    let letter = |six: u32| LETTERS[(six & 0x3f) as usize];
    let mut nonce = [0; NONCE_LEN];
    nonce[..9].copy_from_slice(COOKIE);
    for (index, place) in nonce[9..13].iter_mut().enumerate() {
        *place = letter(features >> (18 - 6 * index));
    }
    for (index, place) in nonce[13..21].iter_mut().enumerate() {
        *place = b"0123456789abcdef"[(time >> (28 - 4 * index) & 0xf) as usize];
    }
    let seal = seal(key, tuple, time, features);
    for (byte, place) in seal.as_ref().iter().zip(&mut nonce[21..]) {
        *place = letter((*byte).into());
    }
    nonce
}

fn seal(key: &hmac::Key, tuple: &FiveTuple, time: u32, features: u32) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(&time.to_be_bytes());
    context.update(&features.to_be_bytes());
    context.update(&[tuple.transport as u8]);
    for address in [tuple.client, tuple.server] {
        match address.ip() {
            IpAddr::V4(ip) => context.update(&ip.octets()),
            IpAddr::V6(ip) => context.update(&ip.octets()),
        }
        context.update(&address.port().to_be_bytes());
    }
    context.sign()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuple::Transport;

    const LIFETIME_S: u64 = 3600;

    fn tuple(client: &str) -> FiveTuple {
        let server = "192.0.2.1:3478".parse().unwrap();
        FiveTuple { transport: Transport::Udp, client: client.parse().unwrap(), server }
    }

    #[test]
    fn a_nonce_is_good_for_its_client_and_its_time_only() {
        let keys = NonceKeys::from_key(&[7; 32]);
        let ann = tuple("198.51.100.1:5000");
        let nonce = keys.make(&ann, 1_000_000, PASSWORD_ALGORITHMS);
        assert_eq!(&nonce[..13], b"obMatJos2gAAA");
        let is_good = |nonce: &[u8], tuple: &FiveTuple, at| keys.is_good(nonce, tuple, at, LIFETIME_S);
        assert!(is_good(&nonce, &ann, 1_000_000) && is_good(&nonce, &ann, 1_003_600));
        assert!(!is_good(&nonce, &ann, 1_003_601));
        assert!(!is_good(&nonce, &ann, 999_999), "from the future");
        assert!(!is_good(&nonce, &tuple("198.51.100.1:5001"), 1_000_000));
        assert!(!is_good(&nonce, &FiveTuple { transport: Transport::Tcp, ..ann }, 1_000_000));
        assert!(!is_good(&nonce, &FiveTuple { server: "192.0.2.2:3478".parse().unwrap(), ..ann }, 1_000_000));
        assert!(!NonceKeys::from_key(&[8; 32]).is_good(&nonce, &ann, 1_000_000, LIFETIME_S));
        for index in 0..NONCE_LEN {
            let mut forged = nonce;
            forged[index] ^= 1;
            assert!(!is_good(&forged, &ann, 1_000_000), "{index}");
        }
        let long = [&nonce[..], &[0]].concat();
        for garbage in [&b""[..], &nonce[..NONCE_LEN - 1], &[0xff; NONCE_LEN], &[b'+'; NONCE_LEN], &long] {
            assert!(!is_good(garbage, &ann, 1_000_000));
        }
    }

    #[test]
    fn the_features_cannot_be_taken_out() {
        let keys = NonceKeys::from_key(&[7; 32]);
        let ann = tuple("198.51.100.1:5000");
        let mut nonce = keys.make(&ann, 1000, PASSWORD_ALGORITHMS | USERNAME_ANONYMITY);
        assert_eq!(features_of(&nonce), Some(PASSWORD_ALGORITHMS | USERNAME_ANONYMITY));
        nonce[9..13].copy_from_slice(b"AAAA");
        assert_eq!(features_of(&nonce), Some(0));
        assert!(!keys.is_good(&nonce, &ann, 1000, LIFETIME_S));
    }

    #[test]
    fn a_nonce_outlives_one_change_of_keys() {
        let ann = tuple("198.51.100.1:5000");
        let first = NonceKeys::random().unwrap();
        let nonce = first.make(&ann, 1000, 0);
        let second = first.rotated().unwrap();
        assert!(second.is_good(&nonce, &ann, 1000, LIFETIME_S));
        assert!(second.is_good(&second.make(&ann, 1000, 0), &ann, 1000, LIFETIME_S));
        assert!(!second.rotated().unwrap().is_good(&nonce, &ann, 1000, LIFETIME_S));
    }
}
