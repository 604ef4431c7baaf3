//! Certificate fingerprints as descriptions carry them (`a=fingerprint`, RFC 8122 §5).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;

/// The hashes that are good enough to know a peer by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashKind {
    Sha256,
    Sha384,
    Sha512,
}

impl HashKind {
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// Its name in the registry of RFC 8122.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// A hash of a certificate. Written `sha-256 AB:CD:…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    hash: HashKind,
    bytes: Vec<u8>,
}

impl Fingerprint {
    pub fn of(hash: HashKind, certificate_der: &[u8]) -> Self {
        Self { hash, bytes: digest::digest(hash.algorithm(), certificate_der).as_ref().to_vec() }
    }

    pub fn hash(&self) -> HashKind {
        self.hash
    }

    /// Upper-case pairs with colons, without the name of the hash.
    pub fn value(&self) -> String {
        let pairs: Vec<String> = self.bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.hash.name(), self.value())
    }
}

/// The text is no fingerprint, or of a hash that is not taken (`md5`, `sha-1` and others).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAFingerprint {
    UnknownHash,
    BadValue,
}

impl fmt::Display for NotAFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownHash => "only sha-256, sha-384 and sha-512 are taken",
            Self::BadValue => "a fingerprint is pairs of hexadecimal digits with colons between, as long as its hash",
        })
    }
}

impl std::error::Error for NotAFingerprint {}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    /// Letters of either case, as peers write both.
    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let (name, value) = text.split_once(' ').ok_or(NotAFingerprint::BadValue)?;
        let hash = HashKind::ALL.into_iter().find(|hash| hash.name().eq_ignore_ascii_case(name));
        let hash = hash.ok_or(NotAFingerprint::UnknownHash)?;
        let pair = |text: &str| match text.as_bytes() {
            [a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => u8::from_str_radix(text, 16).ok(),
            _ => None,
        };
        let bytes: Vec<u8> = value.split(':').map(pair).collect::<Option<_>>().ok_or(NotAFingerprint::BadValue)?;
        if bytes.len() != hash.algorithm().output_len() {
            return Err(NotAFingerprint::BadValue);
        }
        Ok(Self { hash, bytes })
    }
}

/// Whether a certificate is the one announced: for each hash that was used, one of its fingerprints has to fit
/// (RFC 8122 §5 asks it of the best hash alone). None announced is no.
pub(super) fn is_announced(certificate_der: &[u8], announced: &[Fingerprint]) -> bool {
    !announced.is_empty()
        && HashKind::ALL.into_iter().all(|hash| {
            let mut of_hash = announced.iter().filter(|fingerprint| fingerprint.hash == hash).peekable();
            of_hash.peek().is_none() || {
                let seen = Fingerprint::of(hash, certificate_der);
                of_hash.any(|fingerprint| *fingerprint == seen)
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_in_either_case() {
        for hash in HashKind::ALL {
            let fingerprint = Fingerprint::of(hash, b"certificate");
            assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint.clone()));
            assert_eq!(fingerprint.to_string().to_lowercase().parse(), Ok(fingerprint));
        }
    }

    #[test]
    fn other_hashes_and_broken_values_are_refused() {
        let read = |text: &str| text.parse::<Fingerprint>().unwrap_err();
        assert_eq!(read("sha-1 AB:CD"), NotAFingerprint::UnknownHash);
        for text in ["", "sha-256", "sha-256 ", "sha-256 AB", "sha-256 +1:2", "sha-256 é"] {
            assert_eq!(read(text), NotAFingerprint::BadValue, "{text}");
        }
        let long = format!("{}:00", Fingerprint::of(HashKind::Sha256, b""));
        assert_eq!(read(&long), NotAFingerprint::BadValue);
    }

    #[test]
    fn each_hash_that_was_used_has_to_fit() {
        let good = HashKind::ALL.map(|hash| Fingerprint::of(hash, b"good"));
        let bad = HashKind::ALL.map(|hash| Fingerprint::of(hash, b"bad"));
        assert!(is_announced(b"good", &good));
        assert!(is_announced(b"good", &good[..1]));
        assert!(is_announced(b"good", &[bad[0].clone(), good[0].clone()]), "two certificates may be announced");
        assert!(!is_announced(b"good", &[good[0].clone(), bad[2].clone()]));
        assert!(!is_announced(b"good", &[]));
    }
}
