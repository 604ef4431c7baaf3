//! Relayed candidates: a TURN client (RFC 8656, RFC 8489) that gets one address on a server, keeps it, and talks to peers
//! through it.
//!
//! Reading order: [`Relay`] → `answers` (what each response means) → `transaction` (one request, until it is answered) →
//! `credentials` (who we are) → `permissions`, `channels` (whom the server lets through, and how) → `data` (packets of
//! peers, both ways) → [`RelayStream`] (over TCP and TLS).

mod answers;
mod channels;
mod credentials;
mod data;
mod event;
mod key;
mod machine;
mod permissions;
mod request;
mod settings;
mod stream;
mod transaction;

pub use event::{RelayEvent, RelayInput};
pub use machine::Relay;
pub use settings::{RelayFamily, RelaySettings};
pub use stream::{RelayStream, StreamBroken};
