//! A TURN server of the application's configuration (RFC 7065, W3C RTCIceServer).

use std::fmt;
use std::net::SocketAddr;

use super::trust::TlsTrust;

/// How the server is spoken to. Peers are reached over UDP in each case.
#[derive(Debug, Clone)]
pub enum RelayTransport {
    Udp,
    Tcp,
    /// With the name that its certificate has to show, and who vouches for that.
    Tls {
        name: String,
        trust: TlsTrust,
    },
}

#[derive(Clone)]
pub struct RelayAsked {
    pub server: SocketAddr,
    pub transport: RelayTransport,
    pub username: String,
    pub password: String,
    pub url: String,
}

/// Names and passwords are never printed.
impl fmt::Debug for RelayAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayAsked").field("transport", &self.transport).finish_non_exhaustive()
    }
}

impl RelayAsked {
    /// Whether it is the same server, spoken to in the same way by the same user: then a relay there will do again.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let is_alike = std::mem::discriminant(&self.transport) == std::mem::discriminant(&other.transport);
        let user = |asked: &Self| (asked.username.clone(), asked.password.clone());
        is_alike && self.server == other.server && self.url == other.url && user(self) == user(other)
    }
}
