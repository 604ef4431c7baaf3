//! The header before the chunks, and its checksum (RFC 9260 §3.1, RFC 9653).

use crate::chunk::{u16_at, u32_at};

pub(crate) const HEADER_LEN: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) source: u16,
    pub(crate) destination: u16,
    pub(crate) tag: u32,
}

impl Header {
    /// The header, and the chunks behind it. `None`: too short, or altered on the way. A checksum of zero is taken where
    /// the other side was told that it need not make one.
    pub(crate) fn parse(packet: &[u8], may_be_zero: bool) -> Option<(Self, &[u8])> {
        let chunks = packet.get(HEADER_LEN..)?;
        let checksum = u32::from_le_bytes(packet[8..12].try_into().ok()?);
        if !(checksum == 0 && may_be_zero) && checksum != checksum_of(packet) {
            return None;
        }
        let (source, destination) = (u16_at(packet, 0)?, u16_at(packet, 2)?);
        Some((Self { source, destination, tag: u32_at(packet, 4)? }, chunks))
    }

    /// Begins a packet; [`seal`] ends it.
    pub(crate) fn put(self, packet: &mut Vec<u8>) {
        packet.extend(self.source.to_be_bytes());
        packet.extend(self.destination.to_be_bytes());
        packet.extend(self.tag.to_be_bytes());
        packet.extend([0; 4]);
    }
}

/// Writes the checksum.
pub(crate) fn seal(packet: &mut [u8]) {
    let checksum = checksum_of(packet);
    packet[8..12].copy_from_slice(&checksum.to_le_bytes());
}

fn checksum_of(packet: &[u8]) -> u32 {
    let before = crc32c::crc32c(&packet[..8]);
    crc32c::crc32c_append(crc32c::crc32c_append(before, &[0; 4]), &packet[HEADER_LEN..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_that_was_altered_is_none() {
        let header = Header { source: 5000, destination: 5001, tag: 7 };
        let mut packet = Vec::new();
        header.put(&mut packet);
        packet.extend([11, 0, 0, 4]);
        assert_eq!(Header::parse(&packet, false), None);
        assert_eq!(Header::parse(&packet, true), Some((header, &[11, 0, 0, 4][..])));
        seal(&mut packet);
        assert_eq!(Header::parse(&packet, false), Some((header, &[11, 0, 0, 4][..])));
        packet[12] ^= 1;
        assert_eq!(Header::parse(&packet, true), None);
        assert_eq!(Header::parse(&packet[..11], true), None);
    }
}
