//! Any row of datagrams to two DTLS connections whose ciphers hide nothing: what a peer can say who made the handshake
//! himself, message by message, in each version and role (RFC 6347, RFC 9147).
//!
//! The walk itself is shared with the tests of `crates/netsim`, which replay the corpus. Run: `make fuzz TARGET=open_dtls`.

#![no_main]
#![allow(dead_code)] // the tests use more of it

#[path = "../../crates/turn/tests/turn/fuzzed/bytes.rs"]
mod bytes;
#[path = "../../crates/netsim/tests/fuzzed/dtls.rs"]
mod dtls;
#[path = "../../crates/netsim/tests/open_dtls/glass.rs"]
mod glass;
#[path = "../../crates/netsim/tests/fuzzed/mutation.rs"]
mod mutation;

libfuzzer_sys::fuzz_target!(init: glass::install(), |bytes: &[u8]| {
    dtls::run(bytes, false);
});
