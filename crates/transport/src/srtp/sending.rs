//! What is sent: each packet gets an index that its source never had before.

use std::collections::HashMap;

use peerline_wire::rtp;

use super::SrtpError;
use super::cipher::Cipher;
use super::derivation::Master;
use super::index::{LAST_INDEX, nearest};
use crate::dtls::SrtpProfile;

/// RTCP packets are numbered with 31 bits.
const LAST_RTCP_NUMBER: u32 = 0x7fff_ffff;

/// Protects the packets of one direction. State of a source is kept for as long as the keys: a source that is used again
/// goes on where it was.
#[derive(Debug)]
pub struct SrtpSender {
    rtp: Cipher,
    rtcp: Cipher,
    /// The highest index of each source.
    sources: HashMap<u32, u64>,
    rtcp_number: u32,
}

impl SrtpSender {
    pub(super) fn new(profile: SrtpProfile, master: &Master) -> Option<Self> {
        let (rtp, rtcp) = (Cipher::for_rtp(profile, master)?, Cipher::for_rtcp(profile, master)?);
        Some(Self { rtp, rtcp, sources: HashMap::new(), rtcp_number: 0 })
    }

    /// Encrypts a whole RTP packet in place and appends its tag.
    ///
    /// Sequence numbers of a source go up, wrapping; one that is sent twice has to be the same packet.
    pub fn protect_rtp(&mut self, packet: &mut Vec<u8>) -> Result<(), SrtpError> {
        let header_len = rtp::header_len(packet).map_err(|_| SrtpError::Malformed)?;
        let sequence = u16::from_be_bytes([packet[2], packet[3]]);
        let ssrc = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
        let highest = self.sources.entry(ssrc).or_insert(sequence.into());
        let index = nearest(*highest, sequence);
        if *highest == LAST_INDEX || index + 0x1_0000 < *highest {
            return Err(SrtpError::KeysUsedUp);
        }
        *highest = index.max(*highest);
        self.rtp.protect_rtp(packet, header_len, ssrc, index)
    }

    /// Encrypts a whole compound RTCP packet in place and appends its number and its tag.
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), SrtpError> {
        let &[_, _, _, _, s1, s2, s3, s4] = packet.first_chunk().ok_or(SrtpError::Malformed)?;
        if self.rtcp_number == LAST_RTCP_NUMBER {
            return Err(SrtpError::KeysUsedUp);
        }
        self.rtcp_number += 1;
        self.rtcp.protect_rtcp(packet, u32::from_be_bytes([s1, s2, s3, s4]), self.rtcp_number)
    }
}
