//! Nonces that need no memory: a time and a seal over it and the client's 5-tuple (RFC 8489 §9.2, §18.1).

use aws_lc_rs::{constant_time, error::Unspecified, hmac, rand};

use crate::tuple::FiveTuple;

/// By this a client knows that what follows are security features, which nobody on the way can have taken out.
const COOKIE: &[u8; 9] = b"obMatJos2";
/// Bit 0 of the features: we speak PASSWORD-ALGORITHMS. Bit 1, USERHASH.
pub(crate) const PASSWORD_ALGORITHMS: u32 = 0x80_0000;
pub(crate) const USERNAME_ANONYMITY: u32 = 0x40_0000;

const SEAL_LEN: usize = 12;
/// Cookie, four letters of features, then time and seal in hexadecimal.
pub(crate) const NONCE_LEN: usize = 9 + 4 + 2 * (4 + SEAL_LEN);
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// What seals the nonces of one server, the same on all its shards.
#[derive(Clone)]
pub struct NonceKeys(hmac::Key);

impl std::fmt::Debug for NonceKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NonceKeys(…)")
    }
}

/// What a client's nonce is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NonceCheck {
    Good,
    /// Too old, of another 5-tuple, of another server, or made up.
    Stale,
}

impl NonceKeys {
    pub fn random() -> Result<Self, Unspecified> {
        let mut key = [0; 32];
        rand::fill(&mut key)?;
        Ok(Self::from_key(&key))
    }

    pub fn from_key(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub(crate) fn make(&self, tuple: &FiveTuple, unix_s: u64, features: u32) -> [u8; NONCE_LEN] {
        let time = unix_s as u32;
        let mut nonce = [0; NONCE_LEN];
        nonce[..9].copy_from_slice(COOKIE);
        for (index, letter) in nonce[9..13].iter_mut().enumerate() {
            *letter = LETTERS[(features >> (18 - 6 * index) & 0x3f) as usize];
        }
        let sealed = time.to_be_bytes().into_iter().chain(self.seal(tuple, time, features));
        for (byte, digits) in sealed.zip(nonce[13..].chunks_exact_mut(2)) {
            digits.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xf)]]);
        }
        nonce
    }

    pub(crate) fn check(
        &self,
        nonce: &[u8],
        tuple: &FiveTuple,
        unix_s: u64,
        lifetime_s: u64,
        features: u32,
    ) -> NonceCheck {
        let Some(time) = nonce.get(13..21).and_then(|digits| std::str::from_utf8(digits).ok()) else {
            return NonceCheck::Stale;
        };
        let Ok(time) = u32::from_str_radix(time, 16) else { return NonceCheck::Stale };
        let age = u64::from((unix_s as u32).wrapping_sub(time));
        let ours = self.make(tuple, u64::from(time), features);
        if age <= lifetime_s && constant_time::verify_slices_are_equal(&ours, nonce).is_ok() {
            NonceCheck::Good
        } else {
            NonceCheck::Stale
        }
    }

    fn seal(&self, tuple: &FiveTuple, time: u32, features: u32) -> [u8; SEAL_LEN] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&time.to_be_bytes());
        context.update(&features.to_be_bytes());
        context.update(&[tuple.transport as u8]);
        for address in [tuple.client, tuple.server] {
            match address.ip() {
                std::net::IpAddr::V4(ip) => context.update(&ip.octets()),
                std::net::IpAddr::V6(ip) => context.update(&ip.octets()),
            }
            context.update(&address.port().to_be_bytes());
        }
        let mut seal = [0; SEAL_LEN];
        seal.copy_from_slice(&context.sign().as_ref()[..SEAL_LEN]);
        seal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuple::Transport;

    fn tuple(client: &str) -> FiveTuple {
        FiveTuple {
            transport: Transport::Udp,
            client: client.parse().unwrap(),
            server: "192.0.2.1:3478".parse().unwrap(),
        }
    }

    #[test]
    fn a_nonce_is_good_for_its_client_and_its_time_only() {
        let keys = NonceKeys::from_key(&[7; 32]);
        let ann = tuple("198.51.100.1:5000");
        let nonce = keys.make(&ann, 1_000_000, PASSWORD_ALGORITHMS);
        assert_eq!(&nonce[..13], b"obMatJos2gAAA");
        let check = |nonce: &[u8], tuple: &FiveTuple, at| keys.check(nonce, tuple, at, 3600, PASSWORD_ALGORITHMS);
        assert_eq!(check(&nonce, &ann, 1_000_000), NonceCheck::Good);
        assert_eq!(check(&nonce, &ann, 1_003_600), NonceCheck::Good);
        assert_eq!(check(&nonce, &ann, 1_003_601), NonceCheck::Stale);
        assert_eq!(check(&nonce, &ann, 999_999), NonceCheck::Stale, "from the future");
        assert_eq!(check(&nonce, &tuple("198.51.100.1:5001"), 1_000_000), NonceCheck::Stale);
        assert_eq!(check(&nonce, &FiveTuple { transport: Transport::Tcp, ..ann }, 1_000_000), NonceCheck::Stale);
        assert_eq!(
            NonceKeys::from_key(&[8; 32]).check(&nonce, &ann, 1_000_000, 3600, PASSWORD_ALGORITHMS),
            NonceCheck::Stale
        );
        for index in 0..NONCE_LEN {
            let mut forged = nonce;
            forged[index] ^= 1;
            assert_eq!(check(&forged, &ann, 1_000_000), NonceCheck::Stale, "{index}");
        }
        for garbage in [&b""[..], &nonce[..NONCE_LEN - 1], &[0xff; NONCE_LEN], &[b'+'; NONCE_LEN]] {
            assert_eq!(check(garbage, &ann, 1_000_000), NonceCheck::Stale);
        }
    }
}
