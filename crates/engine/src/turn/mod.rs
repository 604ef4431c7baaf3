//! The data plane of the TURN server (RFC 8656): packets come in batches and leave in batches, and no payload is copied.
//!
//! Reading order: `plane` (sockets and the machine) → `uplink` → `downlink` → `relays`.

pub(crate) mod command;
mod downlink;
pub(crate) mod plane;
pub(crate) mod relays;
mod uplink;

use std::net::SocketAddr;
use std::sync::Arc;

use peerline_turn::Settings;

pub use relays::{RelayAddress, RelayConfig};

/// Everything a TURN server needs to begin.
#[derive(Debug, Clone)]
pub struct TurnConfig {
    /// UDP addresses for clients. Port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    pub relay: RelayConfig,
    pub settings: Arc<Settings>,
}
