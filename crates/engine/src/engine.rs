//! The engine as its owner sees it: make it, give commands, drain events, close it.

use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use mio::{Poll, Waker};
use peerline_turn::{AllocationId, NonceKeys, QuestionId, RateLimit, Settings, Shared, Transport, Verdict};

use crate::command::{Command, Mailbox};
use crate::counters::{ShardCounters, ShardSnapshot};
use crate::error::EngineError;
use crate::event::Event;
use crate::event_queue::EventQueue;
use crate::handle::{Handle, MAX_SHARDS};
use crate::peer::{PeerCommand, PeerService, PeerSettings};
use crate::service::Build;
use crate::shard::{COMMANDS, Shard, reason_of};
use crate::slots::SlotAllocator;
use crate::stun::StunService;
use crate::turn::command::TurnCommand;
use crate::turn::doors;
use crate::turn::plane::TurnPlane;
use crate::turn::relays::{Relays, SharedPorts};
use crate::turn::siblings::{Place, Siblings};
use crate::turn::{Certificate, TurnConfig};
use crate::udp::bind;

#[derive(Debug, Clone, Copy, Default)]
pub struct EngineConfig {
    /// `None`: one for each core but one, at least one and at most four.
    pub shards: Option<usize>,
}

/// A running STUN listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StunListener {
    pub handle: Handle,
    /// Where it listens; the port is the real one even if 0 was asked for.
    pub address: SocketAddr,
}

/// Where clients come to, and over what.
pub type ListenAddress = (Transport, SocketAddr);

/// A running TURN server: one service on each shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnListener {
    pub handles: Vec<Handle>,
    /// Where it listens, in the order asked for; the ports are the real ones.
    pub addresses: Vec<ListenAddress>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineStats {
    pub shards: usize,
    pub events_published: u64,
    /// How often the reader had to be woken for them.
    pub wakes: u64,
    pub totals: ShardSnapshot,
}

/// Shard threads and the way to talk to them. Every method may be called from any thread, and none of them waits,
/// except [`Engine::close`] for the threads to end.
#[derive(Debug)]
pub struct Engine {
    shards: Vec<ShardPort>,
    events: Arc<EventQueue>,
    next_shard: AtomicUsize,
    is_closed: AtomicBool,
    /// The process whose threads these are.
    pid: u32,
}

#[derive(Debug)]
struct ShardPort {
    mailbox: Mailbox,
    allocator: Arc<Mutex<SlotAllocator>>,
    counters: Arc<ShardCounters>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Engine {
    pub fn new(config: EngineConfig) -> Result<Self, EngineError> {
        let count = config.shards.unwrap_or_else(default_shards);
        if !(1..=MAX_SHARDS).contains(&count) {
            return Err(EngineError::Invalid("shards must be between 1 and 4096"));
        }
        let mut engine = Self {
            shards: Vec::with_capacity(count),
            events: Arc::new(EventQueue::new()?),
            next_shard: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            pid: process::id(),
        };
        for index in 0..count {
            // If one cannot start, dropping the engine stops those that have.
            let port = ShardPort::start(index, &engine.events)?;
            engine.shards.push(port);
        }
        Ok(engine)
    }

    /// Answers STUN Binding requests on this address. Port 0 takes a free one. `None` as the limit answers without one.
    pub fn stun_listen(&self, address: SocketAddr, limit: Option<RateLimit>) -> Result<StunListener, EngineError> {
        self.check()?;
        if limit.is_some_and(|limit| limit.per_second == 0 || limit.burst == 0) {
            return Err(EngineError::Invalid("a rate limit of zero would answer nobody"));
        }
        let socket = bind(address)?;
        let address = socket.local_addr()?;
        let shard = self.next_shard.fetch_add(1, Ordering::Relaxed) % self.shards.len();
        let handle = self.open(shard, Box::new(move |now, _| Box::new(StunService::new(socket, limit, now))))?;
        Ok(StunListener { handle, address })
    }

    /// Serves TURN, and STUN Binding, on these addresses with every shard.
    pub fn turn_listen(&self, config: TurnConfig) -> Result<TurnListener, EngineError> {
        self.check()?;
        let (doors, addresses) = doors::open(&config, self.shards.len())?;
        let keys = NonceKeys::random().map_err(|_| EngineError::Invalid("the system has no randomness"))?;
        let shared = Shared::default();
        let ports = Arc::new(SharedPorts::default());
        let (siblings, shards) = (Siblings::default(), self.shards.len() as u32);
        let build = |(shard, doors)| {
            let place = Place { shard: shard as u32, shards, siblings: siblings.clone() };
            let relays = Relays::new(config.relay.clone(), ports.clone());
            let (settings, keys, shared) = (config.settings.clone(), keys.clone(), shared.clone());
            let build: Build =
                Box::new(move |now, _| Box::new(TurnPlane::new(doors, relays, settings, keys, shared, place, now)));
            self.open(shard, build)
        };
        let handles: Vec<Handle> = doors.into_iter().enumerate().map(build).collect::<Result<_, _>>()?;
        let mailboxes = self.shards.iter().map(|shard| shard.mailbox.clone());
        siblings.introduce(handles.iter().copied().zip(mailboxes).collect());
        Ok(TurnListener { handles, addresses })
    }

    /// New settings for those who come from now on; who has an allocation keeps it.
    pub fn turn_reload(&self, server: &TurnListener, settings: &Arc<Settings>) -> Result<(), EngineError> {
        self.tell_all(server, || TurnCommand::Reload(settings.clone()))
    }

    /// Another certificate for TLS connections that come from now on.
    pub fn turn_recertify(&self, server: &TurnListener, certificate: &Certificate) -> Result<(), EngineError> {
        self.tell_all(server, || TurnCommand::Recertify(certificate.clone()))
    }

    /// Nobody gets an allocation any more; those there are go on.
    pub fn turn_drain(&self, server: &TurnListener) -> Result<(), EngineError> {
        self.tell_all(server, || TurnCommand::Drain)
    }

    /// Ends one allocation of the service with this handle.
    pub fn turn_kick(&self, handle: Handle, allocation: AllocationId) -> Result<(), EngineError> {
        self.tell(handle, TurnCommand::Kick(allocation))
    }

    /// The answer to [`Event::TurnAsked`].
    pub fn turn_decide(&self, handle: Handle, question: QuestionId, verdict: Verdict) -> Result<(), EngineError> {
        self.tell(handle, TurnCommand::Decide(question, verdict))
    }

    /// Asks each shard for its allocations: as many events [`Event::TurnListed`] with this token as there are shards.
    pub fn turn_list(&self, server: &TurnListener, token: u64) -> Result<(), EngineError> {
        self.tell_all(server, || TurnCommand::List { token })
    }

    /// A data path of a peer connection, on the next shard. It has no sockets before [`PeerCommand::Gather`].
    pub fn peer_open(&self, settings: PeerSettings) -> Result<Handle, EngineError> {
        self.check()?;
        // Who shares a port lives on one shard.
        let shared = settings.shared_port.map(usize::from);
        let turn = shared.unwrap_or_else(|| self.next_shard.fetch_add(1, Ordering::Relaxed));
        let shard = turn % self.shards.len();
        self.open(shard, Box::new(move |now, _| Box::new(PeerService::new(settings, now))))
    }

    /// A command for a data path; one whose handle is stale has no effect.
    pub fn peer_tell(&self, handle: Handle, command: PeerCommand) -> Result<(), EngineError> {
        self.check()?;
        if let Some(shard) = self.shards.get(handle.shard()) {
            shard.mailbox.send(Command::Tell { handle, command: Box::new(command) });
        }
        Ok(())
    }

    fn tell_all(&self, server: &TurnListener, command: impl Fn() -> TurnCommand) -> Result<(), EngineError> {
        server.handles.iter().try_for_each(|handle| self.tell(*handle, command()))
    }

    fn tell(&self, handle: Handle, command: TurnCommand) -> Result<(), EngineError> {
        self.check()?;
        if let Some(shard) = self.shards.get(handle.shard()) {
            shard.mailbox.send(Command::Tell { handle, command: Box::new(command) });
        }
        Ok(())
    }

    /// Closes what the handle names; [`Event::Closed`] follows. A stale handle is no error and has no effect.
    pub fn close_handle(&self, handle: Handle) -> Result<(), EngineError> {
        self.check()?;
        if let Some(shard) = self.shards.get(handle.shard()) {
            shard.mailbox.send(Command::Close { handle });
        }
        Ok(())
    }

    /// Asks a shard for `count` events [`Event::Ponged`], published `batch` at a time: is it alive, and how fast.
    pub fn ping(&self, shard: usize, token: u64, count: u32, batch: u32) -> Result<(), EngineError> {
        self.check()?;
        let port = self.shards.get(shard).ok_or(EngineError::Invalid("there is no such shard"))?;
        if count == 0 || batch == 0 {
            return Err(EngineError::Invalid("count and batch must be at least 1"));
        }
        port.mailbox.send(Command::Ping { token, count, batch });
        Ok(())
    }

    /// Takes up to `max` events. Those that were published before the engine was closed can still be had.
    pub fn drain(&self, max: usize) -> Result<Vec<Event>, EngineError> {
        self.check_fork()?;
        Ok(self.events.drain(max))
    }

    /// Readable while events wait. It stays open as long as the engine value lives.
    pub fn fd(&self) -> Result<RawFd, EngineError> {
        self.check_fork()?;
        Ok(self.events.fd())
    }

    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    pub fn stats(&self) -> Result<EngineStats, EngineError> {
        self.check_fork()?;
        let (events_published, wakes) = self.events.totals();
        let totals = self.shards.iter().map(|shard| shard.counters.snapshot()).sum();
        Ok(EngineStats { shards: self.shards.len(), events_published, wakes, totals })
    }

    /// Ends every thread and closes every socket, and returns when that is done. Closing again does nothing.
    pub fn close(&self) -> Result<(), EngineError> {
        self.check_fork()?;
        self.is_closed.store(true, Ordering::Release);
        for shard in &self.shards {
            shard.mailbox.send(Command::Stop);
        }
        for shard in &self.shards {
            let thread = shard.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(thread) = thread {
                // A panic of the shard has been reported by its own event.
                let _ = thread.join();
            }
        }
        Ok(())
    }

    fn open(&self, shard: usize, build: Build) -> Result<Handle, EngineError> {
        let shard = &self.shards[shard];
        let handle = shard.allocator.lock().unwrap_or_else(PoisonError::into_inner).allocate();
        let handle = handle.ok_or(EngineError::Full)?;
        shard.mailbox.send(Command::Open { handle, build });
        Ok(handle)
    }

    fn check(&self) -> Result<(), EngineError> {
        self.check_fork()?;
        if self.is_closed() { Err(EngineError::Closed) } else { Ok(()) }
    }

    /// Comes before any lock: a thread that exists no more may hold it for ever.
    fn check_fork(&self) -> Result<(), EngineError> {
        if process::id() == self.pid { Ok(()) } else { Err(EngineError::Forked) }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // In a forked child this refuses, rightly: there is no thread to wait for.
        let _ = self.close();
    }
}

impl ShardPort {
    fn start(index: usize, events: &Arc<EventQueue>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let (mailbox, commands) = Mailbox::new(Arc::new(Waker::new(poll.registry(), COMMANDS)?));
        let allocator = Arc::new(Mutex::new(SlotAllocator::new(index)));
        let counters = Arc::new(ShardCounters::default());
        let (events, of_shard, count) = (events.clone(), allocator.clone(), counters.clone());
        let thread = thread::Builder::new().name(format!("peerline-{index}")).spawn(move || {
            let shard = || Shard::new(poll, commands, events.clone(), of_shard, count).run();
            let reason = match catch_unwind(AssertUnwindSafe(shard)) {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.to_string(),
                Err(panic) => reason_of(&*panic),
            };
            events.publish_last_words(Event::ShardFailed { shard: index, reason });
        })?;
        Ok(Self { mailbox, allocator, counters, thread: Mutex::new(Some(thread)) })
    }
}

/// Leaves one core to Python; more than four threads win nothing before the traffic of thousands of calls.
fn default_shards() -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores.saturating_sub(1).clamp(1, 4)
}

#[cfg(test)]
mod tests;
