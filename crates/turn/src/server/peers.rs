//! What the host tells of the connections of TCP relays (RFC 6062 §5.2, §5.3), and what clients are told of them.

use std::net::SocketAddr;

use peerline_wire::stun::{Class, MessageWriter, Method, TransactionId, kind};

use crate::connections::{BIND_S, Connection, State};
use crate::host::{AllocationId, ConnectionId, Host, RelayId};
use crate::reply;
use crate::server::{Now, Server};
use crate::settings::is_reached;
use crate::tuple::FiveTuple;

/// A ConnectionAttempt for a peer with an IPv6 address.
const MAX_ATTEMPT_LEN: usize = 64;

impl Server {
    /// This is one of so many shards, which share the numbers of connections; the same on all. To be called at the
    /// beginning.
    pub fn share_connections(&mut self, shard: u32, shards: u32) {
        self.connections.divide(shard, shards);
    }

    /// A peer has accepted what [`Host::connect`] began.
    pub fn peer_connected(&mut self, now: Now, id: ConnectionId) {
        self.now_s = self.s(now.instant);
        if !self.connections.get(id).is_some_and(|connection| matches!(connection.state, State::Connecting { .. })) {
            return;
        }
        let waiting = State::Waiting { gives_up_s: self.now_s + BIND_S };
        let Some(State::Connecting { asked, .. }) = self.connections.change(id, waiting) else { return };
        let mut message = Vec::new();
        reply::write(&mut message, asked.asked, Class::Success, Some(asked.seal()), |writer| {
            writer.attribute(kind::CONNECTION_ID, &id.0.to_be_bytes()).map(drop)
        });
        self.tell_client_of(id, message);
    }

    /// A connection could not be made, or both of its directions have ended.
    pub fn peer_gone(&mut self, now: Now, id: ConnectionId) {
        self.now_s = self.s(now.instant);
        self.give_up(id);
    }

    /// A peer has connected to this relay. `None`: it is to be closed at once.
    pub fn peer_came(
        &mut self,
        now: Now,
        allocation: AllocationId,
        relay: RelayId,
        peer: SocketAddr,
        host: &mut dyn Host,
    ) -> Option<ConnectionId> {
        self.now_s = self.s(now.instant);
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let held = self.get(allocation).filter(|held| held.is_tcp() && held.permissions.contains(peer.ip()))?;
        let is_its = held.relays.iter().flatten().any(|open| open.id == relay);
        let is_welcome = is_its && self.settings.policy.permits_ip(peer.ip());
        let is_new = self.connection_with(allocation, peer).is_none();
        if !is_welcome || !is_new || !self.has_room_for_connection(allocation) {
            return None;
        }
        let id = self.connections.new_id(host);
        let state = State::Waiting { gives_up_s: self.now_s + BIND_S };
        self.add_connection(id, Connection { allocation, relay, peer, state });
        let mut transaction = [0; 12];
        host.random(&mut transaction);
        self.tell_client_of(id, attempt(TransactionId(transaction), peer, id));
        Some(id)
    }

    /// What a client is to be told that is no answer to the message in work.
    pub fn poll_message(&mut self) -> Option<(FiveTuple, Vec<u8>)> {
        self.messages.pop_front()
    }

    pub(crate) fn add_connection(&mut self, id: ConnectionId, connection: Connection) {
        if let Some(ids) = self.get_mut(connection.allocation).and_then(|held| held.connections.as_mut()) {
            ids.push(id);
        }
        self.connections.insert(id, connection);
    }

    /// The connection that this allocation has with this peer, whatever its state (RFC 6062 §5.2).
    pub(crate) fn connection_with(&self, allocation: AllocationId, peer: SocketAddr) -> Option<ConnectionId> {
        let mut ids = self.get(allocation)?.connections.iter().flatten();
        ids.find(|id| self.connections.get(**id).is_some_and(|connection| connection.peer == peer)).copied()
    }

    pub(crate) fn has_room_for_connection(&self, allocation: AllocationId) -> bool {
        let count = self.get(allocation).and_then(|held| held.connections.as_ref()).map_or(0, Vec::len);
        !is_reached(self.settings.tcp_connections, count) && self.connections.has_room()
    }

    /// Those that have waited too long.
    pub(super) fn expire_connections(&mut self, host: &mut dyn Host) {
        while let Some(id) = self.connections.first_due(self.now_s) {
            host.close_connection(id);
            self.give_up(id);
        }
    }

    /// Those of an allocation that go through this relay.
    pub(crate) fn close_connections(&mut self, allocation: AllocationId, relay: RelayId, host: &mut dyn Host) {
        let ids = self.get(allocation).and_then(|held| held.connections.clone()).unwrap_or_default();
        for id in ids {
            if self.connections.get(id).is_some_and(|connection| connection.relay == relay) {
                host.close_connection(id);
                self.give_up(id);
            }
        }
    }

    /// It is no more. A client that waits for it is told.
    fn give_up(&mut self, id: ConnectionId) {
        let Some(gone) = self.connections.remove(id) else { return };
        let Some(held) = self.get_mut(gone.allocation) else { return };
        let tuple = held.tuple;
        if let Some(ids) = held.connections.as_mut() {
            ids.retain(|other| *other != id);
        }
        if let State::Connecting { asked, .. } = gone.state {
            self.counters.refused += 1;
            let mut message = Vec::new();
            reply::error(&mut message, asked.asked, 447, Some(asked.seal()));
            self.messages.push_back((tuple, message));
        }
    }

    fn tell_client_of(&mut self, id: ConnectionId, message: Vec<u8>) {
        let allocation = self.connections.get(id).map(|connection| connection.allocation);
        if let Some(tuple) = allocation.and_then(|allocation| self.get(allocation)).map(|held| held.tuple) {
            self.messages.push_back((tuple, message));
        }
    }
}

/// ConnectionAttempt (RFC 6062 §4.4), which as an indication is not sealed.
fn attempt(transaction: TransactionId, peer: SocketAddr, id: ConnectionId) -> Vec<u8> {
    let mut message = vec![0; MAX_ATTEMPT_LEN];
    let write = |buffer| {
        let mut writer = MessageWriter::new(buffer, Class::Indication, Method::CONNECTION_ATTEMPT, transaction)?;
        writer.xor_address(kind::XOR_PEER_ADDRESS, peer)?.attribute(kind::CONNECTION_ID, &id.0.to_be_bytes())?;
        Ok::<_, peerline_wire::stun::BufferFull>(writer.finish())
    };
    let len = write(&mut message[..]).unwrap_or(0);
    message.truncate(len);
    message
}
