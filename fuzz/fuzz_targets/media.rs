//! Any packets and frames, at any time, to the media of a transport.
//!
//! The walk itself is shared with the tests of `crates/netsim`, which replay the corpus. Run: `make fuzz TARGET=media`.

#![no_main]

#[path = "../../crates/netsim/tests/fuzzed/media.rs"]
mod media;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| media::run(bytes));
