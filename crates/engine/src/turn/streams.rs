//! The connections of one shard: accepted, found, and closed when nobody has made anything of them in time.
//!
//! Whoever has an allocation may stay. Whoever has none is a stranger: there is room for so many of them, from so many
//! places, for so long, and the oldest goes when a new one comes.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use mio::Interest;
use mio::net::TcpStream;
use peerline_turn::{FiveTuple, RateLimit, RateLimiter};
use rustls::ServerConfig;

use crate::service::Io;
use crate::turn::socket_name::SocketName;
use crate::turn::stream::Stream;
use crate::turn::tls::Tls;

/// Time for the first message, the TLS handshake included.
const GREETING_TIME: Duration = Duration::from_secs(10);
/// Time for an allocation, at the beginning and after the last one is gone.
const STRANGER_TIME: Duration = Duration::from_secs(60);
const MAX_STRANGERS: usize = 4_096;
const MAX_STRANGERS_OF_A_SOURCE: u32 = 1_024;
/// One that comes must not make us look through ten thousand that are there.
const LOOKED_AT: usize = 64;
/// A handshake costs a signature: so many does one source get.
const HANDSHAKES: RateLimit = RateLimit { per_second: 200, burst: 1_000 };

#[derive(Debug)]
pub(crate) struct Streams {
    slots: Vec<Slot>,
    free: Vec<usize>,
    by_tuple: HashMap<FiveTuple, usize, RandomState>,
    handshakes: RateLimiter,
    /// When connections are looked at again: those who have yet to say something, and the others. A time that is not
    /// that of its slot is an old one.
    newcomers: VecDeque<(Instant, usize)>,
    residents: VecDeque<(Instant, usize)>,
    of_source: HashMap<IpAddr, u32, RandomState>,
    stranger_count: usize,
}

#[derive(Debug)]
struct Slot {
    stream: Option<Box<Stream>>,
    is_stranger: bool,
    has_spoken: bool,
    due: Instant,
}

/// Why a connection was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unwelcome;

impl Streams {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_tuple: HashMap::default(),
            handshakes: RateLimiter::new(HANDSHAKES, now),
            newcomers: VecDeque::new(),
            residents: VecDeque::new(),
            of_source: HashMap::default(),
            stranger_count: 0,
        }
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut Stream> {
        self.slots.get_mut(index)?.stream.as_deref_mut()
    }

    /// The connection of this client.
    pub(crate) fn find(&self, tuple: &FiveTuple) -> Option<usize> {
        self.by_tuple.get(tuple).copied()
    }

    /// Takes a new connection.
    pub(crate) fn add(
        &mut self,
        io: &Io<'_>,
        socket: TcpStream,
        tuple: FiveTuple,
        tls: Option<Arc<ServerConfig>>,
    ) -> Result<(), Unwelcome> {
        if !self.has_room_for(&tuple) || tls.is_some() && !self.handshakes.allow(io.now, tuple.client.ip()) {
            return Err(Unwelcome);
        }
        let tls = tls.map(Tls::new).transpose().map_err(|_| Unwelcome)?.map(Box::new);
        self.adopt(io, Box::new(Stream::new(socket, tuple, tls))).map(drop)
    }

    fn has_room_for(&self, tuple: &FiveTuple) -> bool {
        let of_source = self.of_source.get(&source_of(tuple)).copied().unwrap_or(0);
        of_source < MAX_STRANGERS_OF_A_SOURCE && !self.by_tuple.contains_key(tuple)
    }

    /// Takes a connection that may have said something already, and gives its number.
    pub(crate) fn adopt(&mut self, io: &Io<'_>, mut stream: Box<Stream>) -> Result<usize, Unwelcome> {
        let tuple = stream.tuple;
        if !self.has_room_for(&tuple) {
            return Err(Unwelcome);
        }
        let source = source_of(&tuple);
        let index = self.free.pop().unwrap_or(self.slots.len());
        let name = SocketName::Stream(index).id();
        if io.register(&mut stream.socket, name, Interest::READABLE | Interest::WRITABLE).is_err() {
            self.free.push(index);
            return Err(Unwelcome);
        }
        let due = io.now + GREETING_TIME;
        let slot = Slot { stream: Some(stream), is_stranger: true, has_spoken: false, due };
        match self.slots.get_mut(index) {
            Some(free) => *free = slot,
            None => self.slots.push(slot),
        }
        self.by_tuple.insert(tuple, index);
        self.newcomers.push_back((due, index));
        self.count_stranger(source);
        Ok(index)
    }

    /// Whether a stranger has to go so that another can come.
    pub(crate) fn is_crowded(&self) -> bool {
        self.stranger_count >= MAX_STRANGERS
    }

    /// The stranger that has been here longest, as far as that can be found quickly.
    pub(crate) fn oldest_stranger(&mut self, now: Instant) -> Option<usize> {
        while let Some(&(due, index)) = self.newcomers.front() {
            if self.is_due(due, index) && !self.slots[index].has_spoken {
                return Some(index);
            }
            self.newcomers.pop_front();
            if self.is_due(due, index) {
                self.stay(now, index);
            }
        }
        for _ in 0..LOOKED_AT {
            let &(due, index) = self.residents.front()?;
            if self.is_due(due, index) && self.slots[index].is_stranger {
                return Some(index);
            }
            self.residents.pop_front();
            if self.is_due(due, index) {
                self.stay(now, index);
            }
        }
        None
    }

    /// It has sent a whole message.
    pub(crate) fn has_spoken(&mut self, index: usize) {
        if let Some(slot) = self.slots.get_mut(index) {
            slot.has_spoken = true;
        }
    }

    /// It has an allocation now, or has none any more.
    pub(crate) fn set_stranger(&mut self, now: Instant, index: usize, is_stranger: bool) {
        let Some(slot) = self.slots.get_mut(index).filter(|slot| slot.is_stranger != is_stranger) else { return };
        let Some(stream) = &slot.stream else { return };
        slot.is_stranger = is_stranger;
        let source = source_of(&stream.tuple);
        if is_stranger {
            self.count_stranger(source);
            self.stay(now, index);
        } else {
            self.discount_stranger(source);
        }
    }

    /// It may stay, for now.
    pub(crate) fn stay(&mut self, now: Instant, index: usize) {
        if let Some(slot) = self.slots.get_mut(index) {
            slot.due = now + STRANGER_TIME;
            self.residents.push_back((slot.due, index));
        }
    }

    /// Forgets a connection; it is closed when what is given back is dropped.
    pub(crate) fn remove(&mut self, io: &Io<'_>, index: usize) -> Option<Box<Stream>> {
        let slot = self.slots.get_mut(index)?;
        let mut stream = slot.stream.take()?;
        let was_stranger = slot.is_stranger;
        io.deregister(&mut stream.socket);
        self.by_tuple.remove(&stream.tuple);
        self.free.push(index);
        if was_stranger {
            self.discount_stranger(source_of(&stream.tuple));
        }
        Some(stream)
    }

    /// Who has to show by now what it has made of its connection: an allocation, or it goes.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<usize> {
        self.handshakes.sweep(now);
        while let Some((due, index)) = pop_due(&mut self.newcomers, now) {
            if !self.is_due(due, index) {
                continue;
            }
            if !self.slots[index].has_spoken {
                return Some(index);
            }
            self.stay(now, index);
        }
        while let Some((due, index)) = pop_due(&mut self.residents, now) {
            if self.is_due(due, index) {
                return Some(index);
            }
        }
        None
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let fronts = [&self.newcomers, &self.residents].into_iter().filter_map(|queue| queue.front());
        fronts.map(|(due, _)| *due).chain(self.handshakes.poll_timeout()).min()
    }

    /// The numbers of all connections there are.
    pub(crate) fn indexes(&self) -> impl Iterator<Item = usize> + use<> {
        (0..self.slots.len()).filter(|index| self.slots[*index].stream.is_some()).collect::<Vec<_>>().into_iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_tuple.len()
    }

    fn is_due(&self, due: Instant, index: usize) -> bool {
        self.slots[index].stream.is_some() && self.slots[index].due == due
    }

    fn count_stranger(&mut self, source: IpAddr) {
        self.stranger_count += 1;
        *self.of_source.entry(source).or_default() += 1;
    }

    fn discount_stranger(&mut self, source: IpAddr) {
        self.stranger_count -= 1;
        if let Some(count) = self.of_source.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.of_source.remove(&source);
            }
        }
    }
}

fn pop_due(queue: &mut VecDeque<(Instant, usize)>, now: Instant) -> Option<(Instant, usize)> {
    queue.front().is_some_and(|(due, _)| *due <= now).then(|| queue.pop_front()).flatten()
}

/// An IPv6 host has a whole /64.
fn source_of(tuple: &FiveTuple) -> IpAddr {
    match tuple.client.ip() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        ip => ip,
    }
}
