//! Any row of packets of a peer that stumbles or lies, as SCTP and data channels get them (RFC 9260, RFC 8832).
//!
//! The walk itself is shared with the tests of `crates/netsim`, which replay the corpus. Run: `make fuzz TARGET=sctp`.

#![no_main]
#![allow(dead_code)] // the tests use more of it

#[path = "../../crates/turn/tests/turn/fuzzed/bytes.rs"]
mod bytes;
#[path = "../../crates/netsim/tests/fuzzed/mutation.rs"]
mod mutation;
#[path = "../../crates/netsim/tests/fuzzed/sctp.rs"]
mod sctp;
#[path = "../../crates/netsim/tests/fuzzed/sctp_chunks.rs"]
mod sctp_chunks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sctp::run(bytes));
