//! NATs of the common kinds (RFC 4787): how they map, and whom they let in.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NatKind {
    /// One mapping for each socket; anyone may use it.
    FullCone,
    /// One mapping for each socket; only addresses it has sent to get in.
    PortRestricted,
    /// A mapping for each destination.
    Symmetric,
}

#[derive(Debug)]
pub(crate) struct Nat {
    kind: NatKind,
    outside: IpAddr,
    /// Who, to whom (if it matters), and the port outside.
    mappings: Vec<(SocketAddr, Option<SocketAddr>, u16)>,
    sent: HashSet<(u16, SocketAddr)>,
}

impl Nat {
    pub(crate) fn new(kind: NatKind, outside: IpAddr) -> Self {
        Self { kind, outside, mappings: Vec::new(), sent: HashSet::new() }
    }

    pub(crate) fn owns(&self, address: SocketAddr) -> bool {
        address.ip() == self.outside
    }

    /// The address that the destination sees.
    pub(crate) fn out(&mut self, from: SocketAddr, to: SocketAddr) -> SocketAddr {
        let key = (self.kind == NatKind::Symmetric).then_some(to);
        let known = self.mappings.iter().find(|(who, whom, _)| *who == from && *whom == key);
        let port = known.map_or(40_000 + self.mappings.len() as u16, |(.., port)| *port);
        if known.is_none() {
            self.mappings.push((from, key, port));
        }
        self.sent.insert((port, to));
        SocketAddr::new(self.outside, port)
    }

    /// The socket inside, if the packet gets in.
    pub(crate) fn inside(&self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        let (who, ..) = self.mappings.iter().find(|(.., port)| *port == to.port())?;
        let is_let_in = self.kind == NatKind::FullCone || self.sent.contains(&(to.port(), from));
        is_let_in.then_some(*who)
    }

    /// The router restarts: all mappings are gone, and new ports are given.
    pub(crate) fn forget(&mut self) {
        self.sent.clear();
        for mapping in &mut self.mappings {
            mapping.0.set_port(0);
        }
    }
}
