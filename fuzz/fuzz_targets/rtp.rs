//! Any datagram as RTP (RFC 3550, RFC 8285) and as RTCP (RFC 3550, RFC 4585, RFC 5104): what is read can be written.
//!
//! The walk itself is shared with the tests of `crates/netsim`, which replay the corpus. Run: `make fuzz TARGET=rtp`.

#![no_main]

#[path = "../../crates/netsim/tests/fuzzed/rtp.rs"]
mod rtp;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rtp::run(bytes));
