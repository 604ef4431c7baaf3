//! What the other side need not wait for: FORWARD-TSN and I-FORWARD-TSN (RFC 3758 §3.2, RFC 8260 §2.3).

use crate::chunk::{self, u16_at, u32_at};

pub(crate) const FIXED_LEN: usize = 8;
/// The longer of both kinds.
pub(crate) const SKIP_LEN: usize = 8;

/// Messages of one stream up to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Skip {
    pub(crate) stream: u16,
    /// Told apart by I-FORWARD-TSN alone; FORWARD-TSN says nothing of unordered ones.
    pub(crate) is_unordered: bool,
    pub(crate) number: u32,
}

/// The new cumulative TSN, and the messages that will never be whole.
pub(crate) fn parse(value: &[u8], is_interleaved: bool) -> Option<(u32, impl Iterator<Item = Skip>)> {
    let rest = value.get(4..)?;
    let skip = move |entry: &[u8]| Skip {
        stream: u16_at(entry, 0).unwrap_or(0),
        is_unordered: is_interleaved && entry[3] & 1 != 0,
        number: if is_interleaved { u32_at(entry, 4).unwrap_or(0) } else { u16_at(entry, 2).unwrap_or(0).into() },
    };
    Some((u32_at(value, 0)?, rest.chunks_exact(if is_interleaved { 8 } else { 4 }).map(skip)))
}

pub(crate) fn put(packet: &mut Vec<u8>, cumulative: u32, skips: &[Skip], is_interleaved: bool) {
    let kind = if is_interleaved { chunk::I_FORWARD_TSN } else { chunk::FORWARD_TSN };
    chunk::put(packet, kind, 0, |packet| {
        packet.extend(cumulative.to_be_bytes());
        for skip in skips {
            packet.extend(skip.stream.to_be_bytes());
            if is_interleaved {
                packet.extend([0, u8::from(skip.is_unordered)]);
                packet.extend(skip.number.to_be_bytes());
            } else {
                packet.extend((skip.number as u16).to_be_bytes());
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skips_are_read_as_they_were_written() {
        for is_interleaved in [false, true] {
            let skips = [
                Skip { stream: 1, is_unordered: false, number: 65_535 },
                Skip { stream: 1, is_unordered: is_interleaved, number: 0 },
            ];
            let mut packet = Vec::new();
            put(&mut packet, 9, &skips, is_interleaved);
            let (cumulative, read) = parse(&packet[4..], is_interleaved).unwrap();
            assert_eq!((cumulative, read.collect::<Vec<_>>()), (9, skips.to_vec()));
        }
        assert!(parse(&[0; 3], false).is_none());
    }
}
