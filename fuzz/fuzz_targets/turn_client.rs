//! Any row of a TURN server's answers, of data, silence and our own wishes, as our client gets them (RFC 8656): it never
//! panics, asks without end of nobody, and ends when the server is silent.
//!
//! The walk itself is shared with the tests of `crates/netsim`, which replay the corpus. Run: `make fuzz TARGET=turn_client`.

#![no_main]
#![allow(dead_code)] // the tests use more of it

#[path = "../../crates/turn/tests/turn/fuzzed/bytes.rs"]
mod bytes;
#[path = "../../crates/turn/tests/turn/draft.rs"]
mod draft;
#[path = "../../crates/netsim/tests/fuzzed/mutation.rs"]
mod mutation;
#[path = "../../crates/netsim/tests/fuzzed/turn_client.rs"]
mod turn_client;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| turn_client::run(bytes));
