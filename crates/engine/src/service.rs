//! What lives on a shard: one or more sockets and the machine behind them. It is stepped, and never waits.

use std::any::Any;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use peerline_net::ReceiveRing;

use crate::counters::ShardCounters;
use crate::event::Event;
use crate::handle::Handle;
use crate::ports::Ports;

/// Which of its sockets a service is asked to look at: a number that the service gave it.
pub(crate) type SocketId = u32;

/// What the shard lends a service for one step.
pub(crate) struct Io<'a> {
    pub(crate) now: Instant,
    pub(crate) handle: Handle,
    /// Shared by all services of the shard. Empty when a turn begins; what is in it stays until the turn's end.
    pub(crate) ring: &'a mut ReceiveRing,
    pub(crate) counters: &'a Arc<ShardCounters>,
    pub(crate) events: &'a mut VecDeque<Event>,
    pub(crate) registry: &'a Registry,
    /// Those that services of this shard have in common.
    pub(crate) ports: &'a mut Ports,
}

impl Io<'_> {
    /// From now on `handle_ready` is called when this socket has something to read.
    pub(crate) fn register(&self, source: &mut impl Source, id: SocketId, interest: Interest) -> io::Result<()> {
        self.registry.register(source, token(self.handle, id), interest)
    }

    /// A socket is deregistered before it is closed, so that its number can be given to another.
    pub(crate) fn deregister(&self, source: &mut impl Source) {
        // It can only fail when it is not registered, which is what we want.
        let _ = self.registry.deregister(source);
    }
}

/// A turn is: `handle_ready` for some of its sockets, then `finish_turn`.
pub(crate) trait Service {
    /// Registers its sockets. An error fails the service.
    fn start(&mut self, io: &mut Io<'_>) -> io::Result<()>;
    /// Reads a fair share from this socket. True: there may be more. `is_ending`: its other side has closed, so what it
    /// has to read ends with that.
    fn handle_ready(&mut self, io: &mut Io<'_>, socket: SocketId, is_ending: bool) -> bool;
    /// The same for these arrivals in the ring, which came to a port in common and are this service's.
    fn handle_shared(&mut self, _: &mut Io<'_>, _local: SocketAddr, _arrivals: Range<usize>) {}
    /// Sends what the turn has collected, and clears the ring.
    fn finish_turn(&mut self, io: &mut Io<'_>);
    fn handle_timeout(&mut self, io: &mut Io<'_>);
    /// When `handle_timeout` wants to be called; asked after every turn and every timeout.
    fn poll_timeout(&self) -> Option<Instant>;
    /// What its owner asks of it; a type that both know.
    fn handle_command(&mut self, io: &mut Io<'_>, command: Box<dyn Any + Send>);
    /// Deregisters its sockets, but for those of [`Self::lingers`]; they are closed when it is dropped.
    fn stop(&mut self, io: &mut Io<'_>);
    /// Whether it has been stopped and still has something to settle with others, for which it is stepped a little longer.
    /// Its owner sees nothing of that.
    fn lingers(&self) -> bool {
        false
    }
}

/// Builds a service on the shard it will live on, so that a service need not be `Send`.
pub(crate) type Build = Box<dyn FnOnce(Instant, &Arc<ShardCounters>) -> Box<dyn Service> + Send>;

const SOCKET_BITS: u32 = 32;

fn token(handle: Handle, id: SocketId) -> Token {
    Token(handle.slot() << SOCKET_BITS | id as usize)
}

/// The slot of the service and its socket, of a token made by [`Io::register`].
pub(crate) fn of_token(token: Token) -> (usize, SocketId) {
    (token.0 >> SOCKET_BITS, token.0 as u32)
}
