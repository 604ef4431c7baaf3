//! A client's connection and a peer's that have become one (RFC 6062 §5).
//!
//! From neither side is more taken than the other has taken before: what is too much waits in the kernel, whose window
//! tells the sender. A side that ends is passed on as an end, and the other way stays open.

use std::io;
use std::time::Duration;

use peerline_turn::{ConnectionId, Direction, FiveTuple};

use crate::service::Io;
use crate::turn::peer::{Flow, Peer};
use crate::turn::plane::{TurnPlane, wall};
use crate::turn::stream::{Arrival, Stream, Then};

/// After so many the other sockets get their turn.
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
        if peer.pauses_until.is_some_and(|until| until > io.now) {
            return Ok(Look::Wait);
        }
        peer.pauses_until = None;
        let (up, then) = pass_up(io, stream, peer, sealed)?;
        let down = pass_down(io, stream, peer)?;
        let mut pause = Duration::ZERO;
        for (direction, counter, len) in
            [(Direction::Up, &io.counters.turn.relayed_up, up), (Direction::Down, &io.counters.turn.relayed_down, down)]
        {
            if len > 0 {
                machine.count_relayed(peer.allocation, direction, 1, len);
                counter.add(1);
                pause = machine.admit_stream(io.now, peer.allocation, len);
            }
        }
        if pause > Duration::ZERO {
            relays.peers.pause(index, io.now + pause);
            return Ok(Look::Wait);
        }
        Ok(match (peer.up, peer.down) {
            (Flow::Ended, Flow::Ended) => Look::Over,
            _ if up + down > 0 || then == Then::Again => Look::Again,
            _ => Look::Wait,
        })
    }

    /// As `read_stream`, for a connection that is joined with a peer's. `is_over`: its end has been read.
    pub(crate) fn pump_stream(&mut self, io: &mut Io<'_>, index: usize, is_over: bool) -> bool {
        let Self { streams, relays, .. } = self;
        let joined = streams.get_mut(index).and_then(|stream| stream.joined);
        let Some(place) = joined.and_then(|id| relays.peers.find(id)) else {
            self.disconnect(io, index);
            return false;
        };
        if let Some(peer) = relays.peers.get_mut(place).filter(|peer| is_over && peer.up == Flow::Open) {
            peer.up = Flow::Ending;
        }
        self.pump(io, place)
    }

    /// A peer's connection ends, and that of the client with it.
    pub(crate) fn part(&mut self, io: &mut Io<'_>, index: usize) {
        let Some(peer) = self.relays.peers.remove(io, index) else { return };
        self.machine.peer_gone(wall(io.now), peer.id);
        if let Some(client) = peer.client.and_then(|client| self.streams.find(&client)) {
            self.disconnect(io, client);
        }
    }
}

/// From the client to the peer: how many bytes, and whether there may be more.
fn pass_up(io: &mut Io<'_>, stream: &mut Stream, peer: &mut Peer, sealed: &mut Vec<u8>) -> io::Result<(u32, Then)> {
    if peer.up != Flow::Open || !peer.has_sent_all() {
        return Ok((0, Then::Wait));
    }
    let Arrival { at, then } = stream.receive(io.ring, sealed);
    peer.push(&io.ring.bytes()[at.start as usize..at.end as usize]);
    if then == Then::End {
        peer.up = Flow::Ending;
    }
    peer.flush()?;
    Ok((at.end - at.start, then))
}

/// From the peer to the client: how many bytes.
fn pass_down(io: &mut Io<'_>, stream: &mut Stream, peer: &mut Peer) -> io::Result<u32> {
    let mut len = 0;
    if peer.down == Flow::Open && stream.has_sent_all() {
        let at = peer.receive(io.ring)?;
        len = at.end - at.start;
        if !stream.push(&io.ring.bytes()[at.start as usize..at.end as usize], &[], 0) {
            return Err(io::ErrorKind::OutOfMemory.into()); // it has room for more than is read at once
        }
        stream.flush()?;
    }
    if peer.down == Flow::Ending && stream.has_sent_all() && stream.end()? {
        peer.down = Flow::Ended;
    }
    Ok(len)
}
