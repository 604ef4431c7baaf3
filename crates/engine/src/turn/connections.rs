//! Clients that come over TCP and TLS: accepted, heard, answered, closed (RFC 8656 §2.1, §12.5).

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use peerline_turn::{FiveTuple, Transport};
use peerline_wire::frame::Frame;

use crate::service::Io;
use crate::tcp::has_waiting;
use crate::turn::certificate::Certificate;
use crate::turn::plane::{Sequel, TurnPlane, wall};
use crate::turn::relays::Hands;
use crate::turn::stream::Then;
use crate::turn::uplink::Sender;

/// After so many the other sockets get their turn.
const ACCEPTS: usize = 64;
/// When descriptors have run out, nobody can be taken for so long.
const PAUSE: Duration = Duration::from_secs(1);

/// A TCP socket that clients connect to.
#[derive(Debug)]
pub(crate) struct Acceptor {
    pub(crate) socket: TcpListener,
    pub(crate) transport: Transport,
}

impl TurnPlane {
    /// Takes those who wait. True: there may be more.
    pub(crate) fn accept(&mut self, io: &mut Io<'_>, acceptor: usize) -> bool {
        for _ in 0..ACCEPTS {
            let Acceptor { socket, transport } = &self.acceptors[acceptor];
            let transport = *transport;
            match socket.accept() {
                Ok((stream, client)) => self.welcome(io, transport, stream, client),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return false,
                    // One that was gone before it was taken.
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    // Without a descriptor for somebody the kernel does not say that nobody is there.
                    _ if !has_waiting(socket) => return false,
                    _ => {
                        // Out of descriptors: a stranger has one that it makes nothing of.
                        io.counters.turn.refused_connections.add(1);
                        let Some(oldest) = self.streams.oldest_stranger(io.now) else {
                            self.accept_again(io);
                            return false;
                        };
                        self.disconnect(io, oldest);
                    }
                },
            }
        }
        true
    }

    fn welcome(&mut self, io: &mut Io<'_>, transport: Transport, stream: TcpStream, client: SocketAddr) {
        let certificate = match transport {
            Transport::Tls => self.certificate.as_ref().map(|Certificate(config)| config.clone()),
            _ => None,
        };
        let Ok(server) = stream.local_addr() else { return };
        // A packet that waits for its acknowledgement comes too late.
        let _ = stream.set_nodelay(true);
        if self.streams.is_crowded() {
            match self.streams.oldest_stranger(io.now) {
                Some(oldest) => self.disconnect(io, oldest),
                None => {
                    io.counters.turn.refused_connections.add(1);
                    return;
                }
            }
        }
        let tuple = FiveTuple { transport, client, server };
        if self.streams.add(io, stream, tuple, certificate).is_err() {
            io.counters.turn.refused_connections.add(1);
        }
        self.count_connections(io);
    }

    /// Reads from a connection once, and sends what it still has to get. True: there may be more to read.
    pub(crate) fn read_stream(&mut self, io: &mut Io<'_>, index: usize, is_ending: bool) -> bool {
        if io.ring.room() == 0 {
            self.flush(io);
        }
        let Self { streams, sealed, .. } = self;
        let Some(stream) = streams.get_mut(index) else { return false };
        stream.is_ending |= is_ending;
        if stream.joined.is_some() {
            return self.pump_stream(io, index, false);
        }
        let arrival = stream.receive(io.ring, sealed);
        let tuple = stream.tuple;
        self.mark_dirty(index); // the handshake may have something to say, or the kernel room again
        let is_understood = self.handle_stream(io, index, tuple, arrival.at);
        if !is_understood {
            io.counters.turn.malformed.add(1);
        }
        if self.streams.get_mut(index).is_some_and(|stream| stream.joined.is_some()) {
            return self.pump_stream(io, index, arrival.then == Then::End);
        }
        if !is_understood || arrival.then == Then::End {
            self.disconnect(io, index);
            return false;
        }
        arrival.then == Then::Again
    }

    /// Whole messages of a client, and perhaps the beginning of another, which is kept.
    pub(crate) fn handle_stream(&mut self, io: &mut Io<'_>, index: usize, tuple: FiveTuple, at: Range<u32>) -> bool {
        let Range { mut start, end } = at;
        let mut sender = None;
        while start < end {
            let bytes = &io.ring.bytes()[start as usize..end as usize];
            match Frame::first(bytes) {
                Frame::ChannelData { len, used } => {
                    let from = sender.unwrap_or_else(|| Sender::of(self.machine.find(&tuple)));
                    sender = Some(self.relay_channel_data(io, from, start..start + len as u32));
                    start += used as u32;
                }
                Frame::Message { len } => {
                    let rest = start + len as u32..end;
                    match self.handle_stream_message(io, index, tuple, start..rest.start) {
                        Sequel::None => {}
                        Sequel::Join(id) => {
                            let rest = io.ring.bytes()[rest.start as usize..rest.end as usize].to_vec();
                            self.join(io, tuple, id, &rest);
                            return true;
                        }
                        Sequel::HandOver { shard } => {
                            let bytes = io.ring.bytes()[start as usize..end as usize].to_vec();
                            self.hand_over(io, index, shard, bytes);
                            return true;
                        }
                    }
                    sender = None; // it may have made or ended the allocation
                    start = rest.start;
                }
                Frame::Partial => {
                    let Some(stream) = self.streams.get_mut(index) else { return false };
                    stream.keep(bytes);
                    break;
                }
                Frame::Malformed => return false,
            }
        }
        true
    }

    fn handle_stream_message(&mut self, io: &mut Io<'_>, index: usize, tuple: FiveTuple, at: Range<u32>) -> Sequel {
        let sequel = self.handle_message(io, tuple, at);
        self.streams.has_spoken(index);
        self.recognise(io, tuple);
        sequel
    }

    /// A connection is a stranger's as long as it has no allocation.
    pub(crate) fn recognise(&mut self, io: &Io<'_>, tuple: FiveTuple) {
        if let Some(index) = self.streams.find(&tuple) {
            let is_joined = self.streams.get_mut(index).is_some_and(|stream| stream.joined.is_some());
            let is_stranger = !is_joined && self.machine.find(&tuple).is_none();
            self.streams.set_stranger(io.now, index, is_stranger);
        }
    }

    /// An answer for a client that is connected. Over TCP it would not ask again: whoever cannot be told is cut off.
    pub(crate) fn answer_stream(&mut self, io: &Io<'_>, index: usize, answer: &[u8]) {
        let Some(stream) = self.streams.get_mut(index) else { return };
        if !stream.push_answer(answer) {
            io.counters.turn.unread.add(1);
            stream.is_hopeless = true;
        }
        self.mark_dirty(index);
    }

    /// Data for a client that is connected.
    pub(crate) fn push_to_stream(&mut self, io: &Io<'_>, index: usize, head: &[u8], body: Range<u32>) {
        let body = &io.ring.bytes()[body.start as usize..body.end as usize];
        let zeros = (head.len() + body.len()).next_multiple_of(4) - head.len() - body.len();
        let Some(stream) = self.streams.get_mut(index) else { return };
        if stream.push(head, body, zeros) {
            self.mark_dirty(index);
        } else {
            io.counters.turn.unread.add(1);
        }
    }

    pub(crate) fn mark_dirty(&mut self, index: usize) {
        if let Some(stream) = self.streams.get_mut(index).filter(|stream| !stream.is_dirty) {
            stream.is_dirty = true;
            self.dirty.push(index);
        }
    }

    /// Sends what connections have to get, as far as the kernel takes it.
    pub(crate) fn flush_streams(&mut self, io: &mut Io<'_>) {
        while let Some(index) = self.dirty.pop() {
            let Some(stream) = self.streams.get_mut(index) else { continue };
            stream.is_dirty = false;
            if stream.is_hopeless || stream.flush().is_err() {
                self.disconnect(io, index);
            }
        }
    }

    /// Closes a connection; its allocation goes with it.
    pub(crate) fn disconnect(&mut self, io: &mut Io<'_>, index: usize) {
        let Some(mut stream) = self.streams.remove(io, index) else { return };
        // What it was told last, such as why; whether it arrives is its own affair.
        let _ = stream.flush();
        self.last_route = None;
        let peer = stream.joined.and_then(|id| self.relays.peers.find(id));
        if let Some(peer) = peer.and_then(|place| self.relays.peers.remove(io, place)) {
            self.machine.peer_gone(wall(io.now), peer.id);
        }
        let Self { machine, relays, .. } = self;
        machine.client_gone(stream.tuple, &mut Hands { relays, io });
        self.count_connections(io);
    }

    /// Whoever has made nothing of its connection in time goes.
    pub(crate) fn look_after_streams(&mut self, io: &mut Io<'_>) {
        while let Some(index) = self.streams.pop_due(io.now) {
            let Some(stream) = self.streams.get_mut(index) else { continue };
            match stream.joined.is_some() || self.machine.find(&stream.tuple).is_some() {
                true => self.streams.stay(io.now, index),
                false => self.disconnect(io, index),
            }
        }
        if self.accepts_again_at.take_if(|at| *at <= io.now).is_some() {
            let mut is_more = false;
            for acceptor in 0..self.acceptors.len() {
                is_more |= self.accept(io, acceptor);
            }
            for relay in self.relays.acceptors().collect::<Vec<_>>() {
                is_more |= self.accept_peers(io, relay);
            }
            if is_more {
                // The poll has told of those who wait, and will not tell again.
                self.accepts_again_at = Some(io.now);
            }
        }
    }

    /// Descriptors have run out.
    pub(crate) fn accept_again(&mut self, io: &Io<'_>) {
        self.accepts_again_at = Some(io.now + PAUSE);
    }

    /// When [`Self::look_after_streams`] wants to be called.
    pub(crate) fn poll_streams_timeout(&self) -> Option<Instant> {
        [self.streams.poll_timeout(), self.accepts_again_at].into_iter().flatten().min()
    }

    pub(crate) fn count_connections(&self, io: &Io<'_>) {
        io.counters.turn.connections.set(self.streams.len() as u64);
    }
}
