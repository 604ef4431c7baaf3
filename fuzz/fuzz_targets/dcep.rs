//! Any message as the channel establishment protocol (RFC 8832): what is read can be written, and reads the same.
//!
//! The walk itself is shared with the tests of `crates/netsim`, which replay the corpus. Run: `make fuzz TARGET=dcep`.

#![no_main]
#![allow(dead_code)] // the tests use more of it

#[path = "../../crates/netsim/tests/fuzzed/dcep.rs"]
mod dcep;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dcep::run(bytes));
