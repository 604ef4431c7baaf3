//! ERROR-CODE as servers send it, and as they must not.

use peerline_wire::stun::{Class, ErrorCode, Message, MessageWriter, Method, TransactionId, kind};

fn error_in(value: &[u8]) -> Option<(u16, String)> {
    let mut buffer = [0; 128];
    let mut writer = MessageWriter::new(&mut buffer, Class::Error, Method::ALLOCATE, TransactionId([7; 12])).unwrap();
    writer.attribute(kind::ERROR_CODE, value).unwrap();
    let len = writer.finish();
    let error = Message::parse(&buffer[..len]).unwrap().error_code();
    error.map(|ErrorCode { code, reason }| (code, reason.to_owned()))
}

#[test]
fn class_and_number_make_the_code_and_the_reason_is_text() {
    assert_eq!(error_in(b"\0\0\x04\x01Unauthorized"), Some((401, "Unauthorized".to_owned())));
    assert_eq!(error_in(b"\0\0\x03\0"), Some((300, String::new())), "without a reason");
    assert_eq!(error_in(b"\0\0\x06\x63"), Some((699, String::new())));
    assert_eq!(error_in(b"\xff\xff\xfc\x26stale"), Some((438, "stale".to_owned())), "reserved bits do not count");
    assert_eq!(error_in(b"\0\0\x04\x01\xff\xfe"), Some((401, String::new())), "what is no text is left out");
}

#[test]
fn what_makes_no_sense_is_no_error_code() {
    for value in [&b""[..], b"\0\0\x04", b"\0\0\x02\0", b"\0\0\x07\0", b"\0\0\x04\x64"] {
        assert_eq!(error_in(value), None, "{value:?}");
    }
    let mut buffer = [0; 20];
    MessageWriter::new(&mut buffer, Class::Error, Method::ALLOCATE, TransactionId([7; 12])).unwrap();
    assert_eq!(Message::parse(&buffer).unwrap().error_code(), None);
}
