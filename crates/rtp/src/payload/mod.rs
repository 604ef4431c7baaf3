//! How the frames of each codec become the payloads of packets, and frames again.
//!
//! One file for each format. What cuts frames is a [`Packetizer`]; of what comes in, [`Format::part`] says which place in
//! its frame it has, and the joined parts are the frame, in the form in which encoders give it.

mod av1;
mod h264;
mod picture_number;
mod vp8;
mod vp9;
mod whole;

use picture_number::PictureNumbers;

/// A payload format (`a=rtpmap` names it).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A packet is a frame: Opus (RFC 7587), G.711 and G.722 (RFC 3551).
    Whole,
    /// RFC 7741.
    Vp8,
    /// RFC 9628.
    Vp9,
    /// RFC 6184 with packetization-mode 1. Frames are byte streams with start codes (H.264 annex B).
    H264,
    /// What another payload type is wrapped in (RFC 2198); the owner unwraps it before parts are looked at.
    Red,
    /// Of the Alliance for Open Media. Frames are temporal units in the low-overhead format.
    Av1,
}

/// A frame that is being joined of its payloads, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    pub bytes: Vec<u8>,
    /// Where a unit begins that the next payload goes on with.
    open: Option<usize>,
}

/// What a payload holds of its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// It is the first of its frame; where a format does not say so, it is not known.
    pub is_first: Option<bool>,
    /// A decoder can begin here.
    pub is_key: bool,
}

impl Format {
    /// Looks at a payload, and appends what it holds to its frame. `None`: it is malformed, and nothing was appended.
    pub fn part(self, payload: &[u8], frame: &mut Joined) -> Option<Part> {
        match self {
            Self::Red => None,
            Self::Whole => whole::part(payload, frame),
            Self::Vp8 => vp8::part(payload, frame),
            Self::Vp9 => vp9::part(payload, frame),
            Self::H264 => h264::part(payload, frame),
            Self::Av1 => av1::part(payload, frame),
        }
    }
}

/// The latest of what a RED payload holds: its payload type, and itself (RFC 2198 §3). `None`: it is malformed.
pub fn unwrap_red(payload: &[u8]) -> Option<(u8, &[u8])> {
    let (mut at, mut earlier) = (0, 0);
    loop {
        let head = *payload.get(at)?;
        if head & 0x80 == 0 {
            return Some((head & 0x7f, payload.get(at + 1 + earlier..)?));
        }
        let block = payload.get(at..)?.first_chunk::<4>()?;
        earlier += usize::from(u16::from_be_bytes([block[2], block[3]]) & 0x3ff);
        at += 4;
    }
}

/// Cuts the frames of one stream.
#[derive(Debug, Clone)]
pub enum Packetizer {
    Whole,
    Vp8(PictureNumbers),
    Vp9(PictureNumbers),
    H264,
    Av1,
}

impl Packetizer {
    pub fn new(format: Format) -> Self {
        match format {
            Format::Whole | Format::Red => Self::Whole,
            Format::Vp8 => Self::Vp8(PictureNumbers::default()),
            Format::Vp9 => Self::Vp9(PictureNumbers::default()),
            Format::H264 => Self::H264,
            Format::Av1 => Self::Av1,
        }
    }

    /// The payloads of a frame, each of `max_len` bytes at most (frames of [`Format::Whole`] are not cut).
    pub fn cut<'f>(&mut self, frame: &'f [u8], max_len: usize) -> Payloads<'f> {
        let max_len = max_len.max(MIN_LEN);
        match self {
            Self::Whole => Payloads::Whole(whole::Payloads::new(frame)),
            Self::Vp8(numbers) => Payloads::Vp8(vp8::cut(numbers, frame, max_len)),
            Self::Vp9(numbers) => Payloads::Vp9(vp9::cut(numbers, frame, max_len)),
            Self::H264 => Payloads::H264(h264::Payloads::new(frame, max_len)),
            Self::Av1 => Payloads::Av1(av1::Payloads::new(frame, max_len)),
        }
    }
}

/// Room for every format's own header and something of the frame.
const MIN_LEN: usize = 16;

/// The payloads that are left of a frame.
#[derive(Debug, Clone)]
pub enum Payloads<'f> {
    Whole(whole::Payloads<'f>),
    Vp8(vp8::Payloads<'f>),
    Vp9(vp9::Payloads<'f>),
    H264(h264::Payloads<'f>),
    Av1(av1::Payloads<'f>),
}

impl Payloads<'_> {
    /// Appends the next payload to a packet; says whether it is the last of its frame. `None`: there is no more.
    pub fn write_next(&mut self, packet: &mut Vec<u8>) -> Option<bool> {
        match self {
            Self::Whole(payloads) => payloads.write_next(packet),
            Self::Vp8(payloads) => payloads.write_next(packet),
            Self::Vp9(payloads) => payloads.write_next(packet),
            Self::H264(payloads) => payloads.write_next(packet),
            Self::Av1(payloads) => payloads.write_next(packet),
        }
    }
}

/// Lengths of the pieces that a frame is cut into: as few as can be, and about equally long, so that the last one is not
/// a crumb (and a run of packets is one call to the kernel).
fn even_len(len: usize, max_len: usize) -> usize {
    len.div_ceil(len.div_ceil(max_len).max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORMATS: [Format; 5] = [Format::Whole, Format::Vp8, Format::Vp9, Format::H264, Format::Av1];

    #[test]
    fn red_holds_the_latest_behind_the_earlier_ones() {
        assert_eq!(unwrap_red(&[96, 1, 2]), Some((96, &[1, 2][..])));
        assert_eq!(unwrap_red(&[0x80 | 111, 0, 0, 2, 111, 7, 8, 1, 2, 3]), Some((111, &[1, 2, 3][..])));
        for malformed in [&[][..], &[0x80 | 111, 0, 0], &[0x80 | 111, 0, 0, 9, 111, 1]] {
            assert_eq!(unwrap_red(malformed), None);
        }
    }

    #[test]
    fn pieces_are_few_and_even() {
        assert_eq!(even_len(1000, 1200), 1000);
        assert_eq!(even_len(1201, 1200), 601);
        assert_eq!(even_len(3601, 1200), 901);
        assert_eq!(even_len(0, 1200), 1);
    }

    proptest! {
        #[test]
        fn no_payload_breaks_it_and_what_is_malformed_appends_nothing(payload: Vec<u8>, before: Vec<u8>) {
            for format in FORMATS {
                let mut frame = Joined { bytes: before.clone(), open: None };
                let part = format.part(&payload, &mut frame);
                assert!(frame.bytes.starts_with(&before));
                assert!(part.is_some() || frame.bytes.len() == before.len());
                assert!(frame.bytes.len() <= before.len() + 5 * payload.len() + 4);
            }
        }

        #[test]
        fn no_frame_breaks_it_and_no_payload_is_too_long(frame: Vec<u8>, max_len in 0..100_usize) {
            for format in FORMATS {
                let mut payloads = Packetizer::new(format).cut(&frame, max_len);
                let (mut packet, mut is_over) = (Vec::new(), false);
                while let Some(is_last) = payloads.write_next(&mut packet) {
                    assert!(!is_over && !packet.is_empty());
                    assert!(format == Format::Whole || packet.len() <= max_len.max(MIN_LEN));
                    is_over = is_last;
                    packet.clear();
                }
            }
        }
    }
}
