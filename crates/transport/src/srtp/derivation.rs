//! Session keys from the master key and salt (RFC 3711 §4.3; RFC 7714 §11 for keys of 256 bits and salts of 96).

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;

/// What a session key is for: `label` of RFC 3711 §4.3.2.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use {
    RtpKey = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpKey = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// The master key of one direction.
pub(super) struct Master {
    stream: EncryptingKey,
    salt: [u8; 14],
}

impl Master {
    /// A key of 16 or 32 bytes; a shorter salt is filled up with zeros at its end.
    pub(super) fn new(key: &[u8], salt: &[u8]) -> Option<Self> {
        let mut whole = [0; 14];
        whole.get_mut(..salt.len())?.copy_from_slice(salt);
        Some(Self { stream: key_stream(key)?, salt: whole })
    }

    /// A session key of this length. It is derived once and for all: no key derivation rate.
    pub(super) fn derive(&self, purpose: Use, len: usize) -> Option<Vec<u8>> {
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(&self.salt);
        iv[7] ^= purpose as u8;
        let mut derived = vec![0; len];
        xor_key_stream(&self.stream, iv, &mut derived)?;
        Some(derived)
    }
}

/// AES as a key stream, which AES-CM is (RFC 3711 §4.1.1).
pub(super) fn key_stream(key: &[u8]) -> Option<EncryptingKey> {
    let algorithm = if key.len() == 16 { &AES_128 } else { &AES_256 };
    EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key).ok()?).ok()
}

/// Encrypts and decrypts alike.
pub(super) fn xor_key_stream(key: &EncryptingKey, iv: [u8; 16], bytes: &mut [u8]) -> Option<()> {
    key.less_safe_encrypt(bytes, EncryptionContext::Iv128(FixedLength::from(iv))).ok().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 3711, appendix B.3.
    #[test]
    fn keys_are_derived_as_in_the_rfc() {
        let master =
            Master::new(&hex("E1F97A0D3E018BE0D64FA32C06DE4139"), &hex("0EC675AD498AFEEBB6960B3AABE6")).unwrap();
        let derive = |purpose, len| master.derive(purpose, len).unwrap();
        assert_eq!(derive(Use::RtpKey, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(derive(Use::RtpSalt, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
        let expected = "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF72270986371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2DC68";
        assert_eq!(derive(Use::RtpAuthentication, 94), hex(expected)[..94]);
        let others = [Use::RtcpKey, Use::RtcpSalt, Use::RtcpAuthentication].map(|purpose| derive(purpose, 16));
        assert!(others.iter().all(|key| *key != derive(Use::RtpKey, 16)));
    }

    /// RFC 3711, appendix B.2.
    #[test]
    fn the_key_stream_is_that_of_the_rfc() {
        let key = key_stream(&hex("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap();
        let mut iv = [0; 16];
        iv.copy_from_slice(&hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000"));
        let mut stream = [0; 48];
        xor_key_stream(&key, iv, &mut stream).unwrap();
        assert_eq!(stream[..32], hex("E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB"));
        assert_eq!(stream[32..], hex("41E95B3BB0A2E8DD477901E4FCA894C0"));
    }

    #[test]
    fn what_is_no_key_makes_none() {
        assert!(Master::new(&[0; 15], &[0; 14]).is_none());
        assert!(Master::new(&[0; 16], &[0; 15]).is_none());
    }
}
