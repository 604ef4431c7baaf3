//! SRTP: what DTLS's keys do to RTP and RTCP packets (RFC 3711, RFC 5764, RFC 7714).
//!
//! Reading order: `sending` and `receiving` (what a packet goes through) → `cipher` (three ways to encrypt one) →
//! `derivation` (where their keys come from), `index` (the 48 bits of which a packet shows 16), `replay`.

mod cipher;
mod derivation;
mod index;
mod receiving;
mod replay;
mod sending;

use std::fmt;

pub use receiving::SrtpReceiver;
pub use sending::SrtpSender;

use crate::dtls::{SrtpKeys, SrtpProfile};
use derivation::Master;

/// Bytes that protection adds to an RTP packet at most.
pub const MAX_RTP_OVERHEAD: usize = 16;
/// And to an RTCP packet: its number, too.
pub const MAX_RTCP_OVERHEAD: usize = MAX_RTP_OVERHEAD + 4;

/// Why a packet was neither sent nor believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SrtpError {
    /// It is no RTP or RTCP packet.
    Malformed,
    /// Nobody with the keys made it.
    Forged,
    /// It was here before.
    Replayed,
    /// It is so late that nobody knows whether it was here before.
    TooOld,
    /// The peer uses more sources than anybody needs.
    TooManySources,
    /// All numbers are used: what comes next would repeat a key stream (RFC 3711 §9.2).
    KeysUsedUp,
}

impl fmt::Display for SrtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "no RTP or RTCP packet",
            Self::Forged => "the packet is not by the peer",
            Self::Replayed => "the packet was here before",
            Self::TooOld => "the packet is too late",
            Self::TooManySources => "the peer uses too many sources",
            Self::KeysUsedUp => "the keys have encrypted as many packets as they may",
        })
    }
}

impl std::error::Error for SrtpError {}

/// Both directions of a transport whose handshake is over; `None` if the profile is not known or the
/// material does not fit it.
pub fn srtp(keys: &SrtpKeys, is_client: bool) -> Option<(SrtpSender, SrtpReceiver)> {
    let (key_len, salt_len) = match keys.profile {
        SrtpProfile::AES128_CM_SHA1_80 => (16, 14),
        SrtpProfile::AEAD_AES_128_GCM => (16, 12),
        SrtpProfile::AEAD_AES_256_GCM => (32, 12),
        _ => return None,
    };
    if keys.material.len() != 2 * (key_len + salt_len) {
        return None;
    }
    // Client key, server key, client salt, server salt.
    let (both_keys, both_salts) = keys.material.split_at(2 * key_len);
    let (client_key, server_key) = both_keys.split_at(key_len);
    let (client_salt, server_salt) = both_salts.split_at(salt_len);
    let client = Master::new(client_key, client_salt)?;
    let server = Master::new(server_key, server_salt)?;
    let (ours, theirs) = if is_client { (client, server) } else { (server, client) };
    Some((SrtpSender::new(keys.profile, &ours)?, SrtpReceiver::new(keys.profile, &theirs)?))
}

#[cfg(test)]
mod tests;
