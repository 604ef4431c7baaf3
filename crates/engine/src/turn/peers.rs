//! The TCP connections with peers of one shard, by place and by number (RFC 6062 §5.2, §5.3).

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::time::Instant;

use foldhash::fast::RandomState;
use mio::Interest;
use peerline_turn::{ConnectionId, FiveTuple};

use crate::service::Io;
use crate::turn::peer::Peer;
use crate::turn::socket_name::SocketName;

#[derive(Debug, Default)]
pub(crate) struct Peers {
    slots: Vec<Option<Box<Peer>>>,
    free: Vec<usize>,
    by_id: HashMap<ConnectionId, usize, RandomState>,
    /// Those that pause, by until when. One that stands here by mistake is looked at once too often.
    paused: BTreeSet<(Instant, usize)>,
    /// Clients' connections whose peers the machine has closed.
    pub(crate) widowed: Vec<FiveTuple>,
}

impl Peers {
    pub(crate) fn add(&mut self, io: &Io<'_>, mut peer: Peer) -> io::Result<()> {
        let index = self.free.pop().unwrap_or(self.slots.len());
        let name = SocketName::Peer(index).id();
        if let Err(error) = io.register(&mut peer.socket, name, Interest::READABLE | Interest::WRITABLE) {
            self.free.push(index);
            return Err(error);
        }
        self.by_id.insert(peer.id, index);
        let peer = Some(Box::new(peer));
        match self.slots.get_mut(index) {
            Some(slot) => *slot = peer,
            None => self.slots.push(peer),
        }
        Ok(())
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut Peer> {
        self.slots.get_mut(index)?.as_deref_mut()
    }

    pub(crate) fn find(&self, id: ConnectionId) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    /// Forgets a connection; it is closed when what is given back is dropped.
    pub(crate) fn remove(&mut self, io: &Io<'_>, index: usize) -> Option<Box<Peer>> {
        let mut peer = self.slots.get_mut(index)?.take()?;
        io.deregister(&mut peer.socket);
        self.by_id.remove(&peer.id);
        self.free.push(index);
        Some(peer)
    }

    /// Nothing is read from it or for it until then.
    pub(crate) fn pause(&mut self, index: usize, until: Instant) {
        if let Some(peer) = self.get_mut(index) {
            peer.pauses_until = Some(until);
            self.paused.insert((until, index));
        }
    }

    /// One that has paused long enough.
    pub(crate) fn pop_rested(&mut self, now: Instant) -> Option<usize> {
        let first = *self.paused.first().filter(|(until, _)| *until <= now)?;
        self.paused.remove(&first);
        Some(first.1)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.paused.first().map(|(until, _)| *until)
    }

    pub(crate) fn stop(&mut self, io: &Io<'_>) {
        for index in 0..self.slots.len() {
            drop(self.remove(io, index));
        }
    }
}
