//! VP9 (RFC 9628): a descriptor of one byte and what its bits announce, then a piece of the frame.

use super::picture_number::{self, PictureNumbers};
use super::{Joined, Part, even_len};

const HAS_PICTURE_ID: u8 = 0x80;
const PREDICTED: u8 = 0x40;
const HAS_LAYERS: u8 = 0x20;
const FLEXIBLE: u8 = 0x10;
const BEGINS: u8 = 0x08;
const ENDS: u8 = 0x04;
const HAS_STRUCTURE: u8 = 0x02;
/// Of what we send: one byte of flags and a picture number of 15 bits.
const DESCRIPTOR_LEN: usize = 3;
/// A picture names no more than three others.
const MAX_REFERENCES: usize = 3;

pub(super) fn part(payload: &[u8], frame: &mut Joined) -> Option<Part> {
    let (&flags, rest) = payload.split_first()?;
    let mut rest = rest;
    if flags & HAS_PICTURE_ID != 0 {
        rest = picture_number::after(rest)?;
    }
    let mut spatial_layer = 0;
    if flags & HAS_LAYERS != 0 {
        spatial_layer = rest.first()? >> 1 & 7;
        // Without references of its own, a picture says which base layer it belongs to.
        rest = rest.get(if flags & FLEXIBLE != 0 { 1 } else { 2 }..)?;
    }
    if flags & FLEXIBLE != 0 && flags & PREDICTED != 0 {
        let others = rest.iter().take(MAX_REFERENCES).position(|reference| reference & 1 == 0)?;
        rest = &rest[others + 1..];
    }
    if flags & HAS_STRUCTURE != 0 {
        rest = rest.get(structure_len(rest)?..)?;
    }
    if rest.is_empty() {
        return None;
    }
    frame.bytes.extend(rest);
    // Layers of one picture share its timestamp, and the lowest comes first.
    let is_first = flags & BEGINS != 0 && spatial_layer == 0;
    Some(Part { is_first: Some(is_first), is_key: is_first && flags & PREDICTED == 0 })
}

/// The scalability structure: sizes of the spatial layers, then which picture refers to which.
fn structure_len(bytes: &[u8]) -> Option<usize> {
    let first = *bytes.first()?;
    let mut len = 1;
    if first & 0x10 != 0 {
        len += (usize::from(first >> 5) + 1) * 4;
    }
    if first & 0x08 != 0 {
        let pictures = *bytes.get(len)?;
        len += 1;
        for _ in 0..pictures {
            len += 1 + usize::from(bytes.get(len)? >> 2 & 3);
        }
    }
    Some(len)
}

/// Whether a frame needs no other, by its uncompressed header (VP9 bitstream specification §6.2).
fn is_key(frame: &[u8]) -> bool {
    let Some(&first) = frame.first() else { return false };
    // A marker of two bits, the profile, whose fourth has a bit more, then whether a frame is shown that exists.
    let flags = if first & 0x30 == 0x30 { first << 5 } else { first << 4 };
    first >> 6 == 2 && flags & 0x80 == 0 && flags & 0x40 == 0
}

pub(super) fn cut<'f>(numbers: &mut PictureNumbers, frame: &'f [u8], max_len: usize) -> Payloads<'f> {
    let predicted = if is_key(frame) { 0 } else { PREDICTED };
    let flags = HAS_PICTURE_ID | predicted | BEGINS;
    let piece_len = even_len(frame.len(), max_len - DESCRIPTOR_LEN);
    Payloads { rest: frame, piece_len, picture: numbers.next(), flags }
}

/// The pieces that are left of a frame.
#[derive(Debug, Clone)]
pub struct Payloads<'f> {
    rest: &'f [u8],
    piece_len: usize,
    picture: [u8; 2],
    flags: u8,
}

impl Payloads<'_> {
    pub(super) fn write_next(&mut self, packet: &mut Vec<u8>) -> Option<bool> {
        if self.rest.is_empty() {
            return None;
        }
        let (piece, rest) = self.rest.split_at(self.piece_len.min(self.rest.len()));
        let ends = if rest.is_empty() { ENDS } else { 0 };
        packet.push(self.flags | ends);
        packet.extend(self.picture);
        packet.extend(piece);
        self.flags &= !BEGINS;
        self.rest = rest;
        Some(rest.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::payload::{Format, Packetizer};

    fn read(payload: &[u8]) -> Option<(Option<bool>, bool, Vec<u8>)> {
        let mut frame = Joined::default();
        Format::Vp9.part(payload, &mut frame).map(|part| (part.is_first, part.is_key, frame.bytes))
    }

    #[test]
    fn descriptors_of_every_kind_are_read() {
        let whole = |is_first, is_key| Some((Some(is_first), is_key, b"x".to_vec()));
        assert_eq!(read(b"\x0cx"), whole(true, true));
        assert_eq!(read(b"\x4cx"), whole(true, false));
        assert_eq!(read(b"\x04x"), whole(false, false));
        assert_eq!(read(b"\x8c\x11x"), whole(true, true), "7 bits of picture");
        assert_eq!(read(b"\x8c\x81\x11x"), whole(true, true), "15 bits");
        assert_eq!(read(b"\x2c\x00\x05x"), whole(true, true), "layers and a base layer");
        assert_eq!(read(b"\x3c\x02x"), whole(false, false), "the second spatial layer, flexible");
        assert_eq!(read(b"\x5c\x03\x05\x06x"), whole(true, false), "three references");
        assert_eq!(
            read(b"\x0e\x38\x01\x40\0\xb4\x02\x80\x01\x68\x02\x00\x08\x01\x02x"),
            whole(true, true),
            "structure"
        );
    }

    #[test]
    fn what_ends_within_its_descriptor_is_malformed() {
        for cut in [
            &b""[..],
            b"\x0c",
            b"\x8c",
            b"\x8c\x81",
            b"\x8c\x81\x01",
            b"\x2c\x00",
            b"\x5c\x03\x05\x07",
            b"\x0e\x18\x01",
            b"\x0e\x08\x02\x04\x01",
            b"\x0e\x08",
        ] {
            assert_eq!(read(cut), None, "{cut:?}");
        }
    }

    #[test]
    fn key_frames_are_known_by_their_header() {
        assert!(is_key(&[0b1000_0010, 0x49]), "profile 0");
        assert!(!is_key(&[0b1000_0110]), "predicted");
        assert!(!is_key(&[0b1000_1000]), "shows one that exists");
        assert!(is_key(&[0b1011_0000]) && !is_key(&[0b1011_0010]), "profile 3");
        assert!(!is_key(&[0b0100_0000]) && !is_key(&[]));
    }

    proptest! {
        #[test]
        fn frames_are_joined_as_they_were_cut(frame in prop::collection::vec(any::<u8>(), 1..5000), max_len in 16..1500_usize) {
            let mut packetizer = Packetizer::new(Format::Vp9);
            let (mut payloads, mut joined, mut count) = (packetizer.cut(&frame, max_len), Joined::default(), 0);
            loop {
                let mut payload = Vec::new();
                let is_last = payloads.write_next(&mut payload).unwrap();
                assert_eq!(payload[0] & ENDS != 0, is_last);
                let part = Format::Vp9.part(&payload, &mut joined).unwrap();
                assert_eq!((part.is_first, part.is_key), (Some(count == 0), count == 0 && is_key(&frame)));
                count += 1;
                if is_last {
                    break;
                }
            }
            assert_eq!((&joined.bytes, count), (&frame, frame.len().div_ceil(max_len - 3)));
        }
    }
}
