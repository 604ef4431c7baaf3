//! The relays of one data path: each a client of a TURN server, over a socket or a connection of its own.
//!
//! Reading order: [`RelayAsked`] → `relays` (all of them, and what the data path hears) → `line` (one) → `datagrams` or
//! `stream` (how it reaches its server) → `tls`, `trust`.

mod asked;
mod datagrams;
mod line;
mod relays;
mod stream;
mod tls;
mod trust;

pub use asked::{RelayAsked, RelayTransport};
pub(super) use relays::{RelayNews, Relays};
pub use trust::{TlsTrust, TrustError};
