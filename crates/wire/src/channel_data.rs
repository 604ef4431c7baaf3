//! ChannelData: a channel's number and a length instead of a STUN header (RFC 8656 §12.4, §12.5).

use std::ops::Range;

pub const HEADER_LEN: usize = 4;

/// The numbers that RFC 8656 gives to channels (§12).
pub const FIRST_CHANNEL: u16 = 0x4000;
pub const LAST_CHANNEL: u16 = 0x4FFF;

/// What stands before so many bytes of data.
#[inline]
pub const fn header(channel: u16, data_len: u16) -> [u8; HEADER_LEN] {
    let ([c1, c2], [l1, l2]) = (channel.to_be_bytes(), data_len.to_be_bytes());
    [c1, c2, l1, l2]
}

/// The channel of a datagram, and where its data is. Padding may follow, and is not data; `None`: the datagram is
/// shorter than it says, or no ChannelData.
#[inline]
pub fn parse(datagram: &[u8]) -> Option<(u16, Range<usize>)> {
    let [c1, c2, l1, l2] = *datagram.first_chunk::<HEADER_LEN>()?;
    let end = HEADER_LEN + usize::from(u16::from_be_bytes([l1, l2]));
    let is_channel = (0x40..0x80).contains(&c1);
    (is_channel && end <= datagram.len()).then_some((u16::from_be_bytes([c1, c2]), HEADER_LEN..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for channel in [FIRST_CHANNEL, LAST_CHANNEL, 0x7FFF] {
            let datagram = [&header(channel, 5)[..], b"hello", b"\0\0\0"].concat();
            assert_eq!(parse(&datagram), Some((channel, 4..9)), "with padding");
            assert_eq!(parse(&datagram[..9]), Some((channel, 4..9)), "and without");
            assert_eq!(parse(&datagram[..8]), None, "cut short");
        }
        assert_eq!(parse(&header(FIRST_CHANNEL, 0)), Some((FIRST_CHANNEL, 4..4)));
    }

    #[test]
    fn nothing_else_is_taken_for_it() {
        for first in (0..=u8::MAX).filter(|first| !(0x40..0x80).contains(first)) {
            assert_eq!(parse(&[first, 0, 0, 0]), None, "{first:#x}");
        }
        for len in 0..=3 {
            assert_eq!(parse(&[0x40, 0, 0][..len]), None);
        }
    }
}
