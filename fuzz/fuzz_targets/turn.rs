//! Any row of messages, peers' datagrams, verdicts, reloads and leaps of time, as the TURN server gets them (RFC 8656):
//! it never panics, and its books are right after each step.
//!
//! The walk itself is shared with the tests of `crates/turn`, which replay the corpus. Run: `make fuzz TARGET=turn`.

#![no_main]
#![allow(dead_code)] // the tests use more of it

#[path = "../../crates/turn/tests/turn/answer.rs"]
mod answer;
#[path = "../../crates/turn/tests/turn/client.rs"]
mod client;
#[path = "../../crates/turn/tests/turn/draft.rs"]
mod draft;
#[path = "../../crates/turn/tests/turn/fuzzed/mod.rs"]
mod fuzzed;
#[path = "../../crates/turn/tests/turn/host.rs"]
mod host;
#[path = "../../crates/turn/tests/turn/tcp_world.rs"]
mod tcp_world;
#[path = "../../crates/turn/tests/turn/world.rs"]
mod world;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::run(bytes));
