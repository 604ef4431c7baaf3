//! A router that lends its address (RFC 4787): how it maps, and whom it lets in.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::dice::Dice;
use super::network::Packet;

/// RFC 4787 §4.3: never less than two minutes, better five.
const MAPPING_LASTS: Duration = Duration::from_secs(300);
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 40_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NatKind {
    /// One port for each socket; whoever finds it may send to it.
    FullCone,
    /// One port for each socket; in comes who has been sent to, from any of its ports.
    AddressRestricted,
    /// One port for each socket; in comes the very address and port that was sent to.
    PortRestricted,
    /// A port for each destination, and only that one may answer.
    Symmetric,
}

impl NatKind {
    pub const ALL: [Self; 4] = [Self::FullCone, Self::AddressRestricted, Self::PortRestricted, Self::Symmetric];

    /// Whether two behind these can meet without a relay, each told its port by a STUN server.
    pub fn meets(self, other: Self) -> bool {
        use NatKind::{PortRestricted, Symmetric};
        !matches!((self, other), (Symmetric, Symmetric | PortRestricted) | (PortRestricted, Symmetric))
    }

    /// As much of the other side's address as decides who gets in.
    fn filter(self, remote: SocketAddr) -> Option<SocketAddr> {
        match self {
            Self::FullCone => None,
            Self::AddressRestricted => Some(SocketAddr::new(remote.ip(), 0)),
            Self::PortRestricted | Self::Symmetric => Some(remote),
        }
    }
}

#[derive(Debug)]
struct Mapping {
    inside: SocketAddr,
    /// The only destination it is for.
    remote: Option<SocketAddr>,
    expires: Instant,
    admitted: HashSet<Option<SocketAddr>>,
}

/// A NAT with one address outside.
#[derive(Debug)]
pub struct Nat {
    pub kind: NatKind,
    /// What the world sees.
    pub outside: IpAddr,
    /// How long a mapping lives that nothing is sent through.
    pub lasts: Duration,
    by_port: HashMap<u16, Mapping>,
    /// Ports of before a restart are not given again: what still comes for them is for nobody.
    burnt: HashSet<u16>,
}

impl Nat {
    pub fn new(kind: NatKind, outside: IpAddr) -> Self {
        Self { kind, outside, lasts: MAPPING_LASTS, by_port: HashMap::new(), burnt: HashSet::new() }
    }

    /// A packet on its way out. It opens the way for answers, and keeps it open.
    pub fn leave(&mut self, now: Instant, mut packet: Packet, dice: &mut Dice) -> Packet {
        let remote = (self.kind == NatKind::Symmetric).then_some(packet.to);
        let is_it =
            |mapping: &Mapping| mapping.inside == packet.source && mapping.remote == remote && mapping.expires > now;
        let known = self.by_port.iter().find(|(_, mapping)| is_it(mapping)).map(|(port, _)| *port);
        let port = known.unwrap_or_else(|| self.free_port(now, dice));
        let expires = now + self.lasts;
        let new = || Mapping { inside: packet.source, remote, expires, admitted: HashSet::new() };
        if known.is_none() {
            self.by_port.insert(port, new());
        }
        let mapping = self.by_port.get_mut(&port).expect("it was found or made");
        mapping.expires = expires;
        mapping.admitted.insert(self.kind.filter(packet.to));
        packet.source = SocketAddr::new(self.outside, port);
        packet
    }

    /// A packet on its way in, with the address of whom it is for; `None` if it does not get in.
    pub fn enter(&self, now: Instant, mut packet: Packet) -> Option<Packet> {
        let mapping = self.by_port.get(&packet.to.port()).filter(|mapping| mapping.expires > now)?;
        if !mapping.admitted.contains(&self.kind.filter(packet.source)) {
            return None;
        }
        packet.to = mapping.inside;
        Some(packet)
    }

    /// It has forgotten everything, as after a restart; the same sockets get other ports.
    pub fn rebind(&mut self) {
        self.burnt.extend(self.by_port.drain().map(|(port, _)| port));
    }

    fn free_port(&self, now: Instant, dice: &mut Dice) -> u16 {
        loop {
            let port = FIRST_PORT + dice.below(PORTS.into()) as u16;
            let is_used = self.by_port.get(&port).is_some_and(|mapping| mapping.expires > now);
            if !is_used && !self.burnt.contains(&port) {
                return port;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: &str = "10.0.0.2:5000";
    const FRIEND: &str = "198.51.100.1:1";
    const FRIENDS_OTHER_PORT: &str = "198.51.100.1:2";
    const STRANGER: &str = "198.51.100.2:1";

    fn packet(source: &str, to: &str) -> Packet {
        Packet { source: source.parse().unwrap(), to: to.parse().unwrap(), bytes: vec![] }
    }

    /// Sends to the friend; who may answer?
    fn admitted(kind: NatKind) -> [bool; 3] {
        let (mut nat, mut dice, now) = (Nat::new(kind, [203, 0, 113, 1].into()), Dice::new(1), Instant::now());
        let seen = nat.leave(now, packet(INSIDE, FRIEND), &mut dice).source.to_string();
        [FRIEND, FRIENDS_OTHER_PORT, STRANGER].map(|who| {
            let inside = nat.enter(now, packet(who, &seen));
            inside.is_some_and(|inside| inside.to == INSIDE.parse().unwrap())
        })
    }

    #[test]
    fn each_kind_lets_in_whom_it_says() {
        assert_eq!(admitted(NatKind::FullCone), [true, true, true]);
        assert_eq!(admitted(NatKind::AddressRestricted), [true, true, false]);
        assert_eq!(admitted(NatKind::PortRestricted), [true, false, false]);
        assert_eq!(admitted(NatKind::Symmetric), [true, false, false]);
    }

    #[test]
    fn only_a_symmetric_one_shows_each_destination_another_port() {
        for kind in NatKind::ALL {
            let (mut nat, mut dice, now) = (Nat::new(kind, [203, 0, 113, 1].into()), Dice::new(1), Instant::now());
            let mut seen = |to| nat.leave(now, packet(INSIDE, to), &mut dice).source;
            assert_eq!(seen(FRIEND) == seen(STRANGER), kind != NatKind::Symmetric);
            assert_eq!(seen(FRIEND), seen(FRIEND));
        }
    }

    #[test]
    fn mappings_end_in_silence_and_by_a_restart() {
        let (mut nat, mut dice, now) =
            (Nat::new(NatKind::FullCone, [203, 0, 113, 1].into()), Dice::new(1), Instant::now());
        let seen = nat.leave(now, packet(INSIDE, FRIEND), &mut dice).source;
        let back = packet(FRIEND, &seen.to_string());
        assert!(nat.enter(now + Duration::from_secs(299), back.clone()).is_some());
        assert!(nat.enter(now + Duration::from_secs(300), back.clone()).is_none());
        nat.rebind();
        assert!(nat.enter(now, back).is_none());
        assert_ne!(nat.leave(now, packet(INSIDE, FRIEND), &mut dice).source, seen);
    }
}
