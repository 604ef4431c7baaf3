//! Peers that come and go over TCP, and two connections that have become one (RFC 6062 §5).
//!
//! From neither side is more taken than the other has taken before: what is too much waits in the kernel, whose window
//! tells the sender. A side that ends is passed on as an end, and the other way stays open.

use std::io;
use std::time::Duration;

use peerline_turn::{ConnectionId, Direction, FiveTuple, RelayId};

use crate::service::Io;
use crate::turn::peer::{Flow, Peer};
use crate::turn::plane::{TurnPlane, wall};
use crate::turn::relays::Hands;
use crate::turn::stream::Then;

/// After so many the other sockets get their turn.
const ACCEPTS: usize = 16;
const READS: usize = 8;

/// What became of one look at two joined connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Something has moved, and more may.
    Again,
    Wait,
    /// Both ways have ended.
    Over,
}

impl TurnPlane {
    /// Takes the peers that wait at a relay. True: there may be more.
    pub(crate) fn accept_peers(&mut self, io: &mut Io<'_>, relay: RelayId) -> bool {
        for _ in 0..ACCEPTS {
            let Some(socket) = self.relays.get(relay) else { return false };
            let allocation = socket.allocation;
            let Some(accepted) = socket.acceptor.as_ref().map(|acceptor| acceptor.accept()) else { return false };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return false,
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => continue,
                    _ => {
                        self.accept_again(io);
                        return false;
                    }
                },
            };
            let Self { machine, relays, .. } = self;
            let mut hands = Hands { relays, io };
            match machine.peer_came(wall(io.now), allocation, relay, address, &mut hands) {
                Some(id) => {
                    if self.relays.peers.add(io, Peer::new(stream, id, allocation, true)).is_err() {
                        self.machine.peer_gone(wall(io.now), id);
                    }
                }
                None => io.counters.turn.no_permission.add(1),
            }
        }
        true
    }

    /// Something has happened to a peer's connection. True: there may be more.
    pub(crate) fn handle_peer(&mut self, io: &mut Io<'_>, index: usize) -> bool {
        let Some(peer) = self.relays.peers.get_mut(index) else { return false };
        if peer.is_connected {
            return peer.client.is_some() && self.pump(io, index);
        }
        match peer.has_connected() {
            Ok(true) => {
                peer.is_connected = true;
                self.machine.peer_connected(wall(io.now), peer.id);
            }
            Ok(false) => {}
            Err(_) => self.part(io, index),
        }
        false
    }

    /// From now on a client's connection and a peer's are one; `rest` has come behind the request.
    pub(crate) fn join(&mut self, io: &mut Io<'_>, client: FiveTuple, id: ConnectionId, rest: &[u8]) {
        let Self { streams, relays, .. } = self;
        let peer = relays.peers.find(id).and_then(|index| relays.peers.get_mut(index));
        let stream = streams.find(&client);
        if let (Some(peer), Some(index)) = (peer, stream) {
            peer.client = Some(client);
            peer.push(rest);
            streams.set_stranger(io.now, index, false);
            if let Some(stream) = streams.get_mut(index) {
                stream.joined = Some(id);
            }
        }
    }

    /// Passes on what has come from either side. True: there may be more.
    pub(crate) fn pump(&mut self, io: &mut Io<'_>, index: usize) -> bool {
        for _ in 0..READS {
            match self.look(io, index) {
                Ok(Look::Again) => {}
                Ok(Look::Wait) => return false,
                Ok(Look::Over) | Err(_) => {
                    self.part(io, index);
                    return false;
                }
            }
        }
        true
    }

    fn look(&mut self, io: &mut Io<'_>, index: usize) -> io::Result<Look> {
        if io.ring.room() < 2 {
            self.flush(io);
        }
        let Self { streams, relays, machine, sealed, .. } = self;
        let Some(peer) = relays.peers.get_mut(index) else { return Ok(Look::Wait) };
        let found = peer.client.and_then(|client| streams.find(&client));
        let Some(stream) = found.and_then(|found| streams.get_mut(found)) else { return Ok(Look::Wait) };
        stream.flush()?;
        peer.flush()?;
        if peer.pauses_until.take_if(|until| *until <= io.now).is_some() || peer.pauses_until.is_none() {
            let mut pause = Duration::ZERO;
            let mut look = Look::Wait;
            if peer.up == Flow::Open && peer.has_sent_all() {
                let arrival = stream.receive(io.ring, sealed);
                let bytes = &io.ring.bytes()[arrival.at.start as usize..arrival.at.end as usize];
                peer.push(bytes);
                if !bytes.is_empty() {
                    pause = machine.admit_stream(io.now, peer.allocation, bytes.len() as u32);
                    machine.count_relayed(peer.allocation, Direction::Up, 1, bytes.len() as u32);
                    io.counters.turn.relayed_up.add(1);
                    look = Look::Again;
                }
                match arrival.then {
                    Then::End => peer.up = Flow::Ending,
                    Then::Again => look = Look::Again,
                    Then::Wait => {}
                }
                peer.flush()?;
            }
            if peer.down == Flow::Open && stream.has_sent_all() {
                let at = peer.receive(io.ring)?;
                let bytes = &io.ring.bytes()[at.start as usize..at.end as usize];
                if !bytes.is_empty() {
                    pause = machine.admit_stream(io.now, peer.allocation, bytes.len() as u32);
                    machine.count_relayed(peer.allocation, Direction::Down, 1, bytes.len() as u32);
                    io.counters.turn.relayed_down.add(1);
                    look = Look::Again;
                    if !stream.push(bytes, &[], 0) {
                        return Err(io::ErrorKind::OutOfMemory.into());
                    }
                }
                stream.flush()?;
            }
            if peer.down == Flow::Ending && stream.has_sent_all() && stream.end()? {
                peer.down = Flow::Ended;
            }
            if pause > Duration::ZERO {
                relays.peers.pause(index, io.now + pause);
                return Ok(Look::Wait);
            }
            if (peer.up, peer.down) == (Flow::Ended, Flow::Ended) {
                return Ok(Look::Over);
            }
            return Ok(look);
        }
        Ok(Look::Wait)
    }

    /// A peer's connection ends, and that of the client with it.
    pub(crate) fn part(&mut self, io: &mut Io<'_>, index: usize) {
        let Some(peer) = self.relays.peers.remove(io, index) else { return };
        self.machine.peer_gone(wall(io.now), peer.id);
        if let Some(client) = peer.client.and_then(|client| self.streams.find(&client)) {
            self.disconnect(io, client);
        }
    }

    /// Those that have paused long enough go on.
    pub(crate) fn look_after_peers(&mut self, io: &mut Io<'_>) {
        while let Some(index) = self.relays.peers.pop_rested(io.now) {
            if self.pump(io, index) {
                // The others first; it is asked for again at once.
                self.relays.peers.pause(index, io.now + Duration::from_millis(1));
            }
        }
    }

    /// What the machine has done to connections with peers, and what it has to say about them.
    pub(crate) fn follow_machine(&mut self, io: &mut Io<'_>) {
        while let Some(client) = self.relays.peers.widowed.pop() {
            if let Some(index) = self.streams.find(&client) {
                self.disconnect(io, index);
            }
        }
        while let Some((client, message)) = self.machine.poll_message() {
            if let Some(index) = self.streams.find(&client) {
                self.push_to_stream(io, index, &message, 0..0);
            }
        }
    }
}

impl Hands<'_, '_> {
    /// As `Host::close_connection`; the client's connection is closed when the turn ends.
    pub(crate) fn close_peer(&mut self, id: ConnectionId) {
        let Some(index) = self.relays.peers.find(id) else { return };
        if let Some(client) = self.relays.peers.remove(self.io, index).and_then(|peer| peer.client) {
            self.relays.peers.widowed.push(client);
        }
    }
}
