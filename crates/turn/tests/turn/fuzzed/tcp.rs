//! What a fuzzer does with relays for TCP (RFC 6062).

use std::net::SocketAddr;

use peerline_turn::{ConnectionId, RelayId, Transport};
use peerline_wire::stun::{Class, Method, kind};

use crate::fuzzed::bytes::Bytes;
use crate::fuzzed::request::PEERS;
use crate::fuzzed::walk::{Walk, assert_open};
use crate::tcp_world::TCP;

impl Walk {
    pub(crate) fn step_tcp(&mut self, step: u8, who: usize, bytes: &mut Bytes<'_>) {
        match step {
            0 => {
                if self.clients[who].tuple.transport == Transport::Udp {
                    self.clients[who].tuple.transport = Transport::Tcp;
                    self.introduce(who);
                }
                self.sealed(who, Method::ALLOCATE, |_| vec![(TCP.0, TCP.1.to_vec())]);
            }
            1 => {
                let peer = *bytes.one_of(&PEERS);
                self.sealed(who, Method::CONNECT, |client| client.peers(&[peer]));
            }
            2 => {
                let id = self.connection(bytes).0.to_be_bytes().to_vec();
                self.sealed(who, Method::CONNECTION_BIND, |_| vec![(kind::CONNECTION_ID, id)]);
            }
            3 => self.come(bytes),
            _ => self.connected_or_gone(bytes),
        }
    }

    /// One that is there, or any number.
    fn connection(&self, bytes: &mut Bytes<'_>) -> ConnectionId {
        match self.world.host.connections.keys().nth(bytes.byte().into()) {
            Some(id) => *id,
            None => ConnectionId(u32::from(bytes.word()) << 16 | u32::from(bytes.word())),
        }
    }

    /// A peer connects to any relay.
    fn come(&mut self, bytes: &mut Bytes<'_>) {
        let peer: SocketAddr = bytes.one_of(&PEERS).parse().unwrap();
        let (nth, open) = (usize::from(bytes.byte()), &self.world.host.open);
        let Some((relay, socket)) = open.iter().filter(|(_, socket)| socket.is_tcp).nth(nth % open.len().max(1)) else {
            return;
        };
        let (relay, owner) = (RelayId(*relay), socket.owner.expect("a relay for TCP has an owner"));
        let host = &mut self.world.host;
        if let Some(id) = self.world.server.peer_came(self.world.now, owner, relay, peer, host) {
            assert_eq!(host.connections.insert(id, (relay, peer)), None, "a number names one connection");
        }
    }

    fn connected_or_gone(&mut self, bytes: &mut Bytes<'_>) {
        let is_made = bytes.flag();
        let id = self.connection(bytes);
        if is_made {
            self.world.server.peer_connected(self.world.now, id);
        } else {
            self.world.host.connections.remove(&id);
            self.world.server.peer_gone(self.world.now, id);
        }
    }

    pub(crate) fn check_tcp(&mut self) {
        for message in self.world.messages() {
            let (_, answer) = message;
            let is_told = matches!(answer.message().class, Class::Success | Class::Error) && answer.is_sealed();
            assert!(is_told || answer.message().class == Class::Indication);
        }
        let host = &self.world.host;
        assert_eq!(self.world.server.counters().connections, host.connections.len() as u64);
        for (relay, peer) in host.connections.values() {
            assert!(host.open[&relay.0].is_tcp && host.open[&relay.0].owner.is_some());
            let ip = peer.ip().to_canonical();
            assert_open(SocketAddr::new(ip, 1024));
        }
    }
}
