//! The relay sockets of one shard: one for each relayed address, found by number (RFC 8656 §7.2).

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::rand;
use mio::Interest;
use mio::net::{TcpListener, UdpSocket};
use peerline_turn::{AllocationId, ConnectionId, Family, Host, KeptId, NoRelay, Parity, Relay, RelayId};

use crate::service::Io;
use crate::tcp::{connect_from, listen_relay};
use crate::turn::peer::Peer;
use crate::turn::peers::Peers;
use crate::turn::socket_name::SocketName;
use crate::udp::bind_relay;

/// After so many ports that others have, the rest are tried in a row.
const RANDOM_TRIES: u32 = 32;
const TRIES_IN_A_ROW: u32 = 512;
/// So many ports whose TCP half somebody else has.
const TCP_TRIES: u32 = 16;

/// Where relays are opened.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// At most one address of each family.
    pub addresses: Vec<RelayAddress>,
    pub ports: RangeInclusive<u16>,
}

#[derive(Debug, Clone, Copy)]
pub struct RelayAddress {
    /// What the sockets are bound to.
    pub bind: IpAddr,
    /// What peers are told: another one where the server stands behind a one-to-one NAT.
    pub advertise: IpAddr,
}

/// What all shards of a server have in common: the range of ports, and the sockets kept for later.
#[derive(Debug, Default)]
pub(crate) struct SharedPorts {
    used: AtomicU32,
    kept: Mutex<(u32, HashMap<u32, Kept>)>,
}

/// A socket that waits for whoever has its token; nobody listens to it yet.
#[derive(Debug)]
struct Kept {
    socket: UdpSocket,
    advertise: IpAddr,
}

impl SharedPorts {
    fn keep(&self, socket: Kept) -> KeptId {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, sockets) = &mut *kept;
        *last = last.wrapping_add(1);
        sockets.insert(*last, socket);
        self.used.fetch_add(1, Relaxed);
        KeptId(*last)
    }

    fn take(&self, kept: KeptId) -> Option<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&kept.0)
    }
}

#[derive(Debug)]
pub(crate) struct Relays {
    config: RelayConfig,
    shared: Arc<SharedPorts>,
    sockets: Vec<Option<RelaySocket>>,
    free: Vec<u32>,
    /// The connections of those that relay TCP.
    pub(crate) peers: Peers,
}

#[derive(Debug)]
pub(crate) struct RelaySocket {
    pub(crate) socket: UdpSocket,
    /// Of a relay for TCP, whose UDP socket on the same port only keeps others away from it.
    pub(crate) acceptor: Option<TcpListener>,
    pub(crate) allocation: AllocationId,
    advertised: SocketAddr,
}

impl RelaySocket {
    fn register(&mut self, io: &Io<'_>, id: RelayId) -> io::Result<()> {
        match &mut self.acceptor {
            Some(acceptor) => io.register(acceptor, SocketName::RelayAcceptor(id).id(), Interest::READABLE),
            None => io.register(&mut self.socket, SocketName::Relay(id).id(), Interest::READABLE),
        }
    }

    fn deregister(&mut self, io: &Io<'_>) {
        match &mut self.acceptor {
            Some(acceptor) => io.deregister(acceptor),
            None => io.deregister(&mut self.socket),
        }
    }
}

impl Relays {
    /// The relays for TCP.
    pub(crate) fn acceptors(&self) -> impl Iterator<Item = RelayId> {
        let is_one = |relay: &Option<RelaySocket>| relay.as_ref().is_some_and(|relay| relay.acceptor.is_some());
        let numbered = self.sockets.iter().enumerate().filter(move |(_, relay)| is_one(relay));
        numbered.map(|(number, _)| RelayId(number as u32))
    }

    pub(crate) fn new(config: RelayConfig, shared: Arc<SharedPorts>) -> Self {
        Self { config, shared, sockets: Vec::new(), free: Vec::new(), peers: Peers::default() }
    }

    pub(crate) fn get(&self, id: RelayId) -> Option<&RelaySocket> {
        self.sockets.get(id.0 as usize)?.as_ref()
    }

    pub(crate) fn stop(&mut self, io: &mut Io<'_>) {
        self.peers.stop(io);
        for relay in self.sockets.iter_mut().flatten() {
            relay.deregister(io);
            self.shared.used.fetch_sub(1, Relaxed);
        }
        self.sockets.clear();
    }

    fn add(
        &mut self,
        io: &Io<'_>,
        socket: UdpSocket,
        acceptor: Option<TcpListener>,
        advertise: IpAddr,
        allocation: AllocationId,
    ) -> io::Result<RelayId> {
        let advertised = SocketAddr::new(advertise, socket.local_addr()?.port());
        let id = self.free.pop().unwrap_or(self.sockets.len() as u32);
        let mut relay = RelaySocket { socket, acceptor, allocation, advertised };
        if let Err(error) = relay.register(io, RelayId(id)) {
            self.free.push(id);
            return Err(error);
        }
        let relay = Some(relay);
        match self.sockets.get_mut(id as usize) {
            Some(slot) => *slot = relay,
            None => self.sockets.push(relay),
        }
        Ok(RelayId(id))
    }

    /// A socket on a port of the range, the next port too if it is asked for.
    fn bind(&self, ip: IpAddr, parity: Parity) -> Option<(UdpSocket, Option<UdpSocket>)> {
        let (first, last) = (u32::from(*self.config.ports.start()), u32::from(*self.config.ports.end()));
        let count = (last + 1).checked_sub(first)?;
        let wanted = if parity == Parity::EvenWithNext { 2 } else { 1 };
        if self.shared.used.load(Relaxed) + wanted > count {
            return None;
        }
        let mut start = 0;
        for attempt in 0..RANDOM_TRIES + TRIES_IN_A_ROW {
            if attempt <= RANDOM_TRIES {
                start = random_u32() % count;
            }
            let port = (first + (start + attempt.saturating_sub(RANDOM_TRIES)) % count) as u16;
            if parity != Parity::Any && port % 2 == 1 {
                continue;
            }
            let Ok(socket) = bind_relay(SocketAddr::new(ip, port)) else { continue };
            if parity != Parity::EvenWithNext {
                return Some((socket, None));
            }
            if u32::from(port) < last
                && let Ok(next) = bind_relay(SocketAddr::new(ip, port + 1))
            {
                return Some((socket, Some(next)));
            }
        }
        None
    }
}

fn random_u32() -> u32 {
    let mut bytes = [0; 4];
    // Without randomness there is no safe port; the ports are then the first ones, and still bound exclusively.
    let _ = rand::fill(&mut bytes);
    u32::from_ne_bytes(bytes)
}

/// The machine's hands, for the length of one step.
pub(crate) struct Hands<'a, 'io> {
    pub(crate) relays: &'a mut Relays,
    pub(crate) io: &'a Io<'io>,
}

impl Host for Hands<'_, '_> {
    fn serves(&self, family: Family) -> bool {
        self.relays.config.addresses.iter().any(|a| a.bind.is_ipv4() == (family == Family::V4))
    }

    fn open_relay(&mut self, allocation: AllocationId, family: Family, parity: Parity) -> Result<Relay, NoRelay> {
        let of_family = |a: &&RelayAddress| a.bind.is_ipv4() == (family == Family::V4);
        let RelayAddress { bind, advertise } = *self.relays.config.addresses.iter().find(of_family).ok_or(NoRelay)?;
        let (socket, next) = self.relays.bind(bind, parity).ok_or(NoRelay)?;
        let id = self.relays.add(self.io, socket, None, advertise, allocation).map_err(|_| NoRelay)?;
        self.relays.shared.used.fetch_add(1, Relaxed);
        let next = next.map(|socket| self.relays.shared.keep(Kept { socket, advertise }));
        let address = self.relays.get(id).ok_or(NoRelay)?.advertised;
        Ok(Relay { id, address, next })
    }

    fn adopt_relay(&mut self, kept: KeptId, allocation: AllocationId) -> Result<Relay, NoRelay> {
        let Kept { socket, advertise } = self.relays.shared.take(kept).ok_or(NoRelay)?;
        let Ok(id) = self.relays.add(self.io, socket, None, advertise, allocation) else {
            self.relays.shared.used.fetch_sub(1, Relaxed);
            return Err(NoRelay);
        };
        let address = self.relays.get(id).ok_or(NoRelay)?.advertised;
        Ok(Relay { id, address, next: None })
    }

    fn close_kept(&mut self, kept: KeptId) {
        if self.relays.shared.take(kept).is_some() {
            self.relays.shared.used.fetch_sub(1, Relaxed);
        }
    }

    fn close_relay(&mut self, relay: RelayId) {
        let Some(mut gone) = self.relays.sockets.get_mut(relay.0 as usize).and_then(Option::take) else { return };
        gone.deregister(self.io);
        self.relays.free.push(relay.0);
        self.relays.shared.used.fetch_sub(1, Relaxed);
    }

    fn open_tcp_relay(&mut self, allocation: AllocationId, family: Family) -> Result<Relay, NoRelay> {
        let of_family = |a: &&RelayAddress| a.bind.is_ipv4() == (family == Family::V4);
        let RelayAddress { bind, advertise } = *self.relays.config.addresses.iter().find(of_family).ok_or(NoRelay)?;
        // A port can be free for UDP and taken for TCP.
        for _ in 0..TCP_TRIES {
            let (socket, _) = self.relays.bind(bind, Parity::Any).ok_or(NoRelay)?;
            let Ok(acceptor) = socket.local_addr().and_then(listen_relay) else { continue };
            let id = self.relays.add(self.io, socket, Some(acceptor), advertise, allocation).map_err(|_| NoRelay)?;
            self.relays.shared.used.fetch_add(1, Relaxed);
            let address = self.relays.get(id).ok_or(NoRelay)?.advertised;
            return Ok(Relay { id, address, next: None });
        }
        Err(NoRelay)
    }

    fn connect(&mut self, connection: ConnectionId, relay: RelayId, peer: SocketAddr) -> Result<(), NoRelay> {
        let relay = self.relays.get(relay).ok_or(NoRelay)?;
        let (allocation, local) = (relay.allocation, relay.socket.local_addr().map_err(|_| NoRelay)?);
        let socket = connect_from(local, peer).map_err(|_| NoRelay)?;
        let peer = Peer::new(socket, connection, allocation, false);
        self.relays.peers.add(self.io, peer).map_err(|_| NoRelay)
    }

    fn close_connection(&mut self, connection: ConnectionId) {
        self.close_peer(connection);
    }

    fn can_forbid_fragments(&self) -> bool {
        peerline_net::CAN_FORBID_FRAGMENTS
    }

    fn random(&mut self, bytes: &mut [u8]) {
        rand::fill(bytes).expect("the system has randomness");
    }
}
