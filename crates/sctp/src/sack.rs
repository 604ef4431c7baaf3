//! Acknowledgements on the wire (RFC 9260 §3.3.4).

use crate::chunk::{self, u16_at, u32_at};

const FIXED_LEN: usize = 12;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Sack<'a> {
    pub(crate) cumulative: u32,
    pub(crate) window: u32,
    gaps: &'a [u8],
}

impl<'a> Sack<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let count = usize::from(u16_at(value, 8)?);
        Some(Self {
            cumulative: u32_at(value, 0)?,
            window: u32_at(value, 4)?,
            gaps: value.get(FIXED_LEN..FIXED_LEN + 4 * count)?,
        })
    }

    /// One that says only up to where everything has arrived.
    pub(crate) fn without_gaps(cumulative: u32, window: u32) -> Self {
        Self { cumulative, window, gaps: &[] }
    }

    /// First and last of each block that has arrived, counted from the cumulative TSN.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = (u16, u16)> + use<'a> {
        let pair = |block: &[u8]| (u16_at(block, 0).unwrap_or(0), u16_at(block, 2).unwrap_or(0));
        self.gaps.chunks_exact(4).map(pair).filter(|(start, end)| (1..=*end).contains(start))
    }
}

/// Writes one that fits in `room`; what does not fit is left out from the end.
pub(crate) fn put(
    packet: &mut Vec<u8>,
    cumulative: u32,
    window: u32,
    gaps: impl Iterator<Item = (u16, u16)>,
    duplicates: &[u32],
    room: usize,
) {
    chunk::put(packet, chunk::SACK, 0, |packet| {
        packet.extend(cumulative.to_be_bytes());
        packet.extend(window.to_be_bytes());
        let counts = packet.len();
        packet.extend([0; 4]);
        let places = room.saturating_sub(chunk::HEADER_LEN + FIXED_LEN) / 4;
        let mut blocks = 0_u16;
        for (start, end) in gaps.take(places) {
            packet.extend(start.to_be_bytes());
            packet.extend(end.to_be_bytes());
            blocks += 1;
        }
        let duplicates = &duplicates[..duplicates.len().min(places - usize::from(blocks))];
        duplicates.iter().for_each(|tsn| packet.extend(tsn.to_be_bytes()));
        packet[counts..counts + 2].copy_from_slice(&blocks.to_be_bytes());
        packet[counts + 2..counts + 4].copy_from_slice(&(duplicates.len() as u16).to_be_bytes());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sack_is_read_as_it_was_written_as_far_as_there_is_room() {
        let gaps = [(2, 3), (5, 9), (11, 11)];
        for (room, fits) in [(100, 3), (24, 2), (16, 0)] {
            let mut packet = Vec::new();
            put(&mut packet, 7, 1000, gaps.into_iter(), &[1, 2], room);
            assert!(packet.len() <= room);
            let sack = Sack::parse(&packet[4..]).unwrap();
            assert_eq!((sack.cumulative, sack.window), (7, 1000));
            assert!(sack.gaps().eq(gaps[..fits].iter().copied()));
        }
    }

    #[test]
    fn blocks_that_make_no_sense_are_left_out() {
        let mut value = vec![0; 12];
        value[9] = 3;
        value.extend([0, 5, 0, 4, 0, 0, 0, 2, 0, 1, 0, 1]);
        assert!(Sack::parse(&value).unwrap().gaps().eq([(1, 1)]));
        assert!(Sack::parse(&value[..20]).is_none(), "more blocks than bytes");
    }
}
