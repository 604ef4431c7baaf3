//! The TURN server (RFC 8656, RFC 8489) as a machine: it is told what came and when, and says what is to be done.
//!
//! Reading order: [`Server`] → `requests` (one file for each method) → `allocation` → `auth` → [`PeerPolicy`].

#![forbid(unsafe_code)]

mod accounts;
mod allocation;
mod auth;
mod channels;
mod connections;
mod counters;
mod credentials;
mod discovery;
mod event;
mod host;
mod mobility;
mod nonce;
mod permissions;
mod policy;
mod quota;
mod rate_limit;
mod reply;
mod request;
mod requests;
mod reservation;
mod server;
mod settings;
mod tuple;
#[cfg(test)]
mod vectors;
mod wheel;

pub use accounts::Accounts;
pub use allocation::{AllocationView, Usage};
pub use counters::Counters;
pub use credentials::rest_password;
pub use discovery::{Discovery, OwnIp};
pub use event::{FreeReason, Question, QuestionId, TurnEvent, Verdict};
pub use host::{AllocationId, ConnectionId, Family, Host, KeptId, NoRelay, Parity, Relay, RelayId};
pub use nonce::NonceKeys;
pub use policy::{Network, NotANetwork, PeerPolicy};
pub use rate_limit::{RateLimit, RateLimiter};
pub use reservation::Reservations;
pub use server::{ChannelTarget, Direction, Now, Outcome, PeerRoute, Server, Shared};
pub use settings::{Lifetimes, Own, Quotas, Rate, Secret, Settings, User};
pub use tuple::{FiveTuple, Transport};
