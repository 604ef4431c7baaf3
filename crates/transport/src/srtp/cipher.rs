//! How one packet is encrypted and authenticated: AES-CM with HMAC-SHA1 (RFC 3711 §4) or AES-GCM (RFC 7714).
//!
//! Keys are made once: to schedule one anew for each packet costs more than to encrypt it.

use std::fmt;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::EncryptingKey;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use super::SrtpError;
use super::derivation::{Master, Use, key_stream, xor_key_stream};
use crate::dtls::SrtpProfile;

/// Of HMAC-SHA1, cut to 80 bits.
const CM_TAG_LEN: usize = 10;
const GCM_TAG_LEN: usize = 16;
/// What the number of an RTCP packet takes up.
const NUMBER_LEN: usize = 4;
/// Its highest bit: the packet is encrypted.
const ENCRYPTED: u32 = 0x8000_0000;
/// Of RTCP, what stays readable: the first header and who sends it.
const RTCP_HEADER_LEN: usize = 8;

/// The keys for RTP, or those for RTCP, of one direction.
pub(super) enum Cipher {
    Cm(Box<CmKeys>),
    Gcm { key: LessSafeKey, salt: [u8; 12] },
}

/// Large, since HMAC keeps what it has hashed of its key twice.
pub(super) struct CmKeys {
    key: EncryptingKey,
    authentication: hmac::Key,
    salt: [u8; 14],
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cm(_) => "Cipher::Cm",
            Self::Gcm { .. } => "Cipher::Gcm",
        })
    }
}

impl Cipher {
    pub(super) fn for_rtp(profile: SrtpProfile, master: &Master) -> Option<Self> {
        Self::new(profile, master, [Use::RtpKey, Use::RtpAuthentication, Use::RtpSalt])
    }

    pub(super) fn for_rtcp(profile: SrtpProfile, master: &Master) -> Option<Self> {
        Self::new(profile, master, [Use::RtcpKey, Use::RtcpAuthentication, Use::RtcpSalt])
    }

    fn new(profile: SrtpProfile, master: &Master, [key, authentication, salt]: [Use; 3]) -> Option<Self> {
        let algorithm = match profile {
            SrtpProfile::AES128_CM_SHA1_80 => {
                let authentication = master.derive(authentication, 20)?;
                return Some(Self::Cm(Box::new(CmKeys {
                    key: key_stream(&master.derive(key, 16)?)?,
                    authentication: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &authentication),
                    salt: master.derive(salt, 14)?.try_into().ok()?,
                })));
            }
            SrtpProfile::AEAD_AES_128_GCM => &AES_128_GCM,
            SrtpProfile::AEAD_AES_256_GCM => &AES_256_GCM,
            _ => return None,
        };
        Self::gcm(algorithm, &master.derive(key, algorithm.key_len())?, &master.derive(salt, 12)?)
    }

    pub(super) fn gcm(algorithm: &'static aws_lc_rs::aead::Algorithm, key: &[u8], salt: &[u8]) -> Option<Self> {
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
        Some(Self::Gcm { key, salt: salt.try_into().ok()? })
    }

    /// Encrypts what follows the header and appends the tag.
    pub(super) fn protect_rtp(
        &self,
        packet: &mut Vec<u8>,
        header_len: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<(), SrtpError> {
        match self {
            Self::Cm(keys) => {
                let CmKeys { key, authentication, salt } = &**keys;
                xor_key_stream(key, cm_iv(salt, ssrc, index), &mut packet[header_len..]).ok_or(SrtpError::Malformed)?;
                let tag = cm_tag(authentication, &[packet, &rollover(index)]);
                packet.extend(&tag.as_ref()[..CM_TAG_LEN]);
            }
            Self::Gcm { key, salt } => {
                let (header, payload) = packet.split_at_mut(header_len);
                let nonce = gcm_nonce(salt, ssrc, index);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(header), payload);
                packet.extend(tag.map_err(|_| SrtpError::Malformed)?.as_ref());
            }
        }
        Ok(())
    }

    /// Checks the tag and decrypts; returns the length without the tag. On an error the packet is of no use any more.
    pub(super) fn unprotect_rtp(
        &self,
        packet: &mut [u8],
        header_len: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, SrtpError> {
        match self {
            Self::Cm(keys) => {
                let CmKeys { key, authentication, salt } = &**keys;
                let len = packet.len().checked_sub(CM_TAG_LEN).filter(|len| *len >= header_len);
                let (packet, tag) = packet.split_at_mut(len.ok_or(SrtpError::Malformed)?);
                cm_verify(authentication, &[packet, &rollover(index)], tag)?;
                xor_key_stream(key, cm_iv(salt, ssrc, index), &mut packet[header_len..]).ok_or(SrtpError::Malformed)?;
                Ok(packet.len())
            }
            Self::Gcm { key, salt } => {
                let (header, payload) = packet.split_at_mut(header_len);
                let opened = key.open_in_place(gcm_nonce(salt, ssrc, index), Aad::from(header), payload);
                Ok(header_len + opened.map_err(|_| SrtpError::Forged)?.len())
            }
        }
    }

    /// Encrypts what follows the sender, and appends the number and the tag in the order of the profile.
    pub(super) fn protect_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, number: u32) -> Result<(), SrtpError> {
        let shown = (ENCRYPTED | number).to_be_bytes();
        match self {
            Self::Cm(keys) => {
                let CmKeys { key, authentication, salt } = &**keys;
                let iv = cm_iv(salt, ssrc, number.into());
                xor_key_stream(key, iv, &mut packet[RTCP_HEADER_LEN..]).ok_or(SrtpError::Malformed)?;
                packet.extend(shown);
                let tag = cm_tag(authentication, &[packet]);
                packet.extend(&tag.as_ref()[..CM_TAG_LEN]);
            }
            Self::Gcm { key, salt } => {
                let (header, body) = packet.split_at_mut(RTCP_HEADER_LEN);
                let aad = Aad::from(with_number(header, shown));
                let tag = key.seal_in_place_separate_tag(gcm_nonce(salt, ssrc, number.into()), aad, body);
                packet.extend(tag.map_err(|_| SrtpError::Malformed)?.as_ref());
                packet.extend(shown);
            }
        }
        Ok(())
    }

    /// The number that an RTCP packet says it has; it is not authenticated yet.
    pub(super) fn rtcp_number(&self, packet: &[u8]) -> Result<u32, SrtpError> {
        let tag_len = if matches!(self, Self::Cm(_)) { CM_TAG_LEN } else { 0 };
        let end = packet.len().checked_sub(tag_len).ok_or(SrtpError::Malformed)?;
        let shown = packet[..end].last_chunk::<NUMBER_LEN>().ok_or(SrtpError::Malformed)?;
        Ok(u32::from_be_bytes(*shown) & !ENCRYPTED)
    }

    /// As `unprotect_rtp`. Both profiles may leave a packet unencrypted and say so; WebRTC never does (RFC 8834 §4.3), and
    /// such a packet is taken for a forged one.
    pub(super) fn unprotect_rtcp(&self, packet: &mut [u8], ssrc: u32, number: u32) -> Result<usize, SrtpError> {
        let shown = (ENCRYPTED | number).to_be_bytes();
        match self {
            Self::Cm(keys) => {
                let CmKeys { key, authentication, salt } = &**keys;
                let end = packet.len().checked_sub(CM_TAG_LEN + NUMBER_LEN).filter(|end| *end >= RTCP_HEADER_LEN);
                let end = end.ok_or(SrtpError::Malformed)?;
                let (covered, tag) = packet.split_at_mut(end + NUMBER_LEN);
                cm_verify(authentication, &[covered], tag)?;
                if covered[end..] != shown {
                    return Err(SrtpError::Forged);
                }
                let iv = cm_iv(salt, ssrc, number.into());
                xor_key_stream(key, iv, &mut covered[RTCP_HEADER_LEN..end]).ok_or(SrtpError::Malformed)?;
                Ok(end)
            }
            Self::Gcm { key, salt } => {
                let end = packet.len().checked_sub(NUMBER_LEN).filter(|end| *end >= RTCP_HEADER_LEN + GCM_TAG_LEN);
                let end = end.ok_or(SrtpError::Malformed)?;
                if packet[end..] != shown {
                    return Err(SrtpError::Forged);
                }
                let (header, body) = packet[..end].split_at_mut(RTCP_HEADER_LEN);
                let aad = Aad::from(with_number(header, shown));
                let opened = key.open_in_place(gcm_nonce(salt, ssrc, number.into()), aad, body);
                Ok(RTCP_HEADER_LEN + opened.map_err(|_| SrtpError::Forged)?.len())
            }
        }
    }
}

/// RFC 3711 §4.1.1: salt, SSRC and index, each at its place.
fn cm_iv(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
    let salt = salt.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    (salt << 16 ^ u128::from(ssrc) << 64 ^ u128::from(index) << 16).to_be_bytes()
}

/// RFC 7714 §8.1 and §9.1: the same with the index at the end.
fn gcm_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> Nonce {
    let [_, _, _, _, packet @ ..] = (u128::from(ssrc) << 48 | u128::from(index)).to_be_bytes();
    Nonce::assume_unique_for_key(std::array::from_fn(|at| salt[at] ^ packet[at]))
}

/// The 32 bits of the index that the packet does not show.
fn rollover(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

fn with_number(header: &[u8], shown: [u8; NUMBER_LEN]) -> [u8; RTCP_HEADER_LEN + NUMBER_LEN] {
    let mut covered = [0; RTCP_HEADER_LEN + NUMBER_LEN];
    covered[..RTCP_HEADER_LEN].copy_from_slice(header);
    covered[RTCP_HEADER_LEN..].copy_from_slice(&shown);
    covered
}

fn cm_tag(key: &hmac::Key, parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    parts.iter().for_each(|part| context.update(part));
    context.sign()
}

fn cm_verify(key: &hmac::Key, parts: &[&[u8]], tag: &[u8]) -> Result<(), SrtpError> {
    let expected = cm_tag(key, parts);
    verify_slices_are_equal(&expected.as_ref()[..CM_TAG_LEN], tag).map_err(|_| SrtpError::Forged)
}
