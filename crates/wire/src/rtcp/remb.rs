//! How much a receiver believes it can take (draft-alvestrand-rmcat-remb-03 §2).

use super::{append, format, kind, number};

pub(super) const NAME: &[u8] = b"REMB";
const MANTISSA_BITS: u32 = 18;

/// The limit of these sources together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remb<'a> {
    pub sender: u32,
    pub bitrate_bps: u64,
    sources: &'a [u8],
}

impl<'a> Remb<'a> {
    pub(super) fn parse(sender: u32, body: &'a [u8]) -> Option<Self> {
        let (&[_, _, _, _, count, a, b, c], sources) = body.split_first_chunk::<8>()?;
        let mantissa = u64::from(a & 3) << 16 | u64::from(b) << 8 | u64::from(c);
        // 18 bits shifted by up to 63: what is beyond 64 bits is no limit.
        let bitrate_bps = u128::from(mantissa) << (a >> 2);
        Some(Self {
            sender,
            bitrate_bps: u64::try_from(bitrate_bps).unwrap_or(u64::MAX),
            sources: sources.get(..4 * usize::from(count))?,
        })
    }

    pub fn sources(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.sources.chunks_exact(4).map(|ssrc| number(ssrc).unwrap_or_default())
    }
}

/// Appends the limit, rounded down to 18 bits, of the first 255 sources.
pub fn write_remb(compound: &mut Vec<u8>, sender: u32, bitrate_bps: u64, sources: &[u32]) {
    let sources = &sources[..sources.len().min(255)];
    let exponent = (u64::BITS - bitrate_bps.leading_zeros()).saturating_sub(MANTISSA_BITS);
    let [.., a, b, c] = ((bitrate_bps >> exponent) as u32).to_be_bytes();
    append(compound, kind::PAYLOAD_FEEDBACK, format::APPLICATION, |packet| {
        packet.extend(sender.to_be_bytes());
        packet.extend([0; 4]);
        packet.extend(NAME);
        packet.extend([sources.len() as u8, (exponent as u8) << 2 | a, b, c]);
        sources.iter().for_each(|ssrc| packet.extend(ssrc.to_be_bytes()));
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rtcp::{Rtcp, packets};

    fn read(bytes: &[u8]) -> Option<(u32, u64, Vec<u32>)> {
        packets(bytes).find_map(|packet| match packet {
            Rtcp::Remb(remb) => Some((remb.sender, remb.bitrate_bps, remb.sources().collect())),
            _ => None,
        })
    }

    #[test]
    fn the_limit_is_a_mantissa_and_an_exponent() {
        let mut bytes = Vec::new();
        write_remb(&mut bytes, 1, 1_000_000, &[7]);
        assert_eq!(bytes, b"\x8f\xce\0\x05\0\0\0\x01\0\0\0\0REMB\x01\x0b\xd0\x90\0\0\0\x07");
        assert_eq!(read(&bytes), Some((1, 1_000_000, vec![7])));
        bytes[17] = 0xff;
        assert_eq!(read(&bytes), Some((1, u64::MAX, vec![7])), "beyond all numbers");
        bytes[16] = 2;
        assert_eq!(read(&bytes), None, "fewer sources than it says");
        bytes[15] = b'C';
        assert_eq!(packets(&bytes).next(), Some(Rtcp::Other { packet_type: 206, format: 15 }));
    }

    proptest! {
        #[test]
        fn it_is_rounded_down_by_less_than_a_hundred_thousandth(bitrate: u64, sources: Vec<u32>) {
            let mut bytes = Vec::new();
            write_remb(&mut bytes, 1, bitrate, &sources);
            let (_, read, of) = read(&bytes).unwrap();
            assert!(read <= bitrate && bitrate - read <= bitrate / 100_000);
            assert_eq!(of, sources[..sources.len().min(255)]);
        }
    }
}
