//! Any row of datagrams, signed lies, candidate lines, restarts and leaps of time, as ICE gets them (RFC 8445): it never
//! panics, connects to nobody without a pair, and comes to rest.
//!
//! The walk itself is shared with the tests of `crates/netsim`, which replay the corpus. Run: `make fuzz TARGET=ice`.

#![no_main]
#![allow(dead_code)] // the tests use more of it

#[path = "../../crates/turn/tests/turn/fuzzed/bytes.rs"]
mod bytes;
#[path = "../../crates/turn/tests/turn/draft.rs"]
mod draft;
#[path = "../../crates/netsim/tests/fuzzed/ice.rs"]
mod ice;
#[path = "../../crates/netsim/tests/fuzzed/mutation.rs"]
mod mutation;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ice::run(bytes));
