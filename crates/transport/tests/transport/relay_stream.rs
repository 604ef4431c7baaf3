//! Messages of a server that come over a stream, cut anywhere.

use peerline_transport::relay::{RelayStream, StreamBroken};
use proptest::prelude::*;

fn stun(body_len: usize) -> Vec<u8> {
    let mut message = vec![1, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    message[2..4].copy_from_slice(&(body_len as u16).to_be_bytes());
    message.resize(20 + body_len, 7);
    message
}

fn channel_data(len: usize) -> Vec<u8> {
    let [l1, l2] = (len as u16).to_be_bytes();
    [&[0x40, 1, l1, l2][..], &vec![9; len]].concat()
}

/// All whole messages.
fn take(stream: &mut RelayStream) -> Result<Vec<Vec<u8>>, StreamBroken> {
    let mut found = vec![];
    while let Some(message) = stream.next_message()? {
        found.push(message.to_vec());
    }
    Ok(found)
}

#[test]
fn the_longest_messages_come_through() {
    let messages = [stun(65_532), channel_data(65_535), stun(0), channel_data(0)];
    let mut bytes = messages.concat();
    // Behind the 65,535 bytes stands one of padding.
    bytes.insert(20 + 65_532 + 4 + 65_535, 0);
    let mut stream = RelayStream::default();
    let mut found = vec![];
    for piece in bytes.chunks(1000) {
        stream.push(piece);
        found.extend(take(&mut stream).unwrap());
    }
    assert_eq!(found, messages);
}

#[test]
fn what_is_no_turn_ends_it() {
    for bytes in [&b"\x15\x03\x03\0\x02\x02\x28"[..], b"\x01\x03\0\x04\x21\x12\xa4\x43", b"<html>\0\0", b"\xff"] {
        let mut stream = RelayStream::default();
        stream.push(&stun(8));
        assert_eq!(take(&mut stream).unwrap().len(), 1);
        stream.push(bytes);
        assert_eq!(take(&mut stream), Err(StreamBroken), "{bytes:?}");
        assert_eq!(take(&mut stream), Err(StreamBroken), "and it stays so");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages_do_not_depend_on_how_their_bytes_arrive(
        lengths in proptest::collection::vec((any::<bool>(), 0_usize..300), 1..20),
        cuts in proptest::collection::vec(1_usize..50, 1..20),
    ) {
        let mut messages = vec![];
        let mut bytes = vec![];
        for (is_stun, len) in lengths {
            let message = if is_stun { stun(len & !3) } else { channel_data(len) };
            bytes.extend_from_slice(&message);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            messages.push(message);
        }
        let (mut stream, mut found, mut rest) = (RelayStream::default(), vec![], &bytes[..]);
        for cut in cuts.iter().cycle() {
            let (piece, more) = rest.split_at((*cut).min(rest.len()));
            stream.push(piece);
            found.extend(take(&mut stream).unwrap());
            rest = more;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(found, messages);
    }

    #[test]
    fn no_bytes_break_it(pieces: Vec<Vec<u8>>) {
        let mut stream = RelayStream::default();
        for piece in pieces {
            stream.push(&piece);
            if take(&mut stream).is_err() {
                break;
            }
        }
    }
}
