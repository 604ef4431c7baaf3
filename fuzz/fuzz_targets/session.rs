//! Any row of what networks, strangers and both owners do to a call from its first packet on: nothing comes that was not
//! sent.
//!
//! The walk itself is shared with the tests of `crates/netsim`, which replay the corpus. Run: `make fuzz TARGET=session`.

#![no_main]
#![allow(dead_code)] // the tests use more of it

#[path = "../../crates/turn/tests/turn/fuzzed/bytes.rs"]
mod bytes;
#[path = "../../crates/netsim/tests/netsim/call.rs"]
mod call;
#[path = "../../crates/netsim/tests/fuzzed/mutation.rs"]
mod mutation;
#[path = "../../crates/netsim/tests/netsim/person.rs"]
mod person;
#[path = "../../crates/netsim/tests/fuzzed/session.rs"]
mod session;
#[path = "../../crates/netsim/tests/netsim/signaling.rs"]
mod signaling;
#[path = "../../crates/netsim/tests/netsim/stun_server.rs"]
mod stun_server;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| session::run(bytes));
