//! Where a relay is asked for, and as whom.

use std::fmt;
use std::net::SocketAddr;

/// Of which kind the relayed address is to be (RFC 8656 §18.7). A server that has none of this kind is asked for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayFamily {
    V4,
    V6,
}

impl RelayFamily {
    pub fn of(address: &SocketAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::V4 => Self::V6,
            Self::V6 => Self::V4,
        }
    }
}

#[derive(Clone)]
pub struct RelaySettings {
    pub server: SocketAddr,
    /// The server is reached over TCP or TLS: nothing is sent twice, and ChannelData is padded.
    pub is_stream: bool,
    pub family: RelayFamily,
    /// As the application was given it; time-limited ones need nothing else.
    pub username: String,
    pub password: String,
}

/// Names and passwords are never printed.
impl fmt::Debug for RelaySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelaySettings").field("is_stream", &self.is_stream).finish_non_exhaustive()
    }
}
