//! VP8 (RFC 7741): a descriptor of one to six bytes, then a piece of the frame.

use super::picture_number::{self, PictureNumbers};
use super::{Joined, Part, even_len};

const EXTENDED: u8 = 0x80;
const START: u8 = 0x10;
const HAS_PICTURE_ID: u8 = 0x80;
const HAS_LEVEL_INDEX: u8 = 0x40;
const HAS_LEVEL: u8 = 0x20;
const HAS_KEY_INDEX: u8 = 0x10;
/// Of what we send: two bytes of flags and a picture number of 15 bits.
const DESCRIPTOR_LEN: usize = 4;
/// The first bit of a frame is 0 if it needs no other (RFC 6386 §9.1).
const NOT_KEY: u8 = 0x01;

pub(super) fn part(payload: &[u8], frame: &mut Joined) -> Option<Part> {
    let &[flags, ..] = payload else { return None };
    let mut rest = &payload[1..];
    if flags & EXTENDED != 0 {
        let (extensions, after) = rest.split_first()?;
        rest = after;
        if extensions & HAS_PICTURE_ID != 0 {
            rest = picture_number::after(rest)?;
        }
        if extensions & HAS_LEVEL_INDEX != 0 {
            rest = rest.get(1..)?;
        }
        if extensions & (HAS_LEVEL | HAS_KEY_INDEX) != 0 {
            rest = rest.get(1..)?;
        }
    }
    // The first packet of the first partition begins the frame.
    let is_first = flags & START != 0 && flags & 0x07 == 0;
    let first = rest.first()?;
    frame.bytes.extend(rest);
    Some(Part { is_first: Some(is_first), is_key: is_first && first & NOT_KEY == 0 })
}

pub(super) fn cut<'f>(numbers: &mut PictureNumbers, frame: &'f [u8], max_len: usize) -> Payloads<'f> {
    let piece_len = even_len(frame.len(), max_len - DESCRIPTOR_LEN);
    Payloads { rest: frame, piece_len, picture: numbers.next(), is_first: true }
}

/// The pieces that are left of a frame.
#[derive(Debug, Clone)]
pub struct Payloads<'f> {
    rest: &'f [u8],
    piece_len: usize,
    picture: [u8; 2],
    is_first: bool,
}

impl Payloads<'_> {
    pub(super) fn write_next(&mut self, packet: &mut Vec<u8>) -> Option<bool> {
        if self.rest.is_empty() {
            return None;
        }
        let start = if std::mem::take(&mut self.is_first) { START } else { 0 };
        packet.extend([EXTENDED | start, HAS_PICTURE_ID]);
        packet.extend(self.picture);
        let (piece, rest) = self.rest.split_at(self.piece_len.min(self.rest.len()));
        packet.extend(piece);
        self.rest = rest;
        Some(rest.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::payload::{Format, Packetizer};

    fn read(payload: &[u8]) -> Option<(Part, Vec<u8>)> {
        let mut frame = Joined::default();
        Format::Vp8.part(payload, &mut frame).map(|part| (part, frame.bytes))
    }

    #[test]
    fn descriptors_of_every_length_are_read() {
        let key = |is_first, is_key| Part { is_first: Some(is_first), is_key };
        assert_eq!(read(b"\x10\x00vp8"), Some((key(true, true), b"\0vp8".to_vec())));
        assert_eq!(read(b"\x10\x01vp8"), Some((key(true, false), b"\x01vp8".to_vec())));
        assert_eq!(read(b"\x00\x00vp8"), Some((key(false, false), b"\0vp8".to_vec())));
        assert_eq!(read(b"\x11\x00vp8"), Some((key(false, false), b"\0vp8".to_vec())), "another partition");
        assert_eq!(read(b"\x90\x80\x11\0x"), Some((key(true, true), b"\0x".to_vec())), "7 bits of picture");
        assert_eq!(read(b"\x90\x80\x81\x11\0x"), Some((key(true, true), b"\0x".to_vec())), "15 bits");
        assert_eq!(read(b"\x90\xe0\x81\x11\x22\x33\0x"), Some((key(true, true), b"\0x".to_vec())), "levels");
        assert_eq!(read(b"\x90\x30\x33\0x"), Some((key(true, true), b"\0x".to_vec())), "level and key share a byte");
    }

    #[test]
    fn what_ends_within_its_descriptor_is_malformed() {
        for cut in
            [&b""[..], b"\x10", b"\x90", b"\x90\x80", b"\x90\x80\x80", b"\x90\x80\x80\x01", b"\x90\xf0\x01\x02\x03"]
        {
            assert_eq!(read(cut), None, "{cut:?}");
        }
    }

    proptest! {
        #[test]
        fn frames_are_joined_as_they_were_cut(frame in prop::collection::vec(any::<u8>(), 1..5000), max_len in 16..1500_usize) {
            let mut packetizer = Packetizer::new(Format::Vp8);
            for picture in 0..2_u8 {
                let (mut payloads, mut joined, mut count) = (packetizer.cut(&frame, max_len), Joined::default(), 0);
                loop {
                    let mut payload = Vec::new();
                    let is_last = payloads.write_next(&mut payload).unwrap();
                    assert_eq!(payload[3], picture);
                    let part = Format::Vp8.part(&payload, &mut joined).unwrap();
                    assert_eq!(part.is_first, Some(count == 0));
                    assert_eq!(part.is_key, count == 0 && frame[0] & 1 == 0);
                    count += 1;
                    if is_last {
                        break;
                    }
                }
                assert_eq!(payloads.write_next(&mut Vec::new()), None);
                assert_eq!((&joined.bytes, count), (&frame, frame.len().div_ceil(max_len - 4)));
            }
        }
    }
}
