//! Any row of datagrams to two DTLS connections that are made meanwhile, in each version and role (RFC 6347, RFC 9147): no
//! panic, no byte that was not sent, no stranger taken, and nothing from outside ends a connection that stands.
//!
//! The walk itself is shared with the tests of `crates/netsim`, which replay the corpus. Run: `make fuzz TARGET=dtls`.

#![no_main]
#![allow(dead_code)] // the tests use more of it

#[path = "../../crates/turn/tests/turn/fuzzed/bytes.rs"]
mod bytes;
#[path = "../../crates/netsim/tests/fuzzed/dtls.rs"]
mod dtls;
#[path = "../../crates/netsim/tests/fuzzed/mutation.rs"]
mod mutation;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    dtls::run(bytes, true);
});
