//! One shard: a thread that owns its sockets, services and timers, and steps only what is ready or due.

use std::any::Any;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use peerline_net::{ReceiveRing, Received};

use crate::command::{Command, Commands};
use crate::counters::ShardCounters;
use crate::event::Event;
use crate::event_queue::EventQueue;
use crate::handle::Handle;
use crate::ports::Ports;
use crate::ready::ReadyList;
use crate::service::{Build, Io, Service, of_token};
use crate::slots::{SlotAllocator, Slots};
use crate::stun::count_failure;
use crate::timer_wheel::TimerWheel;

/// The poll token of the command queue; those of sockets are made of slot and number.
pub(crate) const COMMANDS: Token = Token(usize::MAX);

/// How many arrivals are in work at once.
const RING_SLOTS: usize = 64;
/// The poll tells of so many sockets at once.
const POLL_EVENTS: usize = 1024;
/// After so many pongs the sockets get their turn.
const PONGS_PER_TURN: u32 = 4096;
/// A full event queue is tried again this much later.
const RETRY_PUBLISH_MS: u64 = 1;

pub(crate) struct Shard {
    poll: Poll,
    commands: Commands,
    events: Arc<EventQueue>,
    allocator: Arc<Mutex<SlotAllocator>>,
    counters: Arc<ShardCounters>,
    started: Instant,
    residents: Slots<Resident>,
    /// Ports that residents have in common, and which of them may have something to read.
    ports: Ports,
    ready_ports: VecDeque<usize>,
    ready: ReadyList,
    timers: TimerWheel<Timer>,
    pings: VecDeque<Ping>,
    unpublished: VecDeque<Event>,
    ring: ReceiveRing,
    /// Those that were told something in this turn and have not sent what follows from it.
    told: Vec<Handle>,
    is_stopping: bool,
}

struct Resident {
    service: Box<dyn Service>,
    /// Its owner has closed it: it lingers.
    is_closed: bool,
    /// The entry in the timer wheel that counts: the earliest one.
    scheduled_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
enum Timer {
    /// And for when: an entry is in vain if the service has had another since.
    Service(Handle, u64),
    RetryPublish,
}

struct Ping {
    token: u64,
    sequence: u32,
    count: u32,
    batch: u32,
}

impl Shard {
    pub(crate) fn new(
        poll: Poll,
        commands: Commands,
        events: Arc<EventQueue>,
        allocator: Arc<Mutex<SlotAllocator>>,
        counters: Arc<ShardCounters>,
    ) -> Self {
        Self {
            poll,
            commands,
            events,
            allocator,
            counters,
            started: Instant::now(),
            residents: Slots::new(),
            ports: Ports::default(),
            ready_ports: VecDeque::new(),
            ready: ReadyList::default(),
            timers: TimerWheel::new(),
            pings: VecDeque::new(),
            unpublished: VecDeque::new(),
            ring: ReceiveRing::new(RING_SLOTS),
            told: Vec::new(),
            is_stopping: false,
        }
    }

    /// Runs until told to stop. An error is one of the poll itself, which leaves nothing to go on with.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut polled = Events::with_capacity(POLL_EVENTS);
        let mut due = Vec::new();
        while !self.is_stopping {
            match self.poll.poll(&mut polled, self.patience()) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            let now = Instant::now();
            self.commands.begin();
            while let Some(command) = self.commands.next() {
                self.apply(now, command);
            }
            while let Some(handle) = self.told.pop() {
                self.finish_turn(now, handle);
            }
            for event in polled.iter().filter(|event| event.token() != COMMANDS) {
                if let Some(port) = Ports::of_token(event.token()) {
                    if !self.ready_ports.contains(&port) {
                        self.ready_ports.push_back(port);
                    }
                    continue;
                }
                let (slot, socket) = of_token(event.token());
                if let Some(handle) = self.residents.handle_at(slot) {
                    self.ready.push(handle, socket, event.is_read_closed());
                }
            }
            self.serve_ready(now);
            self.serve_ports(now);
            self.timers.advance(self.ms(now), &mut due);
            for timer in due.drain(..) {
                if let Timer::Service(handle, due_ms) = timer {
                    self.fire(now, handle, due_ms);
                }
            }
            self.publish(now);
        }
        Ok(())
    }

    /// How long the poll may sleep.
    fn patience(&self) -> Option<Duration> {
        let can_pong = !self.pings.is_empty() && self.unpublished.is_empty();
        if !self.ready.is_empty() || !self.ready_ports.is_empty() || can_pong {
            return Some(Duration::ZERO);
        }
        let due = self.started + Duration::from_millis(self.timers.next_ms()?);
        Some(due.saturating_duration_since(Instant::now()))
    }

    fn apply(&mut self, now: Instant, command: Command) {
        match command {
            Command::Open { handle, build } => self.open(now, handle, build),
            Command::Tell { handle, command } => {
                if self.is_closed(handle) {
                    return;
                }
                self.step(now, handle, |service, io| service.handle_command(io, command));
                if self.told.last() != Some(&handle) {
                    self.told.push(handle);
                }
            }
            Command::Close { handle } => {
                if self.close(now, handle) {
                    self.unpublished.push_back(Event::Closed { handle });
                }
            }
            Command::Ping { token, count, batch } => {
                self.pings.push_back(Ping { token, sequence: 0, count, batch });
            }
            Command::Stop => self.is_stopping = true,
        }
    }

    fn open(&mut self, now: Instant, handle: Handle, build: Build) {
        let counters = &self.counters;
        match catch_unwind(AssertUnwindSafe(|| build(now, counters))) {
            Ok(service) => {
                self.residents.insert(handle, Resident { service, is_closed: false, scheduled_ms: None });
                if let Some(Err(error)) = self.step(now, handle, |service, io| service.start(io)) {
                    self.fail(now, handle, error.to_string());
                }
                self.reschedule(handle);
            }
            Err(panic) => {
                self.release(handle);
                self.unpublished.push_back(Event::Failed { handle, reason: reason_of(&*panic) });
            }
        }
    }

    /// One round over the sockets that are ready now; those of one service that follow each other are one turn.
    fn serve_ready(&mut self, now: Instant) {
        let mut in_turn: Option<Handle> = None;
        for _ in 0..self.ready.len() {
            let Some((handle, socket, is_ending)) = self.ready.pop() else { break };
            if let Some(before) = in_turn.replace(handle).filter(|before| *before != handle) {
                self.finish_turn(now, before);
            }
            let act = |service: &mut dyn Service, io: &mut Io<'_>| service.handle_ready(io, socket, is_ending);
            if self.step(now, handle, act) == Some(true) {
                self.ready.push(handle, socket, is_ending);
            }
        }
        if let Some(last) = in_turn {
            self.finish_turn(now, last);
        }
    }

    /// One ringful of each port in common; each of its owners has a turn.
    fn serve_ports(&mut self, now: Instant) {
        for _ in 0..self.ready_ports.len() {
            let Some(at) = self.ready_ports.pop_front() else { break };
            let Some((socket, local)) = self.ports.socket(at) else { continue };
            let room = self.ring.room();
            match self.ring.receive(&*socket, room) {
                Ok(count) => {
                    drop(socket);
                    self.share_out(now, at, local);
                    if count == room {
                        self.ready_ports.push_back(at);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => self.ready_ports.push_back(at),
                Err(error) => count_failure(&error, &self.counters),
            }
        }
    }

    /// Gives what is in the ring to whom it belongs. What the kernel has glued together has one sender, so one owner.
    fn share_out(&mut self, now: Instant, at: usize, local: SocketAddr) {
        let owner = |arrival: &Received| {
            let first = arrival.datagrams().next()?;
            let datagram = &self.ring.bytes()[first.start as usize..first.end as usize];
            self.ports.owner(at, arrival.source, datagram)
        };
        let owners: Vec<Option<Handle>> = self.ring.received().iter().map(owner).collect();
        let mut in_turn: Vec<Handle> = Vec::new();
        let mut begin = 0;
        for run in owners.chunk_by(PartialEq::eq) {
            let arrivals = begin..begin + run.len();
            begin = arrivals.end;
            let Some(handle) = run[0] else { continue };
            self.step(now, handle, |service, io| service.handle_shared(io, local, arrivals));
            if !in_turn.contains(&handle) {
                in_turn.push(handle);
            }
        }
        self.ring.clear();
        for handle in in_turn {
            self.finish_turn(now, handle);
        }
    }

    fn finish_turn(&mut self, now: Instant, handle: Handle) {
        self.step(now, handle, |service, io| service.finish_turn(io));
        self.ring.clear();
        if self.residents.get_mut(handle).is_some_and(|resident| resident.is_closed && !resident.service.lingers()) {
            self.drop_resident(handle);
        }
        self.reschedule(handle);
    }

    /// Lends the service what it needs for one step. A panic ends it and nothing else. `None`: it is gone.
    fn step<T>(
        &mut self,
        now: Instant,
        handle: Handle,
        act: impl FnOnce(&mut dyn Service, &mut Io<'_>) -> T,
    ) -> Option<T> {
        let Self { residents, ring, counters, unpublished, poll, ports, .. } = self;
        let service = residents.get_mut(handle)?.service.as_mut();
        let mut io = Io { now, handle, ring, counters, events: unpublished, registry: poll.registry(), ports };
        match catch_unwind(AssertUnwindSafe(|| act(service, &mut io))) {
            Ok(outcome) => Some(outcome),
            Err(panic) => {
                self.fail(now, handle, reason_of(&*panic));
                None
            }
        }
    }

    fn fire(&mut self, now: Instant, handle: Handle, due_ms: u64) {
        let Some(resident) = self.residents.get_mut(handle) else { return };
        if resident.scheduled_ms != Some(due_ms) {
            return;
        }
        resident.scheduled_ms = None;
        self.step(now, handle, |service, io| service.handle_timeout(io));
        self.finish_turn(now, handle);
    }

    /// Puts the service's next deadline into the wheel, unless an entry there comes first anyway.
    fn reschedule(&mut self, handle: Handle) {
        let started = self.started;
        let Some(resident) = self.residents.get_mut(handle) else { return };
        let Some(due) = resident.service.poll_timeout() else { return };
        // Rounded up: a timer may fire late, but not early.
        let due_ms = due.saturating_duration_since(started).as_nanos().div_ceil(1_000_000) as u64;
        if resident.scheduled_ms.is_none_or(|scheduled_ms| due_ms < scheduled_ms) {
            resident.scheduled_ms = Some(due_ms);
            self.timers.schedule(due_ms, Timer::Service(handle, due_ms));
        }
    }

    fn fail(&mut self, now: Instant, handle: Handle, reason: String) {
        self.ring.clear();
        let was_closed = self.is_closed(handle);
        self.remove(now, handle);
        if !was_closed {
            self.unpublished.push_back(Event::Failed { handle, reason });
        }
    }

    /// Stops it for its owner; it may linger. False: there was none.
    fn close(&mut self, now: Instant, handle: Handle) -> bool {
        if self.is_closed(handle) || !self.stop(now, handle) {
            return false;
        }
        match self.residents.get_mut(handle) {
            Some(resident) if resident.service.lingers() => {
                resident.is_closed = true;
                self.reschedule(handle);
            }
            _ => self.drop_resident(handle),
        }
        true
    }

    fn is_closed(&mut self, handle: Handle) -> bool {
        self.residents.get_mut(handle).is_some_and(|resident| resident.is_closed)
    }

    fn remove(&mut self, now: Instant, handle: Handle) {
        self.stop(now, handle);
        self.drop_resident(handle);
    }

    fn stop(&mut self, now: Instant, handle: Handle) -> bool {
        let Self { ring, counters, unpublished, poll, residents, ports, .. } = self;
        let Some(resident) = residents.get_mut(handle) else { return false };
        let mut io = Io { now, handle, ring, counters, events: unpublished, registry: poll.registry(), ports };
        // A broken service may break once more.
        let _ = catch_unwind(AssertUnwindSafe(|| resident.service.stop(&mut io)));
        true
    }

    fn drop_resident(&mut self, handle: Handle) {
        let Some(Resident { service, .. }) = self.residents.remove(handle) else { return };
        let _ = catch_unwind(AssertUnwindSafe(|| drop(service)));
        self.release(handle);
    }

    fn release(&self, handle: Handle) {
        self.allocator.lock().unwrap_or_else(PoisonError::into_inner).release(handle);
    }

    /// Hands out what has happened. Pongs are made only while there is room for them.
    fn publish(&mut self, now: Instant) {
        self.events.publish(&mut self.unpublished);
        let mut budget = PONGS_PER_TURN;
        while let Some(ping) = self.pings.front_mut().filter(|_| self.unpublished.is_empty() && budget > 0) {
            let count = ping.batch.min(ping.count - ping.sequence);
            let Ping { token, sequence, .. } = *ping;
            self.unpublished.extend((sequence..sequence + count).map(|sequence| Event::Ponged { token, sequence }));
            ping.sequence += count;
            if ping.sequence == ping.count {
                self.pings.pop_front();
            }
            budget = budget.saturating_sub(count);
            self.events.publish(&mut self.unpublished);
        }
        if !self.unpublished.is_empty() {
            self.timers.schedule(self.ms(now) + RETRY_PUBLISH_MS, Timer::RetryPublish);
        }
    }

    fn ms(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_millis() as u64
    }
}

/// What a panic said. Only fixed texts are passed on: a formatted one may quote an address or a packet.
pub(crate) fn reason_of(panic: &(dyn Any + Send)) -> String {
    panic.downcast_ref::<&'static str>().copied().unwrap_or("panicked").to_owned()
}
