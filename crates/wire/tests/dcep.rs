//! OPEN and ACK of data channels (RFC 8832): examples by hand, and properties.

use peerline_wire::dcep::{Dcep, DcepError, Open, Reliability};
use proptest::prelude::*;

#[test]
fn an_open_as_a_browser_sends_it_is_read() {
    let bytes = b"\x03\x81\x01\x00\x00\x00\x00\x03\x00\x04\x00\x05chatproto";
    let open = Open {
        is_ordered: false,
        reliability: Reliability::MaxRetransmits(3),
        priority: 256,
        label: "chat",
        protocol: "proto",
    };
    assert_eq!(Dcep::parse(bytes), Ok(Dcep::Open(open)));
}

#[test]
fn an_ack_is_one_byte_and_nothing_more() {
    assert_eq!(Dcep::parse(&[2]), Ok(Dcep::Ack));
    assert_eq!(Dcep::parse(&[2, 0]), Err(DcepError::TrailingBytes));
    assert_eq!(Dcep::Ack.to_bytes(), Some(vec![2]));
}

#[test]
fn what_is_no_message_says_why() {
    let open = *b"\x03\x00\x01\x00\x00\x00\x00\x00\x00\x01\x00\x00";
    let with = |change: &[(usize, u8)], tail: &[u8]| {
        let mut bytes = [&open[..], tail].concat();
        change.iter().for_each(|(at, value)| bytes[*at] = *value);
        Dcep::parse(&bytes).map(|_| ()).unwrap_err()
    };
    assert_eq!(Dcep::parse(&[]), Err(DcepError::Truncated));
    assert_eq!(Dcep::parse(&[9]), Err(DcepError::UnknownMessage(9)));
    assert_eq!(Dcep::parse(&open[..11]), Err(DcepError::Truncated));
    assert_eq!(with(&[], b""), DcepError::Truncated);
    assert_eq!(with(&[], b"ab"), DcepError::TrailingBytes);
    assert_eq!(with(&[], b"\xFF"), DcepError::NotUtf8);
    assert_eq!(with(&[(1, 0x7F)], b"a"), DcepError::UnknownChannelType(0x7F));
}

#[test]
fn names_of_65536_bytes_cannot_be_written() {
    let long = "x".repeat(65_536);
    let open = Open { is_ordered: true, reliability: Reliability::Reliable, priority: 0, label: &long, protocol: "" };
    assert_eq!(Dcep::Open(open.clone()).to_bytes(), None);
    let fits = Dcep::Open(Open { label: &long[1..], ..open }).to_bytes().unwrap();
    assert!(Dcep::parse(&fits).is_ok());
}

fn reliability() -> impl Strategy<Value = Reliability> {
    prop_oneof![
        Just(Reliability::Reliable),
        any::<u32>().prop_map(Reliability::MaxRetransmits),
        any::<u32>().prop_map(Reliability::MaxLifetimeMs),
    ]
}

fn name() -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<char>(), 0..40).prop_map(|letters| letters.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_what_is_read(
        is_ordered: bool, reliability in reliability(), priority: u16, label in name(), protocol in name(),
    ) {
        let message = Dcep::Open(Open { is_ordered, reliability, priority, label: &label, protocol: &protocol });
        let bytes = message.to_bytes().unwrap();
        prop_assert_eq!(Dcep::parse(&bytes), Ok(message));
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error(mut bytes in proptest::collection::vec(any::<u8>(), 0..80), open: bool) {
        if open && !bytes.is_empty() {
            bytes[0] = 3;
        }
        if let Ok(Dcep::Open(open)) = Dcep::parse(&bytes) {
            let again = Dcep::Open(open.clone()).to_bytes().unwrap();
            prop_assert_eq!(Dcep::parse(&again), Ok(Dcep::Open(open)));
        }
    }
}
