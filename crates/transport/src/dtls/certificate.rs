//! RTCCertificate: who we are to a peer (RFC 8827 §6.5).

use std::fmt;

use aws_lc_rs::rand;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use time::OffsetDateTime;
use x509_cert::der::{Decode, Document, Encode};

use super::fingerprint::{Fingerprint, HashKind};

/// Clocks of peers differ; a certificate is good from a day before it was made.
const BACKDATED_S: u64 = 24 * 3600;
/// The last second that a certificate can name: the end of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// A certificate with its key.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    key_pkcs8: Vec<u8>,
    expires_s: u64,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("expires_s", &self.expires_s).finish_non_exhaustive()
    }
}

/// Why there is no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateError {
    /// The text has no certificate, or one that cannot be read.
    BadCertificate,
    /// The text has no private key, or one that is not an ECDSA key on P-256 or P-384. RSA keys are not taken.
    UnsupportedKey,
    /// The key is not the certificate's.
    KeyMismatch,
    /// The key could not be made.
    Generation,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadCertificate => "this is no certificate in PEM",
            Self::UnsupportedKey => "the key has to be an ECDSA key on P-256 or P-384 in PEM; RSA is not taken",
            Self::KeyMismatch => "the key does not belong to the certificate",
            Self::Generation => "the certificate could not be made",
        })
    }
}

impl std::error::Error for CertificateError {}

/// What the key is made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Curve {
    #[default]
    P256,
    P384,
}

impl Certificate {
    /// A new self-signed certificate on P-256. Both times are seconds since 1970, UTC.
    pub fn generate(now_s: u64, expires_s: u64) -> Result<Self, CertificateError> {
        Self::generate_on(Curve::P256, now_s, expires_s)
    }

    /// The same on another curve.
    pub fn generate_on(curve: Curve, now_s: u64, expires_s: u64) -> Result<Self, CertificateError> {
        let expires_s = expires_s.min(LAST_SECOND);
        let at = |seconds: u64| {
            let seconds = i64::try_from(seconds).map_err(|_| CertificateError::Generation)?;
            OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| CertificateError::Generation)
        };
        let mut params = CertificateParams::new(Vec::new()).map_err(|_| CertificateError::Generation)?;
        let mut name = DistinguishedName::new();
        // A name that says nothing of whose it is, as browsers have it.
        name.push(DnType::CommonName, "WebRTC");
        params.distinguished_name = name;
        params.not_before = at(now_s.min(expires_s).saturating_sub(BACKDATED_S))?;
        params.not_after = at(expires_s)?;
        let mut serial = [0; 16];
        rand::fill(&mut serial).map_err(|_| CertificateError::Generation)?;
        // A serial number is positive.
        serial[0] &= 0x7F;
        params.serial_number = Some(serial.to_vec().into());
        let kind = match curve {
            Curve::P256 => &PKCS_ECDSA_P256_SHA256,
            Curve::P384 => &PKCS_ECDSA_P384_SHA384,
        };
        let key = KeyPair::generate_for(kind).map_err(|_| CertificateError::Generation)?;
        let certificate = params.self_signed(&key).map_err(|_| CertificateError::Generation)?;
        Ok(Self { der: certificate.der().to_vec(), key_pkcs8: key.serialize_der(), expires_s })
    }

    /// The first certificate of one text and the key of another; the key as PKCS #8 or as SEC 1.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, CertificateError> {
        let der = first_pem(certificate, "CERTIFICATE").ok_or(CertificateError::BadCertificate)?;
        let parsed = x509_cert::Certificate::from_der(&der).map_err(|_| CertificateError::BadCertificate)?;
        let key_der = first_pem(key, "PRIVATE KEY")
            .or_else(|| first_pem(key, "EC PRIVATE KEY"))
            .ok_or(CertificateError::UnsupportedKey)?;
        let pair = [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING]
            .into_iter()
            .find_map(|kind| EcdsaKeyPair::from_private_key_der(kind, &key_der).ok())
            .ok_or(CertificateError::UnsupportedKey)?;
        let public_key = parsed.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes();
        if public_key != pair.public_key().as_ref() {
            return Err(CertificateError::KeyMismatch);
        }
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| CertificateError::UnsupportedKey)?;
        let expires_s = parsed.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
        Ok(Self { der, key_pkcs8: pkcs8.as_ref().to_vec(), expires_s })
    }

    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The private key, as PKCS #8. Who has it can pretend to be us.
    pub fn key_pkcs8(&self) -> &[u8] {
        &self.key_pkcs8
    }

    /// When it expires, in seconds since 1970.
    pub fn expires_s(&self) -> u64 {
        self.expires_s
    }

    pub fn fingerprint(&self, hash: HashKind) -> Fingerprint {
        Fingerprint::of(hash, &self.der)
    }

    pub(super) fn for_handshake(&self) -> dimpl::DtlsCertificate {
        dimpl::DtlsCertificate { certificate: self.der.clone(), private_key: self.key_pkcs8.clone() }
    }
}

/// The contents of the first block with this label.
fn first_pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let start = text.find(&begin)?;
    let len = text[start..].find(&end)? + end.len();
    let (_, document) = Document::from_pem(&text[start..start + len]).ok()?;
    document.to_der().ok()
}
