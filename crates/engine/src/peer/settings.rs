//! What a data path is built with.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use peerline_transport::dtls::{Certificate, Versions};
use peerline_transport::ice::Credentials;

#[derive(Debug, Clone)]
pub struct PeerSettings {
    pub certificate: Certificate,
    /// Those that our description tells.
    pub credentials: Credentials,
    pub is_controlling: bool,
    /// Only relayed candidates are shown and used.
    pub is_relay_only: bool,
    /// Ports that sockets are bound to; `None`: any.
    pub ports: Option<RangeInclusive<u16>>,
    /// The one port that all connections use which name it, in place of ports of their own.
    pub shared_port: Option<u16>,
    /// Shown in host candidates in place of an address of its family.
    pub advertised: Option<IpAddr>,
    pub versions: Versions,
    /// The largest message that is taken.
    pub max_message_bytes: usize,
    pub streams: u16,
}
