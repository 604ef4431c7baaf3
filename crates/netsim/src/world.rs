//! A network with somebody on each host, and whose turn it is: time leaps to whatever is due next.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::network::{HostId, Network, Packet, RouterId};

/// More than this without time passing is a machine that goes round in circles.
const MOST_AT_ONCE: u32 = 100_000;

/// Who lives on a host: a machine that does no I/O.
pub trait Peer {
    /// A datagram for one of its addresses: `to` is local, `source` remote.
    fn handle_input(&mut self, now: Instant, packet: &Packet);

    /// Something is due.
    fn handle_timeout(&mut self, now: Instant);

    /// The next datagram; `source` is local. Called after everything else until there is none.
    fn poll_transmit(&mut self, now: Instant) -> Option<Packet>;

    /// When [`Peer::handle_timeout`] is due.
    fn poll_timeout(&mut self) -> Option<Instant>;
}

/// The whole of a test: a network and its peers in virtual time.
#[derive(Debug)]
pub struct World<P> {
    pub network: Network,
    seed: u64,
    now: Instant,
    born: Instant,
    /// By host; `None`: it is dead, and what comes for it is lost.
    peers: Vec<Option<P>>,
    at_once: u32,
}

impl<P: Peer> World<P> {
    /// The seed decides everything that the network does.
    pub fn new(seed: u64) -> Self {
        // An Instant cannot be made from nothing. Which one it is makes no difference to anything.
        let born = Instant::now();
        Self { network: Network::new(seed), seed, now: born, born, peers: Vec::new(), at_once: 0 }
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub fn now(&self) -> Instant {
        self.now
    }

    /// Since the beginning of the world.
    pub fn age(&self) -> Duration {
        self.now - self.born
    }

    /// A new host with somebody on it.
    pub fn add(&mut self, address: IpAddr, router: Option<RouterId>, peer: P) -> HostId {
        let host = self.network.add_host(address, router);
        self.peers.push(Some(peer));
        host
    }

    /// Panics if it was killed.
    #[track_caller]
    pub fn peer(&mut self, host: HostId) -> &mut P {
        self.peers[host.0].as_mut().expect("it is dead")
    }

    /// Its process is gone, without a word to anybody.
    pub fn kill(&mut self, host: HostId) -> Option<P> {
        self.peers[host.0].take()
    }

    /// Lets everybody say what they have to say. Time does not pass.
    pub fn flush(&mut self) {
        for at in 0..self.peers.len() {
            self.flush_one(at);
        }
    }

    /// To the next moment at which something happens. False: nothing will.
    pub fn step(&mut self) -> bool {
        self.flush();
        let timers = self.peers.iter_mut().flatten().filter_map(Peer::poll_timeout);
        let Some(next) = timers.chain(self.network.poll_timeout()).min() else { return false };
        self.at_once = if next > self.now { 0 } else { self.at_once + 1 };
        assert!(self.at_once < MOST_AT_ONCE, "time does not pass any more");
        self.now = self.now.max(next);
        while let Some((HostId(at), packet)) = self.network.poll_arrival(self.now) {
            if let Some(peer) = &mut self.peers[at] {
                peer.handle_input(self.now, &packet);
                self.flush_one(at);
            }
        }
        for at in 0..self.peers.len() {
            if let Some(peer) = &mut self.peers[at]
                && peer.poll_timeout().is_some_and(|due| due <= self.now)
            {
                peer.handle_timeout(self.now);
                self.flush_one(at);
            }
        }
        true
    }

    /// Lets exactly this time pass.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.flush();
            let timers = self.peers.iter_mut().flatten().filter_map(Peer::poll_timeout);
            if timers.chain(self.network.poll_timeout()).min().is_none_or(|next| next > end) {
                break;
            }
            self.step();
        }
        self.now = end;
    }

    /// Lets time pass until it is so, and says how much that was; `None` if it is not within the limit.
    pub fn run_until(&mut self, limit: Duration, mut is_so: impl FnMut(&mut Self) -> bool) -> Option<Duration> {
        let start = self.now;
        self.flush();
        while !is_so(self) {
            if !self.step() || self.now - start > limit {
                return None;
            }
        }
        Some(self.now - start)
    }

    fn flush_one(&mut self, at: usize) {
        let Some(peer) = &mut self.peers[at] else { return };
        while let Some(packet) = peer.poll_transmit(self.now) {
            self.network.send(self.now, HostId(at), packet);
        }
    }
}
