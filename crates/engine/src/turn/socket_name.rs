//! The sockets of a TURN server, each kind with numbers of its own, as the shard knows them.

use peerline_turn::RelayId;

use crate::service::SocketId;

/// The low bits say which kind it is.
const KIND_BITS: u32 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SocketName {
    /// A UDP socket that clients talk to.
    Listener(usize),
    /// A TCP socket that clients connect to.
    Acceptor(usize),
    /// A client's TCP or TLS connection.
    Stream(usize),
    /// A UDP socket that peers talk to.
    Relay(RelayId),
    /// A TCP socket that peers connect to.
    RelayAcceptor(RelayId),
    /// A peer's TCP connection.
    Peer(usize),
}

impl SocketName {
    pub(crate) fn id(self) -> SocketId {
        let (kind, number) = match self {
            Self::Listener(number) => (0, number as u32),
            Self::Acceptor(number) => (1, number as u32),
            Self::Stream(number) => (2, number as u32),
            Self::Relay(RelayId(number)) => (3, number),
            Self::RelayAcceptor(RelayId(number)) => (4, number),
            Self::Peer(number) => (5, number as u32),
        };
        number << KIND_BITS | kind
    }

    pub(crate) fn of(id: SocketId) -> Option<Self> {
        let number = id >> KIND_BITS;
        match id & ((1 << KIND_BITS) - 1) {
            0 => Some(Self::Listener(number as usize)),
            1 => Some(Self::Acceptor(number as usize)),
            2 => Some(Self::Stream(number as usize)),
            3 => Some(Self::Relay(RelayId(number))),
            4 => Some(Self::RelayAcceptor(RelayId(number))),
            5 => Some(Self::Peer(number as usize)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_its_number() {
        for name in [
            SocketName::Listener(0),
            SocketName::Acceptor(7),
            SocketName::Stream(100_000),
            SocketName::Relay(RelayId(65_535)),
            SocketName::RelayAcceptor(RelayId(3)),
            SocketName::Peer(65_535),
        ] {
            assert_eq!(SocketName::of(name.id()), Some(name));
        }
        assert_eq!(SocketName::of(7), None);
    }
}
