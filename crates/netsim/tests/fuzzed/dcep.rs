//! Any message of RFC 8832: what is read can be written, and reads the same.

use peerline_wire::dcep::Dcep;

/// Panics if something does not hold.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(read) = Dcep::parse(bytes) else { return };
    let written = read.to_bytes().expect("it fitted into a message before");
    assert_eq!(Dcep::parse(&written), Ok(read));
    assert!(written.len() <= bytes.len());
}
