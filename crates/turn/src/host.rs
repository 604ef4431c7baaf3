//! What only the owner of sockets can do. The engine implements it, and so does a simulator.

use std::net::SocketAddr;

/// Names an allocation for its whole life; an old one names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AllocationId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl AllocationId {
    pub const fn to_bits(self) -> u64 {
        (self.index as u64) << 32 | self.generation as u64
    }

    /// Any number is accepted: one that names nothing is simply stale.
    pub const fn from_bits(bits: u64) -> Self {
        Self { index: (bits >> 32) as u32, generation: bits as u32 }
    }
}

/// Names a relay socket; the host gives it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RelayId(pub u32);

/// Names the connection of a TCP relay to one peer (RFC 6062 §6.2.1), on all shards of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    /// As RFC 8656 §18.7 numbers them.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::V4),
            2 => Some(Self::V6),
            _ => None,
        }
    }

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::V4 => 1,
            Self::V6 => 2,
        }
    }

    pub fn of(address: &SocketAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// Which port numbers will do (EVEN-PORT, RFC 8656 §18.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    Any,
    Even,
    /// Even, with the next higher one kept for later.
    EvenWithNext,
}

/// Names a socket that is kept for later, for all shards of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptId(pub u32);

/// A relay socket that was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relay {
    pub id: RelayId,
    /// Where peers reach it.
    pub address: SocketAddr,
    /// The socket on the next port, if it was asked for.
    pub next: Option<KeptId>,
}

/// No port is free, or there is no address of this family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRelay;

pub trait Host {
    /// Whether relays of this family can be had at all.
    fn serves(&self, family: Family) -> bool;
    /// Opens a UDP socket for relaying.
    fn open_relay(&mut self, allocation: AllocationId, family: Family, parity: Parity) -> Result<Relay, NoRelay>;
    /// Gives a socket that was kept for later to this allocation. It is kept no longer, whatever comes of it.
    fn adopt_relay(&mut self, kept: KeptId, allocation: AllocationId) -> Result<Relay, NoRelay>;
    /// Closes a socket that was kept for later.
    fn close_kept(&mut self, kept: KeptId);
    /// Whether datagrams can be sent with the bit that forbids fragments; without, DONT-FRAGMENT is not understood.
    fn can_forbid_fragments(&self) -> bool {
        false
    }
    /// Opens a TCP socket on which peers are listened for. A host that cannot has no relays for TCP.
    fn open_tcp_relay(&mut self, _allocation: AllocationId, _family: Family) -> Result<Relay, NoRelay> {
        Err(NoRelay)
    }
    fn close_relay(&mut self, relay: RelayId);
    /// Begins to connect to a peer from the address of this TCP relay. What comes of it is told later, by
    /// [`Server::peer_connected`](crate::Server::peer_connected) or [`Server::peer_gone`](crate::Server::peer_gone).
    fn connect(&mut self, _connection: ConnectionId, _relay: RelayId, _peer: SocketAddr) -> Result<(), NoRelay> {
        Err(NoRelay)
    }
    /// Closes a connection to a peer, made or not, and that of the client which is joined to it. `peer_gone` need not
    /// follow.
    fn close_connection(&mut self, _connection: ConnectionId) {}
    /// Fills the bytes from the system's random numbers.
    fn random(&mut self, bytes: &mut [u8]);
}
