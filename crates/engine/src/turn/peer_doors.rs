//! Peers over TCP: those that come to a relay, those that are connected to, and what the machine makes of them
//! (RFC 6062 §5.2, §5.3).

use std::io;
use std::time::Duration;

use peerline_turn::{ConnectionId, RelayId};

use crate::service::Io;
use crate::tcp::has_waiting;
use crate::turn::peer::Peer;
use crate::turn::plane::{TurnPlane, wall};
use crate::turn::relays::Hands;

/// After so many the other sockets get their turn.
const ACCEPTS: usize = 16;

impl TurnPlane {
    /// Takes the peers that wait at a relay. True: there may be more.
    pub(crate) fn accept_peers(&mut self, io: &mut Io<'_>, relay: RelayId) -> bool {
        for _ in 0..ACCEPTS {
            let Some(socket) = self.relays.get(relay) else { return false };
            let allocation = socket.allocation;
            let Some(acceptor) = &socket.acceptor else { return false };
            let (stream, address) = match acceptor.accept() {
                Ok(accepted) => accepted,
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return false,
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => continue,
                    // Out of descriptors; then the kernel does not say that nobody is there.
                    _ => {
                        if has_waiting(acceptor) {
                            self.accept_again(io);
                        }
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
                self.answer_stream(io, index, &message);
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
