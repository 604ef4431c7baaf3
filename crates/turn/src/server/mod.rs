//! The TURN server of one shard: who has which allocation, and what a packet of theirs is to become.
//!
//! Reading order: `packets` (asked for every packet, and looks up, nothing more) → `messages` (each method has a file in
//! `requests`) → `lives` and `table` (allocations begin, move and end) → `peers` (of TCP relays) → `deadlines` → `owner`.

mod deadlines;
mod lives;
mod messages;
mod owner;
mod packets;
mod peers;
mod table;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use messages::Context;
pub use messages::Outcome;
pub use packets::{ChannelTarget, Direction, PeerRoute};

use crate::accounts::Accounts;
use crate::connections::Connections;
use crate::counters::Counters;
use crate::event::{QuestionId, TurnEvent};
use crate::nonce::NonceKeys;
use crate::quota::Flow;
use crate::rate_limit::RateLimiter;
use crate::reservation::Reservations;
use crate::settings::Settings;
use crate::tuple::FiveTuple;
use crate::wheel::Wheel;
use table::Table;

/// The two clocks of one moment: lifetimes are counted by the first, expiry of credentials by the second.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub instant: Instant,
    pub unix_s: u64,
}

#[derive(Debug)]
pub struct Server {
    pub(crate) settings: Arc<Settings>,
    pub(crate) keys: NonceKeys,
    started: Instant,
    /// Seconds since then, as of the last message or tick.
    pub(crate) now_s: u32,
    table: Table,
    pub(crate) accounts: Accounts,
    pub(crate) reservations: Reservations,
    /// Of TCP relays.
    pub(crate) connections: Connections,
    /// For clients, besides the answer to the message in work.
    messages: VecDeque<(FiveTuple, Vec<u8>)>,
    wheel: Wheel,
    limiter: Option<RateLimiter>,
    /// What all allocations relay together.
    total: Flow,
    pub(crate) parked: Vec<Parked>,
    pub(crate) next_question: u64,
    events: VecDeque<TurnEvent>,
    pub(crate) counters: Counters,
    indications: u64,
    pub(crate) is_draining: bool,
}

/// What the shards of one server have in common: how much each user has, and which ports are kept for later.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    pub accounts: Accounts,
    pub reservations: Reservations,
}

/// An Allocate that waits for its owner's decision.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) id: QuestionId,
    pub(crate) tuple: FiveTuple,
    pub(crate) message: Vec<u8>,
    pub(crate) gives_up_s: u32,
}

impl Server {
    /// `keys` are the same on all shards of one server.
    pub fn new(settings: Arc<Settings>, keys: NonceKeys, now: Now) -> Self {
        let limiter = settings.answers.map(|limit| RateLimiter::new(limit, now.instant));
        let total = Flow::new(settings.total);
        Self {
            settings,
            keys,
            started: now.instant,
            now_s: 0,
            table: Table::default(),
            accounts: Accounts::default(),
            reservations: Reservations::default(),
            connections: Connections::default(),
            messages: VecDeque::new(),
            wheel: Wheel::new(),
            limiter,
            total,
            parked: Vec::new(),
            next_question: 1,
            events: VecDeque::new(),
            counters: Counters::default(),
            indications: 0,
            is_draining: false,
        }
    }

    /// What this server has in common with its other shards. To be called at the beginning.
    pub fn share(&mut self, shared: Shared) {
        let Shared { accounts, reservations } = shared;
        self.accounts = accounts;
        self.reservations = reservations;
    }

    /// For those who come from now on. Who has an allocation keeps it, and what it may do.
    pub fn reload(&mut self, settings: Arc<Settings>) {
        if settings.answers != self.settings.answers {
            let now = self.started + Duration::from_secs(self.now_s.into());
            self.limiter = settings.answers.map(|limit| RateLimiter::new(limit, now));
        }
        if settings.total != self.settings.total {
            self.total = Flow::new(settings.total);
        }
        self.settings = settings;
    }

    /// Changes the key of nonces; see [`NonceKeys::rotated`].
    pub fn rekey(&mut self, keys: NonceKeys) {
        self.keys = keys;
    }

    pub fn counters(&self) -> Counters {
        let (allocations, connections) = (self.table.len() as u64, self.connections.len() as u64);
        Counters { allocations, connections, ..self.counters }
    }
}

impl Drop for Server {
    /// What the other shards count together with it goes as well.
    fn drop(&mut self) {
        for (_, allocation) in self.table.iter() {
            self.accounts.subtract(&allocation.account);
        }
    }
}
