//! Hosts, the routers some of them are behind, and the packets under way between them.
//!
//! ```text
//! host ── up ──► its router's NAT ──► the internet ──► the other router's NAT ── down ──► the other host
//! ```

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::dice::Dice;
use super::link::{Link, Quality};
use super::nat::{Nat, NatKind};

/// One datagram. `source` and `to` are what its headers say at the moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Packet {
    pub source: SocketAddr,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

impl Packet {
    /// With its IP and UDP headers.
    pub fn size(&self) -> usize {
        self.bytes.len() + if self.to.is_ipv4() { 28 } else { 48 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(super) usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RouterId(usize);

/// What became of packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub sent: u64,
    pub delivered: u64,
    pub lost: u64,
    pub duplicated: u64,
    pub held_back: u64,
    pub queue_full: u64,
    pub too_large: u64,
    pub cut: u64,
    /// Nobody has the address, or the sender does not have its own.
    pub unroutable: u64,
    /// A NAT did not let them in.
    pub filtered: u64,
}

#[derive(Debug)]
struct Host {
    addresses: Vec<IpAddr>,
    router: Option<RouterId>,
    up: Link,
    down: Link,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hop {
    /// Past the link of this host.
    Out(HostId),
    /// At the end of the link of this host.
    In(HostId),
}

/// When, its number, where, and which.
type UnderWay = (Instant, u64, Hop, Packet);

/// All links, NATs and packets. Time is an argument.
#[derive(Debug)]
pub struct Network {
    pub dice: Dice,
    pub counters: Counters,
    hosts: Vec<Host>,
    routers: Vec<Nat>,
    under_way: BinaryHeap<Reverse<UnderWay>>,
    numbered: u64,
    /// The last packets that crossed the internet, as whoever listens there has them.
    overheard: VecDeque<Packet>,
    keeps: usize,
}

impl Network {
    pub fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            counters: Counters::default(),
            hosts: Vec::new(),
            routers: Vec::new(),
            under_way: BinaryHeap::new(),
            numbered: 0,
            overheard: VecDeque::new(),
            keeps: 0,
        }
    }

    /// A host with a public address, or with one behind a router.
    pub fn add_host(&mut self, address: IpAddr, router: Option<RouterId>) -> HostId {
        let (up, down) = (Link::new(Quality::PERFECT), Link::new(Quality::PERFECT));
        self.hosts.push(Host { addresses: vec![address], router, up, down });
        HostId(self.hosts.len() - 1)
    }

    pub fn add_router(&mut self, kind: NatKind, outside: IpAddr) -> RouterId {
        self.routers.push(Nat::new(kind, outside));
        RouterId(self.routers.len() - 1)
    }

    /// The NAT of a router, to be rebound or given another address.
    pub fn nat(&mut self, router: RouterId) -> &mut Nat {
        &mut self.routers[router.0]
    }

    /// What the link does to what this host sends.
    pub fn up(&mut self, host: HostId) -> &mut Quality {
        &mut self.hosts[host.0].up.quality
    }

    /// What the link does to what this host gets.
    pub fn down(&mut self, host: HostId) -> &mut Quality {
        &mut self.hosts[host.0].down.quality
    }

    pub fn addresses(&self, host: HostId) -> &[IpAddr] {
        &self.hosts[host.0].addresses
    }

    /// The host has these addresses from now on; what is under way to another one is lost.
    pub fn set_addresses(&mut self, host: HostId, addresses: &[IpAddr]) {
        self.hosts[host.0].addresses = addresses.to_vec();
    }

    /// The host is behind another router, or behind none.
    pub fn set_router(&mut self, host: HostId, router: Option<RouterId>) {
        self.hosts[host.0].router = router;
    }

    /// Keeps the last packets for [`Network::overheard`].
    pub fn listen(&mut self, keeps: usize) {
        self.keeps = keeps;
    }

    pub fn overheard(&self) -> &VecDeque<Packet> {
        &self.overheard
    }

    /// Something sets out from a host.
    pub fn send(&mut self, now: Instant, from: HostId, packet: Packet) {
        self.counters.sent += 1;
        let host = &mut self.hosts[from.0];
        if !host.addresses.contains(&packet.source.ip()) {
            self.counters.unroutable += 1;
            return;
        }
        let arrivals = host.up.carry(now, packet.size(), &mut self.dice, &mut self.counters);
        self.push(arrivals, &|| Hop::Out(from), packet);
    }

    /// Somebody on the internet sends something, and says whatever he likes of who he is. It is not overheard.
    pub fn inject(&mut self, now: Instant, packet: Packet) {
        self.cross(now, packet);
    }

    /// When something happens next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.under_way.peek().map(|Reverse((at, ..))| *at)
    }

    /// A packet that has arrived by now, and at which host. Call until there is none.
    pub fn poll_arrival(&mut self, now: Instant) -> Option<(HostId, Packet)> {
        while self.poll_timeout()? <= now {
            let Reverse((at, _, hop, packet)) = self.under_way.pop()?;
            match hop {
                Hop::Out(from) => self.route(at, from, packet),
                Hop::In(host) if self.hosts[host.0].addresses.contains(&packet.to.ip()) => {
                    self.counters.delivered += 1;
                    return Some((host, packet));
                }
                Hop::In(_) => self.counters.unroutable += 1,
            }
        }
        None
    }

    fn route(&mut self, now: Instant, from: HostId, packet: Packet) {
        let Some(router) = self.hosts[from.0].router else { return self.forward(now, packet) };
        match self.find(Some(router), packet.to.ip()) {
            Some(neighbour) => self.deliver(now, neighbour, packet),
            None => {
                let packet = self.routers[router.0].leave(now, packet, &mut self.dice);
                self.forward(now, packet);
            }
        }
    }

    /// Across the internet.
    fn forward(&mut self, now: Instant, packet: Packet) {
        if self.keeps > 0 {
            self.overheard.truncate(self.keeps - 1);
            self.overheard.push_front(packet.clone());
        }
        self.cross(now, packet);
    }

    fn cross(&mut self, now: Instant, packet: Packet) {
        if let Some(host) = self.find(None, packet.to.ip()) {
            return self.deliver(now, host, packet);
        }
        let Some(router) = self.routers.iter().position(|nat| nat.outside == packet.to.ip()) else {
            self.counters.unroutable += 1;
            return;
        };
        let Some(packet) = self.routers[router].enter(now, packet) else {
            self.counters.filtered += 1;
            return;
        };
        match self.find(Some(RouterId(router)), packet.to.ip()) {
            Some(host) => self.deliver(now, host, packet),
            None => self.counters.unroutable += 1,
        }
    }

    fn find(&self, router: Option<RouterId>, address: IpAddr) -> Option<HostId> {
        let is_it = |host: &Host| host.router == router && host.addresses.contains(&address);
        self.hosts.iter().position(is_it).map(HostId)
    }

    fn deliver(&mut self, now: Instant, to: HostId, packet: Packet) {
        let down = &mut self.hosts[to.0].down;
        let arrivals = down.carry(now, packet.size(), &mut self.dice, &mut self.counters);
        self.push(arrivals, &|| Hop::In(to), packet);
    }

    fn push(&mut self, mut arrivals: Vec<Instant>, hop: &dyn Fn() -> Hop, packet: Packet) {
        let last = arrivals.pop();
        for at in arrivals {
            self.numbered += 1;
            self.under_way.push(Reverse((at, self.numbered, hop(), packet.clone())));
        }
        if let Some(at) = last {
            self.numbered += 1;
            self.under_way.push(Reverse((at, self.numbered, hop(), packet)));
        }
    }
}
