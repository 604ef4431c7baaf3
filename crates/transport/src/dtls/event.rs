//! What a DTLS connection tells its owner.

use std::fmt;

pub use dimpl::SrtpProfile;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DtlsEvent {
    /// The handshake is done and the peer is who the fingerprints say.
    Connected {
        /// `1.2` or `1.3`.
        version: &'static str,
        /// The certificate the peer has shown, as DER.
        peer_certificate: Vec<u8>,
        /// Keys for SRTP, if both sides can (RFC 5764).
        srtp: Option<SrtpKeys>,
    },
    /// What one record carried.
    Received(Vec<u8>),
    /// The peer said goodbye.
    Closed,
    /// It is over. No data came that was not delivered before.
    Failed(DtlsFailure),
}

/// Why a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtlsFailure {
    /// The peer's certificate is not one of those that were announced.
    WrongFingerprint,
    /// The handshake took too long.
    TimedOut,
    /// The peer broke the protocol, refused us, or has nothing in common with us (an RSA certificate, for one).
    Handshake,
}

impl fmt::Display for DtlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongFingerprint => "the peer's certificate does not match its fingerprint",
            Self::TimedOut => "the DTLS handshake took too long",
            Self::Handshake => "the DTLS handshake failed",
        })
    }
}

impl std::error::Error for DtlsFailure {}

/// The keying material of SRTP: client key, server key, client salt, server salt (RFC 5764 §4.2).
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    pub profile: SrtpProfile,
    pub material: Vec<u8>,
}

impl fmt::Debug for SrtpKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpKeys").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// Data can be sent between [`DtlsEvent::Connected`] and the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotConnected;

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DTLS is not connected")
    }
}

impl std::error::Error for NotConnected {}
