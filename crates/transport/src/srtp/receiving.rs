//! What is received: nothing is remembered of a packet before it is authentic.

use std::collections::HashMap;

use peerline_wire::rtp;

use super::SrtpError;
use super::cipher::Cipher;
use super::derivation::Master;
use super::index::nearest;
use super::replay::{Replay, Stale};
use crate::dtls::SrtpProfile;

/// Of one peer. State of each is kept as long as the keys, or an old packet could be played again.
const MAX_SOURCES: usize = 2048;

/// Checks and decrypts the packets of one direction.
#[derive(Debug)]
pub struct SrtpReceiver {
    rtp: Cipher,
    rtcp: Cipher,
    // Sources are chosen by the peer: the standard library's hash is keyed by chance.
    sources: HashMap<u32, Replay>,
    rtcp_sources: HashMap<u32, Replay>,
}

impl SrtpReceiver {
    pub(super) fn new(profile: SrtpProfile, master: &Master) -> Option<Self> {
        let (rtp, rtcp) = (Cipher::for_rtp(profile, master)?, Cipher::for_rtcp(profile, master)?);
        Some(Self { rtp, rtcp, sources: HashMap::new(), rtcp_sources: HashMap::new() })
    }

    /// Decrypts an RTP packet in place; returns its length without the tag. After an error its bytes are of no use.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let header_len = rtp::header_len(packet).map_err(|_| SrtpError::Malformed)?;
        let sequence = u16::from_be_bytes([packet[2], packet[3]]);
        let ssrc = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
        let index = match self.sources.get(&ssrc) {
            Some(replay) => {
                let index = nearest(replay.highest, sequence);
                replay.check(index)?;
                index
            }
            None if self.sources.len() >= MAX_SOURCES => return Err(SrtpError::TooManySources),
            None => sequence.into(),
        };
        let len = self.rtp.unprotect_rtp(packet, header_len, ssrc, index)?;
        self.sources.entry(ssrc).or_insert_with(|| Replay::new(index)).accept(index);
        Ok(len)
    }

    /// Decrypts an RTCP packet in place; returns its length without number and tag. After an error its bytes are of no
    /// use.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let &[first, _, _, _, s1, s2, s3, s4] = packet.first_chunk().ok_or(SrtpError::Malformed)?;
        if first >> 6 != 2 {
            return Err(SrtpError::Malformed);
        }
        let ssrc = u32::from_be_bytes([s1, s2, s3, s4]);
        let number = self.rtcp.rtcp_number(packet)?;
        match self.rtcp_sources.get(&ssrc) {
            Some(replay) => replay.check(number.into())?,
            None if self.rtcp_sources.len() >= MAX_SOURCES => return Err(SrtpError::TooManySources),
            None => {}
        }
        let len = self.rtcp.unprotect_rtcp(packet, ssrc, number)?;
        self.rtcp_sources.entry(ssrc).or_insert_with(|| Replay::new(number.into())).accept(number.into());
        Ok(len)
    }
}

impl From<Stale> for SrtpError {
    fn from(stale: Stale) -> Self {
        match stale {
            Stale::Seen => Self::Replayed,
            Stale::TooOld => Self::TooOld,
        }
    }
}
