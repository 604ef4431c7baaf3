//! The TURN server on one shard: its listeners, its relays, and the machine that decides (RFC 8656).
//!
//! The two hot paths stand in `uplink` (client to peer) and `downlink` (peer to client), what clients say over TCP and
//! TLS comes in through `connections`; this file is what surrounds them.

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mio::Interest;
use mio::net::UdpSocket;
use peerline_net::SendBatch;
use peerline_turn::{
    AllocationId, ConnectionId, FiveTuple, NonceKeys, Now, Outcome, RelayId, Server, Settings, Shared,
};

use crate::event::Event;
use crate::service::{Io, Service, SocketId};
use crate::stun::count_failure;
use crate::turn::certificate::Certificate;
use crate::turn::command::TurnCommand;
use crate::turn::connections::Acceptor;
use crate::turn::doors::Doors;
use crate::turn::relays::{Hands, Relays};
use crate::turn::routes::Route;
use crate::turn::siblings::Place;
use crate::turn::socket_name::SocketName;
use crate::turn::streams::Streams;
use crate::turn::uplink::Uplink;

/// After so many arrivals the other sockets get their turn.
const LISTENER_ARRIVALS: usize = 256;
/// The same for a relay; one flow must not starve the others.
const RELAY_ARRIVALS: usize = 16;
/// News of allocations wait for each other so long: each wake of the owner costs as much as an allocation.
const NEWS_WAIT: Duration = Duration::from_millis(100);

pub(crate) struct TurnPlane {
    pub(crate) listeners: Vec<Listener>,
    pub(crate) acceptors: Vec<Acceptor>,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) streams: Streams,
    /// The connections that have something to send.
    pub(crate) dirty: Vec<usize>,
    /// Room for the TLS records of one read.
    pub(crate) sealed: Vec<u8>,
    /// When to look whether there are descriptors again.
    pub(crate) accepts_again_at: Option<Instant>,
    pub(crate) relays: Relays,
    pub(crate) machine: Server,
    pub(crate) uplink: Uplink,
    /// Of the allocation whose packet came down last: traffic comes in trains.
    pub(crate) last_route: Option<(AllocationId, Route)>,
    pub(crate) place: Place,
    pub(crate) reply: Vec<u8>,
    /// What the owner will be told of, and when.
    news: Vec<Event>,
    news_due: Option<Instant>,
}

/// A UDP socket that clients talk to, and what is on its way to them.
pub(crate) struct Listener {
    pub(crate) socket: UdpSocket,
    pub(crate) address: SocketAddr,
    pub(crate) outgoing: SendBatch,
}

/// What becomes of the connection that a message came on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sequel {
    None,
    /// It is joined with this one of a peer.
    Join(ConnectionId),
    /// It goes to another shard, with the message.
    HandOver {
        shard: u32,
    },
}

impl TurnPlane {
    pub(crate) fn new(
        doors: Doors,
        relays: Relays,
        settings: Arc<Settings>,
        keys: NonceKeys,
        shared: Shared,
        place: Place,
        now: Instant,
    ) -> Self {
        let mut machine = Server::new(settings, keys, wall(now));
        machine.share(shared);
        machine.share_connections(place.shard, place.shards);
        let listener = |socket: UdpSocket| {
            let address = socket.local_addr().expect("a bound socket has an address");
            Listener { socket, address, outgoing: SendBatch::default() }
        };
        let Doors { listeners, acceptors, certificate } = doors;
        Self {
            listeners: listeners.into_iter().map(listener).collect(),
            acceptors,
            certificate,
            streams: Streams::new(now),
            dirty: Vec::new(),
            sealed: Vec::new(),
            accepts_again_at: None,
            relays,
            machine,
            uplink: Uplink::default(),
            last_route: None,
            place,
            reply: Vec::new(),
            news: Vec::new(),
            news_due: None,
        }
    }

    /// Sends the datagrams collected and clears the ring they lie in.
    pub(crate) fn flush(&mut self, io: &mut Io<'_>) {
        self.uplink.flush(&self.relays, &mut self.machine, io);
        for listener in &mut self.listeners {
            let sent = listener.outgoing.flush(&listener.socket, io.ring.bytes());
            io.counters.send_failed.add(sent.failed);
        }
        io.ring.clear();
    }

    /// A STUN message from a client, at this place in the ring.
    pub(crate) fn handle_message(&mut self, io: &mut Io<'_>, tuple: FiveTuple, at: Range<u32>) -> Sequel {
        let message = &io.ring.bytes()[at.start as usize..at.end as usize];
        let Self { machine, relays, reply, .. } = self;
        reply.clear();
        let now = wall(io.now);
        // What an attacker can write ends here: a bug in reading it costs this message, not the relay of everybody.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            machine.handle_message(now, tuple, message, &mut Hands { relays, io }, reply)
        }));
        self.last_route = None;
        match outcome {
            Ok(Outcome::Silence) => {}
            Ok(Outcome::Reply) => self.send_reply(io, tuple),
            Ok(Outcome::ReplyFrom(server)) => self.send_reply(io, FiveTuple { server, ..tuple }),
            Ok(Outcome::Forward { allocation, relay, peer, data, dont_fragment }) => {
                let data = at.start + data.start as u32..at.start + data.end as u32;
                let push = if dont_fragment { Uplink::push_whole } else { Uplink::push };
                push(&mut self.uplink, &self.relays, &mut self.machine, io, allocation, relay, peer, data);
            }
            Ok(Outcome::Ask(question)) => io.events.push_back(Event::TurnAsked { handle: io.handle, question }),
            Ok(Outcome::Join(id)) => {
                self.send_reply(io, tuple);
                return Sequel::Join(id);
            }
            Ok(Outcome::HandOver { shard }) => return Sequel::HandOver { shard },
            Err(_) => io.counters.turn.panics.add(1),
        }
        Sequel::None
    }

    fn publish(&mut self, io: &mut Io<'_>) {
        io.counters.turn.take_over(self.machine.counters());
        while let Some(event) = self.machine.poll_event() {
            self.news.push(Event::Turn { handle: io.handle, event });
            self.news_due.get_or_insert(io.now + NEWS_WAIT);
        }
        if self.news_due.take_if(|due| *due <= io.now).is_some() {
            io.events.extend(self.news.drain(..));
        }
    }

    /// Reads from a listener until it is empty or has had its share.
    fn read_listener(&mut self, io: &mut Io<'_>, listener: usize) -> bool {
        self.flush(io); // what lies in the ring is the downlink of this turn
        let mut arrivals = 0;
        while arrivals < LISTENER_ARRIVALS {
            let room = io.ring.room();
            match io.ring.receive(&self.listeners[listener].socket, room) {
                Ok(count) => {
                    arrivals += count;
                    self.handle_uplink(io, listener);
                    self.flush(io);
                    if count < room {
                        return false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    count_failure(&error, io.counters);
                    return false;
                }
            }
        }
        true
    }

    fn read_relay(&mut self, io: &mut Io<'_>, relay: RelayId) -> bool {
        if io.ring.room() < RELAY_ARRIVALS {
            self.flush(io);
        }
        let first = io.ring.received().len();
        let Some(socket) = self.relays.get(relay) else { return false };
        let allocation = socket.allocation;
        match io.ring.receive(&socket.socket, RELAY_ARRIVALS) {
            Ok(count) => {
                self.handle_downlink(io, relay, allocation, first);
                count == RELAY_ARRIVALS
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => true,
            // A peer that is gone says so by ICMP, which is an error of the socket's next call; the one after works.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => true,
            Err(error) => {
                count_failure(&error, io.counters);
                false
            }
        }
    }
}

impl Service for TurnPlane {
    fn start(&mut self, io: &mut Io<'_>) -> io::Result<()> {
        for (id, listener) in self.listeners.iter_mut().enumerate() {
            io.register(&mut listener.socket, SocketName::Listener(id).id(), Interest::READABLE)?;
        }
        for (id, acceptor) in self.acceptors.iter_mut().enumerate() {
            io.register(&mut acceptor.socket, SocketName::Acceptor(id).id(), Interest::READABLE)?;
        }
        Ok(())
    }

    fn handle_ready(&mut self, io: &mut Io<'_>, socket: SocketId, is_ending: bool) -> bool {
        match SocketName::of(socket) {
            Some(SocketName::Relay(relay)) => self.read_relay(io, relay),
            Some(SocketName::Listener(listener)) => self.read_listener(io, listener),
            Some(SocketName::Stream(stream)) => self.read_stream(io, stream, is_ending),
            Some(SocketName::Acceptor(acceptor)) => self.accept(io, acceptor),
            Some(SocketName::RelayAcceptor(relay)) => self.accept_peers(io, relay),
            Some(SocketName::Peer(peer)) => self.handle_peer(io, peer),
            None => false,
        }
    }

    fn finish_turn(&mut self, io: &mut Io<'_>) {
        self.follow_machine(io);
        self.flush_streams(io);
        self.flush(io);
        self.publish(io);
    }

    fn handle_timeout(&mut self, io: &mut Io<'_>) {
        self.last_route = None;
        self.machine.handle_timeout(wall(io.now), &mut Hands { relays: &mut self.relays, io });
        self.look_after_streams(io);
        self.look_after_peers(io);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let of_peers = self.relays.peers.poll_timeout();
        let all = [self.machine.poll_timeout(), self.poll_streams_timeout(), of_peers, self.news_due];
        all.into_iter().flatten().min()
    }

    fn handle_command(&mut self, io: &mut Io<'_>, command: Box<dyn Any + Send>) {
        let Ok(command) = command.downcast::<TurnCommand>() else { return };
        self.last_route = None;
        self.news_due = Some(io.now); // whoever asks for something wants to see it done
        match *command {
            TurnCommand::Reload(settings) => self.machine.reload(settings),
            TurnCommand::Recertify(certificate) => self.certificate = Some(certificate),
            TurnCommand::Drain => self.machine.drain(),
            TurnCommand::Kick(id) => {
                self.machine.kick(id, &mut Hands { relays: &mut self.relays, io });
            }
            TurnCommand::Decide(question, verdict) => {
                let Self { machine, relays, reply, .. } = self;
                reply.clear();
                let to = machine.decide(wall(io.now), question, verdict, &mut Hands { relays, io }, reply);
                if let Some(tuple) = to {
                    self.send_reply(io, tuple);
                    self.recognise(io, tuple);
                }
            }
            TurnCommand::TakeOver { stream, bytes } => self.take_over(io, stream, &bytes),
            TurnCommand::List { token } => {
                let allocations = self.machine.allocations().collect();
                io.events.push_back(Event::TurnListed { handle: io.handle, token, allocations });
            }
        }
    }

    fn stop(&mut self, io: &mut Io<'_>) {
        for listener in &mut self.listeners {
            io.deregister(&mut listener.socket);
        }
        for acceptor in &mut self.acceptors {
            io.deregister(&mut acceptor.socket);
        }
        for index in self.streams.indexes() {
            drop(self.streams.remove(io, index));
        }
        self.relays.stop(io);
    }
}

/// The machine counts lifetimes by the one clock and expiry of credentials by the other.
pub(crate) fn wall(instant: Instant) -> Now {
    let unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Now { instant, unix_s }
}
