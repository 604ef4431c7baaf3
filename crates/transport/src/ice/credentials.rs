//! The name and password of an ICE session (RFC 8445 §5.3, RFC 8839 §5.4).

use std::fmt;

use aws_lc_rs::rand;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A username fragment and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub ufrag: String,
    pub password: String,
}

/// The password is never printed.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

/// What a description says is no `ice-ufrag` of 4 to 256 letters or no `ice-pwd` of 22 to 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadCredentials;

impl fmt::Display for BadCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ice-ufrag has 4 to 256 letters and ice-pwd 22 to 256: A-Z a-z 0-9 + /")
    }
}

impl std::error::Error for BadCredentials {}

impl Credentials {
    /// New ones: 48 bits of name, 144 bits of password.
    pub fn random() -> Self {
        Self { ufrag: random_letters::<8>(), password: random_letters::<24>() }
    }

    pub(super) fn check(&self) -> Result<(), BadCredentials> {
        let fits = |text: &str, least: usize| {
            (least..=256).contains(&text.len()) && text.bytes().all(|letter| LETTERS.contains(&letter))
        };
        if fits(&self.ufrag, 4) && fits(&self.password, 22) { Ok(()) } else { Err(BadCredentials) }
    }
}

fn random_letters<const N: usize>() -> String {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system has randomness");
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 63)])).collect()
}

pub(super) fn random_number() -> u64 {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).expect("the system has randomness");
    u64::from_ne_bytes(bytes)
}
