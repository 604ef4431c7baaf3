//! Where a message ends in a stream: TURN over TCP and TLS has no datagrams to tell (RFC 8656 §12.5, RFC 8489 §6.2.2).

use crate::stun::MAGIC_COOKIE;

/// What a stream begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// ChannelData; `len` is without the padding, `used` with it.
    ChannelData { len: usize, used: usize },
    /// A STUN message.
    Message { len: usize },
    /// More has to come before it can be told.
    Partial,
    /// Nothing that follows can be understood any more.
    Malformed,
}

const CHANNEL_HEADER_LEN: usize = 4;
const STUN_HEADER_LEN: usize = 20;

impl Frame {
    /// The first message of these bytes.
    pub fn first(bytes: &[u8]) -> Self {
        let Some(kind) = bytes.first().map(|first| first >> 6) else { return Self::Partial };
        if kind > 1 {
            return Self::Malformed;
        }
        let Some(&[.., l1, l2]) = bytes.first_chunk::<4>() else { return Self::Partial };
        let body_len = usize::from(u16::from_be_bytes([l1, l2]));
        if kind == 1 {
            let len = CHANNEL_HEADER_LEN + body_len;
            let used = len.next_multiple_of(4);
            return if bytes.len() < used { Self::Partial } else { Self::ChannelData { len, used } };
        }
        let cookie = &bytes[4..bytes.len().min(8)];
        if body_len % 4 != 0 || !MAGIC_COOKIE.to_be_bytes().starts_with(cookie) {
            return Self::Malformed;
        }
        let len = STUN_HEADER_LEN + body_len;
        if bytes.len() < len { Self::Partial } else { Self::Message { len } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINDING: [u8; 20] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    #[test]
    fn a_message_ends_where_its_length_says() {
        let mut bytes = BINDING.to_vec();
        bytes[3] = 4;
        assert_eq!(Frame::first(&bytes), Frame::Partial);
        bytes.extend([0; 9]);
        assert_eq!(Frame::first(&bytes), Frame::Message { len: 24 });
    }

    #[test]
    fn channel_data_ends_behind_its_padding() {
        assert_eq!(Frame::first(b"\x40\x00\x00\x05abcde\0\0"), Frame::Partial);
        assert_eq!(Frame::first(b"\x40\x00\x00\x05abcde\0\0\0next"), Frame::ChannelData { len: 9, used: 12 });
        assert_eq!(Frame::first(b"\x7f\xff\x00\x00"), Frame::ChannelData { len: 4, used: 4 });
    }

    #[test]
    fn every_beginning_of_a_message_is_partial() {
        for len in 0..BINDING.len() {
            assert_eq!(Frame::first(&BINDING[..len]), Frame::Partial, "{len}");
        }
        assert_eq!(Frame::first(&BINDING), Frame::Message { len: 20 });
    }

    #[test]
    fn what_is_neither_is_known_at_the_first_byte_that_tells() {
        for bytes in [&b"\x80"[..], b"\xff", b"\x16\x03\x01\x02\x00\x01", b"\x00\x01\x00\x03"] {
            assert_eq!(Frame::first(bytes), Frame::Malformed, "{bytes:?}");
        }
        assert_eq!(Frame::first(b"\x00\x01\x00\x00\x21\x13"), Frame::Malformed);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it_and_no_message_is_longer_than_them(bytes: Vec<u8>) {
            match Frame::first(&bytes) {
                Frame::ChannelData { len, used } => assert!(len <= used && used <= bytes.len()),
                Frame::Message { len } => assert!(len <= bytes.len()),
                Frame::Partial | Frame::Malformed => {}
            }
        }
    }
}
