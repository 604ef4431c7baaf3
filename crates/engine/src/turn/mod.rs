//! The data plane of the TURN server (RFC 8656): packets come in batches and leave in batches, and no payload is copied.
//!
//! Reading order: `plane` (sockets and the machine) → `uplink` → `downlink` → `relays`; for clients over TCP and TLS
//! `connections` → `streams` → `stream` → `tls`; for peers over TCP
//! `peer_doors` → `joint` → `peers` → `peer`; `handover` between shards.

mod certificate;
pub(crate) mod command;
pub(crate) mod connections;
pub(crate) mod doors;
mod downlink;
mod handover;
mod joint;
mod peer;
mod peer_doors;
mod peers;
pub(crate) mod plane;
pub(crate) mod relays;
mod routes;
pub(crate) mod siblings;
mod socket_name;
mod stream;
mod streams;
mod tls;
mod uplink;

use std::sync::Arc;

use peerline_turn::Settings;

use crate::engine::ListenAddress;

pub use certificate::Certificate;
pub use relays::{RelayAddress, RelayConfig};

/// Everything a TURN server needs to begin.
#[derive(Debug, Clone)]
pub struct TurnConfig {
    /// What clients come to. Port 0 takes a free one.
    pub listen: Vec<ListenAddress>,
    /// Without it there can be no TLS.
    pub certificate: Option<Certificate>,
    pub relay: RelayConfig,
    pub settings: Arc<Settings>,
}
