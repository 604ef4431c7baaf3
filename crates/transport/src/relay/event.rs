//! What a relay tells its owner.

use std::net::SocketAddr;
use std::ops::Range;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayEvent {
    /// Peers reach us at `relayed` from now on; the server sees us at `mapped`, if it says so.
    Allocated { relayed: SocketAddr, mapped: Option<SocketAddr> },
    /// There will be no relay. The code is the server's, or W3C's 701: it could not be reached or talks nonsense.
    Failed { code: u16, reason: String },
    /// The relay is gone, and with it what it was used for.
    Lost { code: u16, reason: String },
    /// All that follows goes to this server instead. A stream is to be made to it, and
    /// [`Relay::connected`](super::Relay::connected) says when it stands; certificates of TLS are to name the domain, if there is one.
    Redirected { server: SocketAddr, domain: Option<String> },
    /// After [`Relay::close`](super::Relay::close): nothing more has to be sent.
    Closed,
}

/// What a packet from the server was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayInput {
    /// Data of a peer, in this range of the packet.
    Data { peer: SocketAddr, at: Range<usize> },
    /// It was for the relay itself; there may be events.
    Taken,
    /// Nothing that a server sends to its client. It may be for somebody else who shares the socket.
    Foreign,
}
