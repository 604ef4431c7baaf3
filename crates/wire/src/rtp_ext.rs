//! Header extensions of RTP packets: both forms (RFC 8285), and the values that WebRTC uses.

/// Ids of elements go from 1 to this.
pub const MAX_ID: u8 = 255;

const ONE_BYTE: u16 = 0xbede;
const TWO_BYTES: u16 = 0x1000;
/// Of the one-byte form; 15 ends it.
const MAX_SHORT_ID: u8 = 14;
const MAX_SHORT_LEN: usize = 16;

/// The elements of a packet, each an id that the descriptions agreed on and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extensions<'a> {
    is_long: bool,
    block: &'a [u8],
}

impl<'a> Extensions<'a> {
    /// Of a packet without any.
    pub const NONE: Self = Self { is_long: false, block: &[] };

    /// `profile` says the form; a block of another form is passed over as a whole (RFC 3550 §5.3.1).
    pub(crate) fn new(profile: u16, block: &'a [u8]) -> Self {
        if profile == ONE_BYTE {
            Self { is_long: false, block }
        } else if profile & 0xfff0 == TWO_BYTES {
            Self { is_long: true, block }
        } else {
            Self::NONE
        }
    }

    /// Each element; what cannot be understood ends them (RFC 8285 §4.2, §4.3).
    pub fn iter(&self) -> Elements<'a> {
        Elements { is_long: self.is_long, rest: self.block }
    }

    /// The value of an element.
    pub fn get(&self, id: u8) -> Option<&'a [u8]> {
        self.iter().find_map(|(found, value)| (found == id).then_some(value))
    }
}

/// Goes through the elements of a packet.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    is_long: bool,
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = std::mem::take(&mut self.rest);
        // Zero bytes between elements are padding.
        let rest = &rest[rest.iter().position(|byte| *byte != 0)?..];
        let (id, len, header_len) = match *rest {
            [id, len, ..] if self.is_long => (id, usize::from(len), 2),
            // An element of id 0 has no length, so this is none; nor is one of id 15.
            [head, ..] if !self.is_long && (1..=MAX_SHORT_ID).contains(&(head >> 4)) => {
                (head >> 4, usize::from(head & 0x0f) + 1, 1)
            }
            _ => return None,
        };
        let (value, rest) = rest[header_len..].split_at_checked(len)?;
        self.rest = rest;
        Some((id, value))
    }
}

/// Elements for a packet that is being written: in the short form where all of them fit it.
#[derive(Debug, Clone, Default)]
pub struct ExtensionsWriter {
    elements: Vec<(u8, u8)>,
    values: Vec<u8>,
    is_long: bool,
}

impl ExtensionsWriter {
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the elements and keeps the memory.
    pub fn clear(&mut self) {
        self.elements.clear();
        self.values.clear();
        self.is_long = false;
    }

    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Adds an element; false if there is none of this id, or its value is longer than 255 bytes.
    pub fn push(&mut self, id: u8, value: &[u8]) -> bool {
        let (1.., Ok(len)) = (id, u8::try_from(value.len())) else { return false };
        self.is_long |= id > MAX_SHORT_ID || value.is_empty() || value.len() > MAX_SHORT_LEN;
        self.elements.push((id, len));
        self.values.extend(value);
        true
    }

    /// Appends the block with its header; nothing if there are no elements.
    pub(crate) fn write(&self, packet: &mut Vec<u8>) {
        if self.elements.is_empty() {
            return;
        }
        let header_len = if self.is_long { 2 } else { 1 };
        let len = self.elements.len() * header_len + self.values.len();
        let words = len.div_ceil(4);
        packet.extend(if self.is_long { TWO_BYTES } else { ONE_BYTE }.to_be_bytes());
        packet.extend((words as u16).to_be_bytes());
        let mut values = &self.values[..];
        for (id, len) in &self.elements {
            let (value, rest) = values.split_at(usize::from(*len));
            values = rest;
            if self.is_long {
                packet.extend([*id, *len]);
            } else {
                packet.push(id << 4 | (len - 1));
            }
            packet.extend(value);
        }
        packet.resize(packet.len() + words * 4 - len, 0);
    }
}

/// Their names in descriptions (`a=extmap`), as the IANA registry and libwebrtc give them.
pub mod uri {
    pub const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
    pub const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
    pub const REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
    pub const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    pub const VIDEO_ORIENTATION: &str = "urn:3gpp:video-orientation";
    pub const ABS_SEND_TIME: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
    pub const TRANSPORT_SEQUENCE: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
    pub const PLAYOUT_DELAY: &str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";
}

/// How loud the audio of a packet is (RFC 6464).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioLevel {
    pub is_voice: bool,
    /// Below the loudest there is, in dB: 0 to 127, 127 is silence.
    pub below_full_db: u8,
}

impl AudioLevel {
    pub fn from_value(value: &[u8]) -> Option<Self> {
        let byte = *value.first()?;
        Some(Self { is_voice: byte & 0x80 != 0, below_full_db: byte & 0x7f })
    }

    pub fn to_value(self) -> [u8; 1] {
        [u8::from(self.is_voice) << 7 | self.below_full_db.min(127)]
    }
}

/// How a picture has to be turned before it is shown (3GPP TS 26.114 §7.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoOrientation {
    pub is_back_camera: bool,
    pub is_mirrored: bool,
    /// Clockwise: 0, 90, 180 or 270 degrees.
    pub rotation_degrees: u16,
}

impl VideoOrientation {
    pub fn from_value(value: &[u8]) -> Option<Self> {
        let byte = *value.first()?;
        Some(Self {
            is_back_camera: byte & 8 != 0,
            is_mirrored: byte & 4 != 0,
            rotation_degrees: u16::from(byte & 3) * 90,
        })
    }

    pub fn to_value(self) -> [u8; 1] {
        let turns = (self.rotation_degrees / 90 % 4) as u8;
        [u8::from(self.is_back_camera) << 3 | u8::from(self.is_mirrored) << 2 | turns]
    }
}

/// For how long the receiver is to hold frames back, in steps of 10 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlayoutDelay {
    pub min_ms: u16,
    pub max_ms: u16,
}

impl PlayoutDelay {
    /// The longest that can be said.
    pub const MAX_MS: u16 = 0xfff * 10;

    pub fn from_value(value: &[u8]) -> Option<Self> {
        let &[a, b, c] = value.first_chunk::<3>()?;
        let (min, max) = (u16::from(a) << 4 | u16::from(b) >> 4, (u16::from(b) & 0x0f) << 8 | u16::from(c));
        Some(Self { min_ms: min * 10, max_ms: max * 10 })
    }

    pub fn to_value(self) -> [u8; 3] {
        let (min, max) = (self.min_ms.min(Self::MAX_MS) / 10, self.max_ms.min(Self::MAX_MS) / 10);
        [(min >> 4) as u8, ((min & 0x0f) << 4 | max >> 8) as u8, max as u8]
    }
}

/// When a packet left: 24 bits of 6.18 fixed point, the same again every 64 seconds.
pub fn abs_send_time(since_any_epoch: std::time::Duration) -> [u8; 3] {
    let fraction = (u64::from(since_any_epoch.subsec_nanos()) << 18) / 1_000_000_000;
    let [.., a, b, c] = ((since_any_epoch.as_secs() & 0x3f) << 18 | fraction).to_be_bytes();
    [a, b, c]
}

/// The 24 bits of [`abs_send_time`].
pub fn abs_send_time_of(value: &[u8]) -> Option<u32> {
    value.first_chunk::<3>().map(|&[a, b, c]| u32::from_be_bytes([0, a, b, c]))
}

/// A number of two bytes: the packet's place among all of its transport.
pub fn transport_sequence(value: &[u8]) -> Option<u16> {
    value.first_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn elements(profile: u16, block: &[u8]) -> Vec<(u8, &[u8])> {
        Extensions::new(profile, block).iter().collect()
    }

    #[test]
    fn both_forms_are_read_and_padding_is_skipped() {
        let short = elements(ONE_BYTE, b"\x10A\0\0\x23abcd\0\0");
        assert_eq!(short, [(1, &b"A"[..]), (2, b"abcd")]);
        let long = elements(0x1005, b"\x01\x00\x00\x20\x02hi\0");
        assert_eq!(long, [(1, &b""[..]), (32, b"hi")]);
    }

    #[test]
    fn what_cannot_be_understood_ends_the_elements() {
        assert_eq!(elements(ONE_BYTE, b"\x10A\xf0B\x20C"), [(1, &b"A"[..])], "id 15");
        assert_eq!(elements(ONE_BYTE, b"\x10A\x2fshort"), [(1, &b"A"[..])], "longer than the block");
        assert_eq!(elements(0x1000, b"\x01\x01A\x02"), [(1, &b"A"[..])], "no length");
        assert_eq!(elements(0x4242, b"\x10A\0\0"), [], "another profile");
        assert_eq!(elements(ONE_BYTE, b"\x10A\x02abc\x20B"), [(1, &b"A"[..])], "id 0 with a length");
    }

    #[test]
    fn one_element_that_needs_it_makes_all_long() {
        let written = |elements: &[(u8, &[u8])]| {
            let mut writer = ExtensionsWriter::new();
            for (id, value) in elements {
                assert!(writer.push(*id, value));
            }
            let mut bytes = Vec::new();
            writer.write(&mut bytes);
            bytes
        };
        assert_eq!(written(&[(1, b"A"), (14, &[7; 16])])[..6], *b"\xbe\xde\0\x05\x10A");
        assert_eq!(written(&[(1, b"A"), (15, b"B")]), b"\x10\0\0\x02\x01\x01A\x0f\x01B\0\0");
        assert_eq!(written(&[(1, b"")]), b"\x10\0\0\x01\x01\0\0\0");
        assert_eq!(written(&[(1, &[7; 17])])[..6], *b"\x10\0\0\x05\x01\x11");
        assert_eq!(written(&[]), b"");
        assert!(!ExtensionsWriter::new().push(0, b"A"));
        assert!(!ExtensionsWriter::new().push(1, &[0; 256]));
    }

    #[test]
    fn the_send_time_is_fixed_point_and_goes_round() {
        assert_eq!(abs_send_time(Duration::ZERO), [0, 0, 0]);
        assert_eq!(abs_send_time(Duration::from_millis(1500)), [0x06, 0, 0]);
        assert_eq!(abs_send_time(Duration::from_secs(64)), [0, 0, 0]);
        assert_eq!(abs_send_time(Duration::new(63, 999_999_999)), [0xff, 0xff, 0xff]);
        assert_eq!(transport_sequence(b"\x01\x02"), Some(0x0102));
        assert_eq!(transport_sequence(b"\x01"), None);
    }

    proptest! {
        #[test]
        fn no_block_breaks_it(profile: u16, is_known: bool, block: Vec<u8>) {
            let profile = if is_known { [ONE_BYTE, TWO_BYTES][usize::from(profile & 1)] } else { profile };
            for (id, value) in Extensions::new(profile, &block).iter() {
                assert!(id > 0 && value.len() < 256);
            }
        }

        #[test]
        fn values_are_read_as_written(is_voice: bool, turns in 0..4_u16, min in 0..=4095_u16, max in 0..=4095_u16) {
            let level = AudioLevel { is_voice, below_full_db: (min % 128) as u8 };
            assert_eq!(AudioLevel::from_value(&level.to_value()), Some(level));
            let orientation =
                VideoOrientation { is_back_camera: is_voice, is_mirrored: max % 2 == 0, rotation_degrees: turns * 90 };
            assert_eq!(VideoOrientation::from_value(&orientation.to_value()), Some(orientation));
            let delay = PlayoutDelay { min_ms: min * 10, max_ms: max * 10 };
            assert_eq!(PlayoutDelay::from_value(&delay.to_value()), Some(delay));
        }
    }
}
