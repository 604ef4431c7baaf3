//! RTP packets: the fixed header, contributing sources, the extension block, padding (RFC 3550 §5.1, RFC 8285).

use std::fmt;

use crate::rtp_ext::{Extensions, ExtensionsWriter};

/// The header without contributing sources and extensions.
pub const FIXED_LEN: usize = 12;

const VERSION: u8 = 2 << 6;
const PADDED: u8 = 0x20;
const EXTENDED: u8 = 0x10;
const MARKED: u8 = 0x80;
const MAX_SOURCES: usize = 15;

/// A packet that borrows from the datagram, after SRTP has been taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    pub header: Header,
    /// Who was mixed into it, most four bytes each.
    sources: &'a [u8],
    pub extensions: Extensions<'a>,
    /// Without the padding.
    pub payload: &'a [u8],
    /// Bytes of padding at the end, its own length byte included.
    pub padding_len: u8,
}

/// What every packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The last of a frame (video), the first of a talk spurt (audio).
    pub is_marked: bool,
    /// 0 to 127.
    pub payload_type: u8,
    pub sequence: u16,
    /// In ticks of the payload's clock.
    pub timestamp: u32,
    pub ssrc: u32,
}

/// Why bytes are no RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RtpError {
    /// It ends before its header says.
    Truncated,
    /// The version is not 2.
    Version(u8),
    /// More padding than payload, or none where some was announced.
    Padding(u8),
}

impl fmt::Display for RtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the packet is cut short"),
            Self::Version(version) => write!(f, "version {version} is not RTP's"),
            Self::Padding(len) => write!(f, "there are no {len} bytes of padding"),
        }
    }
}

impl std::error::Error for RtpError {}

impl<'a> Packet<'a> {
    /// Reads a datagram that is RTP as far as its first bytes tell (RFC 7983, RFC 5761).
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RtpError> {
        let (header, sources, extensions, used) = parse_header(bytes)?;
        let mut payload = &bytes[used..];
        let mut padding_len = 0;
        if bytes[0] & PADDED != 0 {
            padding_len = *payload.last().ok_or(RtpError::Padding(0))?;
            let kept = payload.len().checked_sub(usize::from(padding_len)).filter(|_| padding_len > 0);
            payload = &payload[..kept.ok_or(RtpError::Padding(padding_len))?];
        }
        Ok(Self { header, sources, extensions, payload, padding_len })
    }

    /// Contributing sources, in their order.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = u32> + Clone + '_ {
        self.sources.chunks_exact(4).map(|ssrc| u32::from_be_bytes([ssrc[0], ssrc[1], ssrc[2], ssrc[3]]))
    }
}

/// Where the payload begins: SRTP encrypts from there on (RFC 3711 §3.1). The padding is not looked at.
pub fn header_len(bytes: &[u8]) -> Result<usize, RtpError> {
    parse_header(bytes).map(|(.., used)| used)
}

fn parse_header(bytes: &[u8]) -> Result<(Header, &[u8], Extensions<'_>, usize), RtpError> {
    let fixed = bytes.first_chunk::<FIXED_LEN>().ok_or(RtpError::Truncated)?;
    if fixed[0] >> 6 != 2 {
        return Err(RtpError::Version(fixed[0] >> 6));
    }
    let header = Header {
        is_marked: fixed[1] & MARKED != 0,
        payload_type: fixed[1] & !MARKED,
        sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
        timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
    };
    let mut used = FIXED_LEN + 4 * usize::from(fixed[0] & 0x0f);
    let sources = bytes.get(FIXED_LEN..used).ok_or(RtpError::Truncated)?;
    let mut extensions = Extensions::NONE;
    if fixed[0] & EXTENDED != 0 {
        let &[p1, p2, l1, l2] = bytes.get(used..).and_then(<[u8]>::first_chunk::<4>).ok_or(RtpError::Truncated)?;
        let begin = used + 4;
        used = begin + 4 * usize::from(u16::from_be_bytes([l1, l2]));
        let block = bytes.get(begin..used).ok_or(RtpError::Truncated)?;
        extensions = Extensions::new(u16::from_be_bytes([p1, p2]), block);
    }
    Ok((header, sources, extensions, used))
}

impl Header {
    /// Appends the header to `packet`, which is to hold nothing yet; the payload is appended after it.
    ///
    /// More than 15 sources are cut.
    pub fn write(&self, sources: &[u32], extensions: &ExtensionsWriter, packet: &mut Vec<u8>) {
        let sources = &sources[..sources.len().min(MAX_SOURCES)];
        let extended = if extensions.is_empty() { 0 } else { EXTENDED };
        let marked = if self.is_marked { MARKED } else { 0 };
        packet.extend([VERSION | extended | sources.len() as u8, marked | self.payload_type & !MARKED]);
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        for ssrc in sources {
            packet.extend(ssrc.to_be_bytes());
        }
        extensions.write(packet);
    }
}

/// Appends so many bytes of padding to a whole packet, which has none yet.
pub fn pad(packet: &mut Vec<u8>, len: u8) {
    if let (Some(first), 1..) = (packet.first_mut(), len) {
        *first |= PADDED;
        packet.resize(packet.len() + usize::from(len) - 1, 0);
        packet.push(len);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rtp_ext::MAX_ID;

    const HEADER: Header =
        Header { is_marked: true, payload_type: 111, sequence: 0x1234, timestamp: 0x0506_0708, ssrc: 0x090a_0b0c };

    #[test]
    fn a_packet_is_what_the_rfc_draws() {
        let bytes = b"\x80\xef\x12\x34\x05\x06\x07\x08\x09\x0a\x0b\x0copus";
        let packet = Packet::parse(bytes).unwrap();
        assert_eq!((packet.header, packet.payload, packet.padding_len), (HEADER, &b"opus"[..], 0));
        assert_eq!((packet.sources().len(), packet.extensions.iter().count()), (0, 0));
        let mut written = Vec::new();
        HEADER.write(&[], &ExtensionsWriter::new(), &mut written);
        assert_eq!(written, bytes[..12]);
    }

    #[test]
    fn sources_and_extensions_stand_before_the_payload() {
        let mut extensions = ExtensionsWriter::new();
        extensions.push(3, b"abc");
        let mut bytes = Vec::new();
        HEADER.write(&[1, 0xffff_ffff], &extensions, &mut bytes);
        assert_eq!(bytes[12..], *b"\0\0\0\x01\xff\xff\xff\xff\xbe\xde\0\x01\x32abc");
        assert_eq!(header_len(&bytes), Ok(bytes.len()));
        bytes.extend(b"opus");
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(packet.sources().collect::<Vec<_>>(), [1, 0xffff_ffff]);
        assert_eq!(packet.extensions.get(3), Some(&b"abc"[..]));
        assert_eq!(packet.payload, b"opus");
    }

    #[test]
    fn padding_is_no_payload() {
        let mut bytes = Vec::new();
        HEADER.write(&[], &ExtensionsWriter::new(), &mut bytes);
        bytes.extend(b"vp8");
        let bare = bytes.clone();
        pad(&mut bytes, 0);
        assert_eq!(bytes, bare);
        pad(&mut bytes, 255);
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!((packet.payload, packet.padding_len), (&b"vp8"[..], 255));
        // A probe is nothing but padding.
        bytes.drain(12..15);
        assert_eq!(Packet::parse(&bytes).unwrap().payload, b"");
    }

    #[test]
    fn what_is_cut_or_lies_is_refused() {
        let whole = b"\xb1\xef\x12\x34\x05\x06\x07\x08\x09\x0a\x0b\x0c\0\0\0\x01\xbe\xde\0\x01\x32abcpay\x01";
        assert!(Packet::parse(whole).is_ok());
        for len in 0..24 {
            assert_eq!(Packet::parse(&whole[..len]), Err(RtpError::Truncated), "{len}");
        }
        let with = |at: usize, byte: u8| {
            let mut bytes = whole.to_vec();
            bytes[at] = byte;
            bytes
        };
        assert_eq!(Packet::parse(&with(0, 0x71)), Err(RtpError::Version(1)));
        assert_eq!(Packet::parse(&with(27, 5)), Err(RtpError::Padding(5)));
        assert_eq!(Packet::parse(&with(27, 0)), Err(RtpError::Padding(0)));
        assert_eq!(Packet::parse(&whole[..24]), Err(RtpError::Padding(0)));
        for error in [RtpError::Truncated, RtpError::Version(1), RtpError::Padding(5)] {
            assert!(!error.to_string().is_empty());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes: Vec<u8>) {
            if let Ok(packet) = Packet::parse(&bytes) {
                let parts = packet.payload.len() + usize::from(packet.padding_len) + header_len(&bytes).unwrap();
                assert_eq!(parts, bytes.len());
                assert!(packet.extensions.iter().count() <= bytes.len());
            }
        }

        #[test]
        fn what_is_written_is_read(
            is_marked: bool, payload_type in 0..128_u8, sequence: u16, timestamp: u32, ssrc: u32,
            sources in prop::collection::vec(any::<u32>(), 0..=15),
            elements in prop::collection::btree_map(1..=MAX_ID, prop::collection::vec(any::<u8>(), 0..40), 0..6),
            payload: Vec<u8>, padding in 0..255_u8,
        ) {
            let header = Header { is_marked, payload_type, sequence, timestamp, ssrc };
            let mut extensions = ExtensionsWriter::new();
            for (id, value) in &elements {
                assert!(extensions.push(*id, value));
            }
            let mut bytes = Vec::new();
            header.write(&sources, &extensions, &mut bytes);
            bytes.extend(&payload);
            pad(&mut bytes, padding);
            let packet = Packet::parse(&bytes).unwrap();
            assert_eq!((packet.header, packet.payload, packet.padding_len), (header, &payload[..], padding));
            assert!(packet.sources().eq(sources));
            assert!(packet.extensions.iter().eq(elements.iter().map(|(id, value)| (*id, &value[..]))));
        }
    }
}
