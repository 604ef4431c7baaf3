//! A packet with something done to it.

use crate::bytes::Bytes;

/// Changed at one or more places, cut, continued, or spliced with another one. What is before `from` stays.
pub(crate) fn mutate(bytes: &mut Bytes<'_>, mut packet: Vec<u8>, other: &[u8], from: usize) -> Vec<u8> {
    for _ in 0..=bytes.byte() % 3 {
        if packet.len() <= from {
            packet.extend(bytes.some());
            continue;
        }
        let at = from + usize::from(bytes.word()) % (packet.len() - from);
        match bytes.byte() % 8 {
            0 => packet[at] ^= 1 << (bytes.byte() % 8),
            1 => packet[at] = bytes.byte(),
            2 => packet.truncate(at),
            3 => packet.extend(bytes.some()),
            4 => {
                packet.splice(at..at, bytes.some().iter().copied());
            }
            5 => {
                let end = (at + usize::from(bytes.byte())).min(packet.len());
                packet.drain(at..end);
            }
            6 => {
                packet.truncate(at);
                packet.extend(other.get(at..).unwrap_or_default());
            }
            _ => {
                // Numbers at their ends.
                let value = *bytes.one_of(&[0_u16, 1, 0x7fff, 0x8000, 0xffff]);
                for (place, byte) in packet[at..].iter_mut().zip(value.to_be_bytes()) {
                    *place = byte;
                }
            }
        }
    }
    packet
}
