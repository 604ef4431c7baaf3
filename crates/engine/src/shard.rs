//! One shard: a thread that owns its sockets, services and timers, and steps only what is ready or due.

use std::any::Any;
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::command::Command;
use crate::counters::ShardCounters;
use crate::event::Event;
use crate::event_queue::EventQueue;
use crate::handle::Handle;
use crate::outbox::Outbox;
use crate::service::{Build, Service};
use crate::slots::{SlotAllocator, Slots};
use crate::timer_wheel::TimerWheel;
use crate::udp::{ReceiveBuffers, UdpEndpoint};

/// The poll token of the command queue; sockets have their slot's number.
pub(crate) const COMMANDS: Token = Token(usize::MAX);

/// After so many datagrams of one socket the others get their turn.
const DATAGRAMS_PER_TURN: usize = 256;
/// After so many pongs the sockets get their turn.
const PONGS_PER_TURN: u32 = 4096;
/// A full event queue is tried again this much later.
const RETRY_PUBLISH_MS: u64 = 1;

pub(crate) struct Shard {
    poll: Poll,
    commands: Receiver<Command>,
    events: Arc<EventQueue>,
    allocator: Arc<Mutex<SlotAllocator>>,
    counters: Arc<ShardCounters>,
    started: Instant,
    residents: Slots<Resident>,
    /// Sockets that may have more to read; mio tells of each arrival only once.
    ready: VecDeque<Handle>,
    timers: TimerWheel<Timer>,
    pings: VecDeque<Ping>,
    unpublished: VecDeque<Event>,
    buffers: ReceiveBuffers,
    outbox: Outbox,
    is_stopping: bool,
}

/// A service and the socket it lives on.
struct Resident {
    endpoint: UdpEndpoint,
    service: Box<dyn Service>,
    is_ready: bool,
    /// The earliest entry in the timer wheel.
    scheduled_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
enum Timer {
    Service(Handle),
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
        commands: Receiver<Command>,
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
            ready: VecDeque::new(),
            timers: TimerWheel::new(),
            pings: VecDeque::new(),
            unpublished: VecDeque::new(),
            buffers: ReceiveBuffers::new(),
            outbox: Outbox::default(),
            is_stopping: false,
        }
    }

    /// Runs until told to stop. An error is one of the poll itself, which leaves nothing to go on with.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut polled = Events::with_capacity(256);
        let mut due = Vec::new();
        while !self.is_stopping {
            match self.poll.poll(&mut polled, self.patience()) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            let now = Instant::now();
            while let Ok(command) = self.commands.try_recv() {
                self.apply(now, command);
            }
            for event in polled.iter().filter(|event| event.token() != COMMANDS) {
                if let Some(handle) = self.residents.handle_at(event.token().0) {
                    self.make_ready(handle);
                }
            }
            for _ in 0..self.ready.len() {
                let Some(handle) = self.ready.pop_front() else { break };
                self.receive(now, handle);
            }
            self.timers.advance(self.ms(now), &mut due);
            for timer in due.drain(..) {
                if let Timer::Service(handle) = timer {
                    self.fire(now, handle);
                }
            }
            self.publish(now);
        }
        Ok(())
    }

    /// How long the poll may sleep.
    fn patience(&self) -> Option<Duration> {
        let can_pong = !self.pings.is_empty() && self.unpublished.is_empty();
        if !self.ready.is_empty() || can_pong {
            return Some(Duration::ZERO);
        }
        let due = self.started + Duration::from_millis(self.timers.next_ms()?);
        Some(due.saturating_duration_since(Instant::now()))
    }

    fn apply(&mut self, now: Instant, command: Command) {
        match command {
            Command::Open { handle, endpoint, build } => self.open(now, handle, endpoint, build),
            Command::Close { handle } => {
                if self.remove(handle) {
                    self.unpublished.push_back(Event::Closed { handle });
                }
            }
            Command::Ping { token, count, batch } => {
                self.pings.push_back(Ping { token, sequence: 0, count, batch });
            }
            Command::Stop => self.is_stopping = true,
        }
    }

    fn open(&mut self, now: Instant, handle: Handle, mut endpoint: UdpEndpoint, build: Build) {
        let counters = &self.counters;
        let built = catch_unwind(AssertUnwindSafe(|| build(now, counters))).map_err(|panic| reason_of(&*panic));
        let registered = endpoint.register(self.poll.registry(), Token(handle.slot())).map_err(|e| e.to_string());
        match built.and_then(|service| registered.map(|()| service)) {
            Ok(service) => {
                self.residents.insert(handle, Resident { endpoint, service, is_ready: false, scheduled_ms: None });
                // What arrived between bind and here has had its notice.
                self.make_ready(handle);
            }
            Err(reason) => {
                endpoint.deregister(self.poll.registry());
                self.release(handle);
                self.unpublished.push_back(Event::Failed { handle, reason });
            }
        }
    }

    fn make_ready(&mut self, handle: Handle) {
        if let Some(resident) = self.residents.get_mut(handle)
            && !std::mem::replace(&mut resident.is_ready, true)
        {
            self.ready.push_back(handle);
        }
    }

    fn receive(&mut self, now: Instant, handle: Handle) {
        let Self { residents, buffers, outbox, counters, .. } = self;
        let Some(resident) = residents.get_mut(handle) else { return };
        resident.is_ready = false;
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            let Resident { endpoint, service, .. } = &mut *resident;
            let mut datagrams = 0;
            while datagrams < DATAGRAMS_PER_TURN {
                let received = endpoint.receive(buffers, |datagram| service.handle_input(now, datagram, outbox));
                counters.send_failed.add(endpoint.flush(outbox));
                match received {
                    Ok(count) => datagrams += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        counters.receive_failed.add(u64::from(error.kind() != io::ErrorKind::WouldBlock));
                        return false;
                    }
                }
            }
            true
        }));
        match stepped {
            Ok(has_more) => {
                self.reschedule(handle);
                if has_more {
                    self.make_ready(handle);
                }
            }
            Err(panic) => self.fail(handle, reason_of(&*panic)),
        }
    }

    fn fire(&mut self, now: Instant, handle: Handle) {
        let Some(resident) = self.residents.get_mut(handle) else { return };
        resident.scheduled_ms = None;
        match catch_unwind(AssertUnwindSafe(|| resident.service.handle_timeout(now))) {
            Ok(()) => self.reschedule(handle),
            Err(panic) => self.fail(handle, reason_of(&*panic)),
        }
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
            self.timers.schedule(due_ms, Timer::Service(handle));
        }
    }

    fn fail(&mut self, handle: Handle, reason: String) {
        self.outbox.clear();
        self.remove(handle);
        self.unpublished.push_back(Event::Failed { handle, reason });
    }

    fn remove(&mut self, handle: Handle) -> bool {
        let Some(mut resident) = self.residents.remove(handle) else { return false };
        resident.endpoint.deregister(self.poll.registry());
        // A broken service may break once more when it is dropped.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(resident)));
        self.release(handle);
        true
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
