//! What fuzzers do to the packet path of a peer connection. The targets in `fuzz/` run these walks; the tests here replay
//! their corpora, so that what a fuzzer once found stays found without one.

#[path = "../../../turn/tests/turn/fuzzed/bytes.rs"]
mod bytes;
#[path = "../netsim/call.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod call;
mod corpus;
mod dcep;
#[path = "../../../turn/tests/turn/draft.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod draft;
mod dtls;
mod ice;
mod media;
mod mutation;
#[path = "../netsim/person.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod person;
mod rtp;
mod sctp;
mod sctp_chunks;
mod session;
#[path = "../netsim/signaling.rs"]
mod signaling;
#[path = "../netsim/stun_server.rs"]
mod stun_server;
mod turn_client;
