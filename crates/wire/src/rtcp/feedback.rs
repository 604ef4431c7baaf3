//! What a receiver asks for: packets again (RFC 4585 §6.2.1), key frames (RFC 4585 §6.3.1, RFC 5104 §4.3.1).

use super::{append, format, kind, number};

/// Sequence numbers that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostPackets<'a> {
    pairs: &'a [u8],
}

impl<'a> LostPackets<'a> {
    pub(super) fn new(pairs: &'a [u8]) -> Self {
        Self { pairs }
    }

    /// Each of them, in the order in which they were named.
    pub fn sequences(&self) -> impl Iterator<Item = u16> + 'a {
        self.pairs.chunks_exact(4).flat_map(|pair| {
            let (first, following) = (u16::from_be_bytes([pair[0], pair[1]]), u16::from_be_bytes([pair[2], pair[3]]));
            let others =
                (0..16).filter(move |bit| following >> bit & 1 != 0).map(move |bit| first.wrapping_add(bit + 1));
            std::iter::once(first).chain(others)
        })
    }
}

/// Appends a request for these packets, which are named in their order, the wrap of their numbers included.
pub fn write_nack(compound: &mut Vec<u8>, sender: u32, media: u32, lost: &[u16]) {
    append(compound, kind::TRANSPORT_FEEDBACK, format::NACK, |packet| {
        packet.extend(sender.to_be_bytes());
        packet.extend(media.to_be_bytes());
        let mut rest = lost;
        while let [first, others @ ..] = rest {
            let distance = |sequence: &u16| sequence.wrapping_sub(*first);
            let fit = others.iter().take_while(|sequence| (1..=16).contains(&distance(sequence))).count();
            let following = others[..fit].iter().fold(0, |bits, sequence| bits | 1_u16 << (distance(sequence) - 1));
            packet.extend(first.to_be_bytes());
            packet.extend(following.to_be_bytes());
            rest = &others[fit..];
        }
    });
}

/// Appends a request for a key frame.
pub fn write_picture_loss(compound: &mut Vec<u8>, sender: u32, media: u32) {
    append(compound, kind::PAYLOAD_FEEDBACK, format::PICTURE_LOSS, |packet| {
        packet.extend(sender.to_be_bytes());
        packet.extend(media.to_be_bytes());
    });
}

/// Key frames that are asked for by number: what is asked for twice under one number is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullIntraRequests<'a> {
    entries: &'a [u8],
}

/// A key frame of this source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullIntraRequest {
    pub media: u32,
    pub number: u8,
}

impl<'a> FullIntraRequests<'a> {
    pub(super) fn new(entries: &'a [u8]) -> Self {
        Self { entries }
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = FullIntraRequest> + 'a {
        self.entries
            .chunks_exact(8)
            .map(|entry| FullIntraRequest { media: number(entry).unwrap_or_default(), number: entry[4] })
    }
}

/// Appends a request for a key frame of each source.
pub fn write_full_intra(compound: &mut Vec<u8>, sender: u32, requests: &[FullIntraRequest]) {
    append(compound, kind::PAYLOAD_FEEDBACK, format::FULL_INTRA, |packet| {
        packet.extend(sender.to_be_bytes());
        packet.extend([0; 4]);
        for request in requests {
            packet.extend(request.media.to_be_bytes());
            packet.extend([request.number, 0, 0, 0]);
        }
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rtcp::{Rtcp, packets};

    fn sequences(bytes: &[u8]) -> Vec<u16> {
        match packets(bytes).next() {
            Some(Rtcp::Nack { sender: 1, media: 2, lost }) => lost.sequences().collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn seventeen_neighbours_fit_into_one_entry() {
        let mut bytes = Vec::new();
        write_nack(&mut bytes, 1, 2, &[65_530, 65_531, 10, 11, 40]);
        let expected = b"\x81\xcd\0\x05\0\0\0\x01\0\0\0\x02\xff\xfa\x80\x01\0\x0b\0\0\0\x28\0\0";
        assert_eq!(bytes, expected);
        assert_eq!(sequences(&bytes), [65_530, 65_531, 10, 11, 40]);
    }

    #[test]
    fn key_frames_are_asked_for_by_number() {
        let requests = [FullIntraRequest { media: 5, number: 255 }, FullIntraRequest { media: 6, number: 0 }];
        let mut bytes = Vec::new();
        write_full_intra(&mut bytes, 1, &requests);
        let Some(Rtcp::FullIntra { sender: 1, requests: read }) = packets(&bytes).next() else { panic!("{bytes:?}") };
        assert!(read.iter().eq(requests));
    }

    proptest! {
        #[test]
        fn what_is_asked_for_is_read_in_any_order(lost in prop::collection::vec(any::<u16>(), 0..200), from: u16) {
            let near: Vec<u16> = (0..200).filter(|step| step % 7 < 3).map(|step| from.wrapping_add(step)).collect();
            for asked in [&lost, &near] {
                let mut bytes = Vec::new();
                write_nack(&mut bytes, 1, 2, asked);
                let mut read = sequences(&bytes);
                let mut asked = asked.clone();
                if read != asked {
                    // Out of order: the bits of an entry have none, and say a number once.
                    for numbers in [&mut read, &mut asked] {
                        numbers.sort_unstable();
                        numbers.dedup();
                    }
                }
                assert_eq!(read, asked);
            }
        }
    }
}
