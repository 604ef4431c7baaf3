//! Relay sockets that exist only as entries in a table.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use peerline_turn::{AllocationId, ConnectionId, Family, Host, KeptId, NoRelay, Parity, Relay, RelayId};

pub(crate) const RELAY_V4: &str = "198.18.0.1";
pub(crate) const RELAY_V6: &str = "2600::1";

#[derive(Debug)]
pub(crate) struct ToyHost {
    /// Whose they are; `None`: kept for later.
    pub(crate) open: BTreeMap<u32, Socket>,
    pub(crate) families: Vec<Family>,
    pub(crate) can_forbid_fragments: bool,
    /// How many sockets there can be at once.
    pub(crate) limit: usize,
    /// Connections of TCP relays with peers, made or being made.
    pub(crate) connections: BTreeMap<ConnectionId, (RelayId, SocketAddr)>,
    /// Whether connecting can be begun at all.
    pub(crate) can_connect: bool,
    next_port: u16,
    next_id: u32,
    random: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Socket {
    pub(crate) is_tcp: bool,
    pub(crate) owner: Option<AllocationId>,
    pub(crate) address: SocketAddr,
}

impl Default for ToyHost {
    fn default() -> Self {
        Self {
            open: BTreeMap::new(),
            families: vec![Family::V4, Family::V6],
            can_forbid_fragments: false,
            limit: usize::MAX,
            connections: BTreeMap::new(),
            can_connect: true,
            next_port: 49_151,
            next_id: 1,
            random: 1,
        }
    }
}

impl ToyHost {
    fn bind(&mut self, owner: Option<AllocationId>, family: Family, port: u16, is_tcp: bool) -> Relay {
        let ip: IpAddr = match family {
            Family::V4 => RELAY_V4.parse().unwrap(),
            Family::V6 => RELAY_V6.parse().unwrap(),
        };
        let (id, address) = (self.next_id, SocketAddr::new(ip, port));
        self.next_id += 1;
        self.open.insert(id, Socket { is_tcp, owner, address });
        Relay { id: RelayId(id), address, next: None }
    }
}

impl Host for ToyHost {
    fn serves(&self, family: Family) -> bool {
        self.families.contains(&family)
    }

    fn open_relay(&mut self, allocation: AllocationId, family: Family, parity: Parity) -> Result<Relay, NoRelay> {
        let wanted = if parity == Parity::EvenWithNext { 2 } else { 1 };
        if !self.serves(family) || self.limit - self.open.len() < wanted {
            return Err(NoRelay);
        }
        // Ports come around again, and never with the parity that a careless server would hand out by itself.
        self.next_port = self.next_port.checked_add(2).unwrap_or(49_153);
        let port = if parity == Parity::Any { self.next_port } else { self.next_port - 1 };
        let relay = self.bind(Some(allocation), family, port, false);
        let next = (parity == Parity::EvenWithNext).then(|| KeptId(self.bind(None, family, port + 1, false).id.0));
        Ok(Relay { next, ..relay })
    }

    fn adopt_relay(&mut self, kept: KeptId, allocation: AllocationId) -> Result<Relay, NoRelay> {
        let socket = self.open.get_mut(&kept.0).ok_or(NoRelay)?;
        assert_eq!(socket.owner, None, "only a socket that was kept for later can be adopted");
        socket.owner = Some(allocation);
        Ok(Relay { id: RelayId(kept.0), address: socket.address, next: None })
    }

    fn close_kept(&mut self, kept: KeptId) {
        self.close_relay(RelayId(kept.0));
    }

    fn can_forbid_fragments(&self) -> bool {
        self.can_forbid_fragments
    }

    fn open_tcp_relay(&mut self, allocation: AllocationId, family: Family) -> Result<Relay, NoRelay> {
        let Relay { id, address, .. } = self.open_relay(allocation, family, Parity::Any)?;
        self.open.insert(id.0, Socket { is_tcp: true, owner: Some(allocation), address });
        Ok(Relay { id, address, next: None })
    }

    fn connect(&mut self, connection: ConnectionId, relay: RelayId, peer: SocketAddr) -> Result<(), NoRelay> {
        assert!(self.open[&relay.0].is_tcp, "only TCP relays have connections");
        if !self.can_connect {
            return Err(NoRelay);
        }
        assert_eq!(self.connections.insert(connection, (relay, peer)), None, "a number names one connection");
        Ok(())
    }

    fn close_connection(&mut self, connection: ConnectionId) {
        assert!(self.connections.remove(&connection).is_some(), "closed twice: {connection:?}");
    }

    fn close_relay(&mut self, relay: RelayId) {
        let is_on = self.connections.values().any(|(through, _)| *through == relay);
        assert!(!is_on, "a relay is closed after its connections");
        assert!(self.open.remove(&relay.0).is_some(), "closed twice: {relay:?}");
    }

    fn random(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.random >> 56) as u8;
        }
    }
}
