//! The TURN server against its RFCs: toy sockets, a client that seals its own messages, and time that only we move.

mod answer;
mod client;
mod draft;
mod fuzzed;
mod host;
mod world;

mod allocate;
mod authentication;
mod channels;
mod discovery;
mod families;
mod fuzz_corpus;
mod mobility;
mod owner;
mod permissions;
mod quotas;
mod random_walk;
mod refresh;
mod relaying;
mod strangers;
mod tcp_allocate;
mod tcp_bind;
mod tcp_connect;
mod tcp_walk;
mod tcp_world;
mod time;
