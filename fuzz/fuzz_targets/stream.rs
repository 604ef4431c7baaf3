//! Any stream, cut anywhere, as the TURN server gets it over TCP and TLS (RFC 8656 §12.5): where a message ends does not
//! depend on how its bytes arrive, and nothing is waited for that can no longer come.
//!
//! Run: `make fuzz TARGET=stream`.

#![no_main]

use peerline_wire::frame::Frame;

/// A header and a length field's worth, with padding.
const LONGEST: usize = 20 + 65_536;

/// What comes of a stream: the messages with where they end, and whether it is given up.
#[derive(Debug, Default, PartialEq)]
struct Read {
    frames: Vec<(Frame, usize)>,
    is_malformed: bool,
}

/// Takes whole messages from the front of what has come; says how far.
fn advance(read: &mut Read, bytes: &[u8], mut at: usize) -> usize {
    while !read.is_malformed && at < bytes.len() {
        let rest = &bytes[at..];
        let first = Frame::first(rest);
        let used = match first {
            Frame::Partial => {
                assert!(rest.len() < LONGEST, "waits for more than a message");
                break;
            }
            Frame::Malformed => {
                read.is_malformed = true;
                break;
            }
            Frame::Message { len } => {
                assert!(rest[0] < 0x40 && len >= 20 && len % 4 == 0);
                assert_eq!(rest[4..8], [0x21, 0x12, 0xa4, 0x42]);
                len
            }
            Frame::ChannelData { len, used } => {
                assert!((0x40..0x80).contains(&rest[0]));
                assert_eq!(len, 4 + usize::from(u16::from_be_bytes([rest[2], rest[3]])));
                assert!(used % 4 == 0 && (len..len + 4).contains(&used));
                used
            }
        };
        assert!(used <= rest.len(), "ends behind what has come");
        at += used;
        read.frames.push((first, at));
    }
    at
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&step, stream)) = bytes.split_first() else { return };
    let mut whole = Read::default();
    advance(&mut whole, stream, 0);

    let (mut pieces, mut at, mut arrived) = (Read::default(), 0, 0);
    let mut size = usize::from(step);
    while arrived < stream.len() {
        size = (size * 7 + 3) % 61; // pieces of all sizes up to sixty
        arrived = (arrived + size.max(1)).min(stream.len());
        at = advance(&mut pieces, &stream[..arrived], at);
    }
    assert_eq!(whole, pieces);
});
