//! Parameters inside chunks (RFC 9260 §3.2.1), and what both sides of an INIT can do.

use crate::chunk::{FORWARD_TSN, I_DATA, I_FORWARD_TSN, RE_CONFIG, u16_at, u32_at};

pub(crate) const STATE_COOKIE: u16 = 7;
pub(crate) const OUTGOING_RESET: u16 = 13;
pub(crate) const INCOMING_RESET: u16 = 14;
pub(crate) const RESPONSE: u16 = 16;
const ZERO_CHECKSUM: u16 = 0x8001;
const EXTENSIONS: u16 = 0x8008;
const PARTIAL_RELIABILITY: u16 = 0xC000;
/// Ours: the largest packet that is taken, in bytes. Who does not know it skips it in silence, as its highest bits ask
/// (RFC 9260 §3.2.1), and is sent nothing larger than usual: browsers give a connection up over a record of 2 KiB.
const LARGEST_PACKET: u16 = 0xBF50;
/// "DTLS protects it", the one reason to go without a checksum (RFC 9653 §8).
const BY_DTLS: u32 = 1;

/// Type and value of each, up to the first that does not fit.
pub(crate) fn parameters(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (kind, len) = (u16_at(bytes, 0)?, usize::from(u16_at(bytes, 2)?));
        let value = bytes.get(4..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

pub(crate) fn put(packet: &mut Vec<u8>, kind: u16, value: &[u8]) {
    packet.extend(kind.to_be_bytes());
    packet.extend(((value.len() + 4) as u16).to_be_bytes());
    packet.extend_from_slice(value);
    packet.resize(packet.len().next_multiple_of(4), 0);
}

/// What a side can do beyond RFC 9260.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abilities {
    pub(crate) partial_reliability: bool,
    pub(crate) stream_reset: bool,
    pub(crate) interleaving: bool,
    pub(crate) zero_checksum: bool,
}

impl Abilities {
    pub(crate) fn both(self, other: Self) -> Self {
        Self {
            partial_reliability: self.partial_reliability && other.partial_reliability,
            stream_reset: self.stream_reset && other.stream_reset,
            interleaving: self.interleaving && other.interleaving,
            zero_checksum: self.zero_checksum && other.zero_checksum,
        }
    }
}

/// The fixed part of INIT and INIT ACK, and the parameters that matter here (RFC 9260 §3.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Init {
    pub(crate) tag: u32,
    pub(crate) window: u32,
    pub(crate) outgoing_streams: u16,
    pub(crate) incoming_streams: u16,
    pub(crate) first_tsn: u32,
    pub(crate) abilities: Abilities,
    /// In bytes; 0 if nothing is said.
    pub(crate) largest_packet: u32,
}

impl Init {
    /// And the cookie, if there is one. `None`: too short, or with a tag or a number of streams of zero.
    pub(crate) fn parse(value: &[u8]) -> Option<(Self, Option<&[u8]>)> {
        let (mut cookie, mut largest_packet) = (None, 0);
        let mut abilities =
            Abilities { partial_reliability: false, stream_reset: false, interleaving: false, zero_checksum: false };
        for (kind, value) in parameters(value.get(16..)?) {
            match kind {
                STATE_COOKIE => cookie = Some(value),
                PARTIAL_RELIABILITY => abilities.partial_reliability = true,
                LARGEST_PACKET => largest_packet = u32_at(value, 0).unwrap_or(0),
                ZERO_CHECKSUM => abilities.zero_checksum = u32_at(value, 0) == Some(BY_DTLS),
                EXTENSIONS => {
                    abilities.partial_reliability |= value.contains(&FORWARD_TSN);
                    abilities.stream_reset = value.contains(&RE_CONFIG);
                    abilities.interleaving = value.contains(&I_DATA);
                }
                _ => {}
            }
        }
        let init = Self {
            tag: u32_at(value, 0)?,
            window: u32_at(value, 4)?,
            outgoing_streams: u16_at(value, 8)?,
            incoming_streams: u16_at(value, 10)?,
            first_tsn: u32_at(value, 12)?,
            abilities,
            largest_packet,
        };
        let is_whole = init.tag != 0 && init.outgoing_streams != 0 && init.incoming_streams != 0;
        is_whole.then_some((init, cookie))
    }

    pub(crate) fn put(&self, packet: &mut Vec<u8>, cookie: Option<&[u8]>) {
        packet.extend(self.tag.to_be_bytes());
        packet.extend(self.window.to_be_bytes());
        packet.extend(self.outgoing_streams.to_be_bytes());
        packet.extend(self.incoming_streams.to_be_bytes());
        packet.extend(self.first_tsn.to_be_bytes());
        if let Some(cookie) = cookie {
            put(packet, STATE_COOKIE, cookie);
        }
        let mut extensions = vec![RE_CONFIG, FORWARD_TSN];
        if self.abilities.interleaving {
            extensions.extend([I_DATA, I_FORWARD_TSN]);
        }
        put(packet, EXTENSIONS, &extensions);
        put(packet, PARTIAL_RELIABILITY, &[]);
        if self.abilities.zero_checksum {
            put(packet, ZERO_CHECKSUM, &BY_DTLS.to_be_bytes());
        }
        if self.largest_packet > 0 {
            put(packet, LARGEST_PACKET, &self.largest_packet.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_init_is_read_as_it_was_written() {
        for interleaving in [false, true] {
            let abilities =
                Abilities { partial_reliability: true, stream_reset: true, interleaving, zero_checksum: interleaving };
            let largest_packet = if interleaving { 6 } else { 0 };
            let init = Init {
                tag: 1,
                window: 2,
                outgoing_streams: 3,
                incoming_streams: 4,
                first_tsn: 5,
                abilities,
                largest_packet,
            };
            let mut bytes = Vec::new();
            init.put(&mut bytes, Some(b"cookie"));
            assert_eq!(Init::parse(&bytes), Some((init, Some(&b"cookie"[..]))));
            for len in 0..16 {
                assert_eq!(Init::parse(&bytes[..len]), None);
            }
        }
    }

    #[test]
    fn an_init_with_a_tag_of_zero_is_none() {
        assert_eq!(Init::parse(&[0; 16]), None);
    }
}
