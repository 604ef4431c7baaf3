//! The TURN service with real sockets on this host: what the machine decides must also happen.

#![allow(dead_code)] // of the client, whose other half the tests of the machine use

#[path = "../../../turn/tests/turn/answer.rs"]
mod answer;
#[path = "../../../turn/tests/turn/client.rs"]
mod client;
#[path = "../../../turn/tests/turn/draft.rs"]
mod draft;
mod place;
mod stream_client;
mod udp_client;

mod datagrams;
mod discovery;
mod fragments;
mod owner;
mod ports;
mod tcp_relays;
