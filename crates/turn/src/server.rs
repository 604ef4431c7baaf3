//! The TURN server of one shard: who has which allocation, and what a packet of theirs is to become.
//!
//! The first half is asked for every packet and looks up, nothing more; the second half is for messages, and each of
//! their methods has a file in `requests`.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use peerline_wire::stun::binding::{Answer, BindingRequest, MAX_ANSWER_LEN, Silence};
use peerline_wire::stun::{
    Class, FingerprintCheck, HEADER_LEN, MAGIC_COOKIE, Message, Method, encode_xor_address, kind, xor_address_len,
};

use crate::accounts::Accounts;
use crate::allocation::{Allocation, AllocationView};
use crate::auth::{Authenticated, Known, Stranger, authenticate};
use crate::counters::Counters;
use crate::event::{FreeReason, Question, QuestionId, TurnEvent, Verdict};
use crate::host::{AllocationId, Host, RelayId};
use crate::nonce::NonceKeys;
use crate::rate_limit::RateLimiter;
use crate::reply;
use crate::request::Request;
use crate::reservation::Reservations;
use crate::settings::Settings;
use crate::tuple::FiveTuple;
use crate::wheel::Wheel;

/// The two clocks of one moment: lifetimes are counted by the first, expiry of credentials by the second.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub instant: Instant,
    pub unix_s: u64,
}

/// What is to be done with a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Silence,
    /// The answer has been written.
    Reply,
    /// This range of the message goes to the peer.
    Forward {
        allocation: AllocationId,
        relay: RelayId,
        peer: SocketAddr,
        data: Range<usize>,
        dont_fragment: bool,
    },
    /// The owner decides; see [`Server::decide`].
    Ask(Question),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelTarget {
    pub relay: RelayId,
    pub peer: SocketAddr,
}

/// How what a peer has sent reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerRoute {
    Channel(u16),
    Indication,
    /// The client has not permitted this peer.
    Dropped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

#[derive(Debug)]
pub struct Server {
    pub(crate) settings: Arc<Settings>,
    pub(crate) keys: NonceKeys,
    started: Instant,
    /// Seconds since then, as of the last message or tick.
    pub(crate) now_s: u32,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// How many of the slots are taken.
    live: usize,
    /// Only who has authenticated itself stands in here, so nobody can choose keys that collide: the fast hash will do.
    by_tuple: HashMap<FiveTuple, AllocationId, RandomState>,
    pub(crate) accounts: Accounts,
    pub(crate) reservations: Reservations,
    wheel: Wheel,
    limiter: Option<RateLimiter>,
    pub(crate) parked: Vec<Parked>,
    pub(crate) next_question: u64,
    events: VecDeque<TurnEvent>,
    pub(crate) counters: Counters,
    indications: u64,
    pub(crate) is_draining: bool,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    allocation: Option<Box<Allocation>>,
}

/// An Allocate that waits for its owner's decision.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) id: QuestionId,
    pub(crate) tuple: FiveTuple,
    pub(crate) message: Vec<u8>,
    pub(crate) gives_up_s: u32,
}

/// One message in work.
pub(crate) struct Context<'a> {
    pub(crate) now: Now,
    pub(crate) tuple: FiveTuple,
    pub(crate) host: &'a mut dyn Host,
    pub(crate) reply: &'a mut Vec<u8>,
}

impl Server {
    /// `keys` are the same on all shards of one server.
    pub fn new(settings: Arc<Settings>, keys: NonceKeys, now: Now) -> Self {
        let limiter = settings.answers.map(|limit| RateLimiter::new(limit, now.instant));
        Self {
            settings,
            keys,
            started: now.instant,
            now_s: 0,
            slots: Vec::new(),
            free: Vec::new(),
            live: 0,
            by_tuple: HashMap::default(),
            accounts: Accounts::default(),
            reservations: Reservations::default(),
            wheel: Wheel::new(),
            limiter,
            parked: Vec::new(),
            next_question: 1,
            events: VecDeque::new(),
            counters: Counters::default(),
            indications: 0,
            is_draining: false,
        }
    }

    /// Counts the allocations of each user together with the other shards of this server. To be called at the beginning.
    pub fn share_accounts(&mut self, accounts: Accounts) {
        self.accounts = accounts;
    }

    /// For those who come from now on. Who has an allocation keeps it, and what it may do.
    pub fn reload(&mut self, settings: Arc<Settings>) {
        if settings.answers != self.settings.answers {
            let now = self.started + Duration::from_secs(self.now_s.into());
            self.limiter = settings.answers.map(|limit| RateLimiter::new(limit, now));
        }
        self.settings = settings;
    }

    /// Changes the key of nonces; see [`NonceKeys::rotated`].
    pub fn rekey(&mut self, keys: NonceKeys) {
        self.keys = keys;
    }

    // For every packet --------------------------------------------------------------------------------------

    #[inline]
    pub fn find(&self, tuple: &FiveTuple) -> Option<AllocationId> {
        self.by_tuple.get(tuple).copied()
    }

    /// Where ChannelData of this number goes.
    #[inline]
    pub fn channel(&self, id: AllocationId, number: u16) -> Option<ChannelTarget> {
        let channel = self.get(id)?.channels.get(number).filter(|channel| channel.is_open)?;
        Some(ChannelTarget { relay: channel.relay, peer: channel.peer })
    }

    /// How a datagram that this peer has sent to the relay reaches the client.
    #[inline]
    pub fn peer(&self, id: AllocationId, relay: RelayId, peer: SocketAddr) -> PeerRoute {
        let Some(allocation) = self.get(id) else { return PeerRoute::Dropped };
        match allocation.channels.of_peer(peer) {
            Some(channel) if channel.is_open && channel.relay == relay => PeerRoute::Channel(channel.number),
            Some(channel) if !channel.is_open => PeerRoute::Dropped,
            _ if allocation.permissions.contains(peer.ip()) => PeerRoute::Indication,
            _ => PeerRoute::Dropped,
        }
    }

    #[inline]
    pub fn client(&self, id: AllocationId) -> Option<FiveTuple> {
        Some(self.get(id)?.tuple)
    }

    /// Whether so much may pass now; asked once for packets that go together.
    #[inline]
    pub fn admit(&mut self, now: Instant, id: AllocationId, packets: u32, bytes: u32) -> bool {
        let now_ns = self.ns(now);
        self.get_mut(id).is_some_and(|allocation| allocation.meter.admit(now_ns, packets, bytes))
    }

    #[inline]
    pub fn count_relayed(&mut self, id: AllocationId, direction: Direction, packets: u32, bytes: u32) {
        let Some(Allocation { usage, .. }) = self.get_mut(id) else { return };
        let (count, sum) = match direction {
            Direction::Up => (&mut usage.packets_up, &mut usage.bytes_up),
            Direction::Down => (&mut usage.packets_down, &mut usage.bytes_down),
        };
        *count += u64::from(packets);
        *sum += u64::from(bytes);
    }

    /// A Data indication up to its data, which is `data_len` long; the data and zeros to a multiple of four follow
    /// (RFC 8656 §11.3). Says how long it is.
    pub fn write_data_indication(&mut self, peer: SocketAddr, data_len: usize, out: &mut [u8; 64]) -> usize {
        const TYPE: [u8; 2] = 0x0017_u16.to_be_bytes();
        self.indications += 1;
        let mut transaction = [0; 12];
        transaction[4..].copy_from_slice(&self.indications.to_be_bytes());
        let (address, address_len) = encode_xor_address(peer, peerline_wire::stun::TransactionId(transaction));
        let data_at = HEADER_LEN + 4 + address_len + 4;
        let len = data_at - HEADER_LEN + data_len.next_multiple_of(4);
        out[..2].copy_from_slice(&TYPE);
        out[2..4].copy_from_slice(&(len as u16).to_be_bytes());
        out[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        out[8..20].copy_from_slice(&transaction);
        out[20..22].copy_from_slice(&kind::XOR_PEER_ADDRESS.to_be_bytes());
        out[22..24].copy_from_slice(&(xor_address_len(&peer) as u16).to_be_bytes());
        out[24..24 + address_len].copy_from_slice(&address[..address_len]);
        out[data_at - 4..data_at - 2].copy_from_slice(&kind::DATA.to_be_bytes());
        out[data_at - 2..data_at].copy_from_slice(&(data_len as u16).to_be_bytes());
        data_at
    }

    // For messages ------------------------------------------------------------------------------------------

    /// A STUN message from a client. An answer is written to `reply`, which is cleared first.
    pub fn handle_message(
        &mut self,
        now: Now,
        tuple: FiveTuple,
        message: &[u8],
        host: &mut dyn Host,
        reply: &mut Vec<u8>,
    ) -> Outcome {
        reply.clear();
        self.now_s = self.s(now.instant);
        if message.starts_with(&[0, 1]) || !self.settings.has_credentials() {
            return self.answer_binding(now.instant, &tuple, message, reply);
        }
        let Ok(parsed) = Message::parse(message) else {
            self.counters.malformed += 1;
            return Outcome::Silence;
        };
        let has_fingerprint = match parsed.check_fingerprint() {
            FingerprintCheck::Absent => false,
            FingerprintCheck::Right => true,
            FingerprintCheck::Wrong => {
                self.counters.malformed += 1;
                return Outcome::Silence;
            }
        };
        let request = Request::new(parsed, has_fingerprint);
        let mut context = Context { now, tuple, host, reply };
        match (request.class(), request.method()) {
            (Class::Indication, Method::SEND) => self.send(&context, &request),
            (Class::Request, Method::ALLOCATE | Method::REFRESH | Method::CREATE_PERMISSION | Method::CHANNEL_BIND) => {
                self.serve(&mut context, &request, message, false)
            }
            // Responses are nobody's; answering other methods would only help to find us.
            _ => {
                self.counters.unserved += 1;
                Outcome::Silence
            }
        }
    }

    fn answer_binding(&mut self, now: Instant, tuple: &FiveTuple, message: &[u8], reply: &mut Vec<u8>) -> Outcome {
        let request = match BindingRequest::parse(message) {
            Ok(request) => request,
            Err(Silence::Malformed(_)) => {
                self.counters.malformed += 1;
                return Outcome::Silence;
            }
            Err(_) => {
                self.counters.unserved += 1;
                return Outcome::Silence;
            }
        };
        if !self.may_answer(now, tuple) {
            return Outcome::Silence;
        }
        let mut buffer = [0; MAX_ANSWER_LEN];
        let answer = request.answer(tuple.client, &mut buffer);
        match answer {
            Answer::Success(_) => self.counters.bindings += 1,
            Answer::UnknownAttributes(_) => self.counters.refused += 1,
        }
        reply.extend_from_slice(answer.bytes(&buffer));
        Outcome::Reply
    }

    /// A request that needs to know who asks. `is_decided`: its owner has allowed it.
    pub(crate) fn serve(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        message: &[u8],
        is_decided: bool,
    ) -> Outcome {
        let existing = self.find(&context.tuple);
        let meant = existing.or_else(|| self.named_by_ticket(request));
        let known = meant.and_then(|id| self.get(id)).map(|a| Known { username: &a.username, key: &a.key });
        let unix_s = context.now.unix_s;
        match authenticate(request, &self.settings, &self.keys, &context.tuple, unix_s, known) {
            Ok(client) => {
                let is_own = existing.and_then(|id| self.get(id)).is_none_or(|a| *a.username == *client.username);
                if !is_own && request.method() != Method::ALLOCATE {
                    return self.refuse(context, request, &client, 441);
                }
                self.serve_client(context, request, message, &client, existing, is_decided)
            }
            Err(stranger) => self.turn_away(context, request, stranger),
        }
    }

    fn serve_client(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        message: &[u8],
        client: &Authenticated,
        existing: Option<AllocationId>,
        is_decided: bool,
    ) -> Outcome {
        match (request.method(), existing) {
            (Method::ALLOCATE, _) => self.allocate(context, request, message, client, existing, is_decided),
            (Method::REFRESH, None) if request.has(kind::MOBILITY_TICKET) => self.resume(context, request, client),
            (_, None) => self.refuse(context, request, client, 437),
            (Method::REFRESH, Some(id)) => self.refresh(context, request, client, id),
            (Method::CREATE_PERMISSION, Some(id)) => self.create_permission(context, request, client, id),
            (Method::CHANNEL_BIND, Some(id)) => self.channel_bind(context, request, client, id),
            _ => Outcome::Silence,
        }
    }

    /// To somebody we do not know: no more than 3.6 times what it sent, and not too often.
    fn turn_away(&mut self, context: &mut Context<'_>, request: &Request<'_>, stranger: Stranger) -> Outcome {
        if !self.may_answer(context.now.instant, &context.tuple) {
            return Outcome::Silence;
        }
        self.counters.unauthorized += 1;
        let Context { now, tuple, reply, .. } = context;
        match stranger {
            Stranger::Malformed => reply::error(reply, request, 400, None),
            Stranger::Unauthorized | Stranger::StaleNonce => {
                let code = if stranger == Stranger::StaleNonce { 438 } else { 401 };
                reply::challenge(reply, request, code, &self.settings, &self.keys, tuple, now.unix_s);
            }
        }
        Outcome::Reply
    }

    /// To somebody we know.
    pub(crate) fn refuse(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        client: &Authenticated,
        code: u16,
    ) -> Outcome {
        self.counters.refused += 1;
        reply::error(context.reply, request, code, Some(client.into()));
        Outcome::Reply
    }

    /// 420 to somebody we know.
    pub(crate) fn refuse_unknown(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        client: &Authenticated,
        kinds: &[u16],
    ) -> Outcome {
        self.counters.refused += 1;
        reply::unknown_attributes(context.reply, request, kinds, Some(client.into()));
        Outcome::Reply
    }

    fn may_answer(&mut self, now: Instant, tuple: &FiveTuple) -> bool {
        let may = self.limiter.as_mut().is_none_or(|limiter| limiter.allow(now, tuple.client.ip()));
        self.counters.rate_limited += u64::from(!may);
        may
    }

    // For the owner -----------------------------------------------------------------------------------------

    /// The owner's answer to [`Outcome::Ask`]. Says to whom the reply goes; `None`: nobody waits for it any more.
    pub fn decide(
        &mut self,
        now: Now,
        question: QuestionId,
        verdict: Verdict,
        host: &mut dyn Host,
        reply: &mut Vec<u8>,
    ) -> Option<FiveTuple> {
        reply.clear();
        self.now_s = self.s(now.instant);
        let index = self.parked.iter().position(|parked| parked.id == question)?;
        let Parked { tuple, message, .. } = self.parked.swap_remove(index);
        let parsed = Message::parse(&message).ok()?;
        let request = Request::new(parsed, parsed.attribute(kind::FINGERPRINT).is_some());
        let mut context = Context { now, tuple, host, reply };
        let outcome = match verdict {
            Verdict::Allow => self.serve(&mut context, &request, &message, true),
            Verdict::Deny => self.deny(&mut context, &request),
        };
        (outcome == Outcome::Reply).then_some(tuple)
    }

    fn deny(&mut self, context: &mut Context<'_>, request: &Request<'_>) -> Outcome {
        let unix_s = context.now.unix_s;
        match authenticate(request, &self.settings, &self.keys, &context.tuple, unix_s, None) {
            Ok(client) => self.refuse(context, request, &client, 403),
            Err(stranger) => self.turn_away(context, request, stranger),
        }
    }

    /// The client's TCP or TLS connection is closed, and its allocation with it, unless it may come back with a ticket.
    pub fn client_gone(&mut self, tuple: FiveTuple, host: &mut dyn Host) {
        self.parked.retain(|parked| parked.tuple != tuple);
        let Some(id) = self.find(&tuple) else { return };
        match self.get(id).is_some_and(|allocation| allocation.ticket.is_some()) {
            true => self.leave(id),
            false => {
                self.free_allocation(id, FreeReason::Disconnected, host);
            }
        }
    }

    pub fn kick(&mut self, id: AllocationId, host: &mut dyn Host) -> bool {
        self.free_allocation(id, FreeReason::Kicked, host)
    }

    /// Nobody gets an allocation any more; those there are go on.
    pub fn drain(&mut self) {
        self.is_draining = true;
    }

    pub fn handle_timeout(&mut self, now: Now, host: &mut dyn Host) {
        self.now_s = self.s(now.instant);
        let now_s = self.now_s;
        if let Some(limiter) = &mut self.limiter {
            limiter.sweep(now.instant);
        }
        while let Some(id) = self.wheel.pop(now_s) {
            let Some(allocation) = self.get_mut(id) else { continue };
            if allocation.due_s.is_none_or(|due_s| due_s > now_s) {
                continue; // another entry of it has come earlier
            }
            allocation.due_s = None;
            if allocation.expires_s <= now_s {
                self.free_allocation(id, FreeReason::Expired, host);
                continue;
            }
            allocation.expire(now_s);
            self.schedule(id);
        }
        self.reservations.expire(now_s, host);
        self.parked.retain(|parked| parked.gives_up_s > now_s);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let has_work = !self.wheel.is_empty() || !self.reservations.is_empty() || !self.parked.is_empty();
        let tick = has_work.then(|| self.started + Duration::from_secs(u64::from(self.now_s) + 1));
        let sweep = self.limiter.as_ref().and_then(RateLimiter::poll_timeout);
        [tick, sweep].into_iter().flatten().min()
    }

    pub fn poll_event(&mut self) -> Option<TurnEvent> {
        self.events.pop_front()
    }

    pub fn allocations(&self) -> impl Iterator<Item = AllocationView> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let a = slot.allocation.as_ref()?;
            Some(AllocationView {
                id: AllocationId { index: index as u32, generation: slot.generation },
                username: a.username.clone(),
                tuple: a.tuple,
                relayed: a.relays.iter().flatten().map(|relay| relay.address).collect(),
                age_s: self.now_s.saturating_sub(a.created_s),
                left_s: a.expires_s.saturating_sub(self.now_s),
                permissions: a.permissions.len() as u32,
                channels: a.channels.len() as u32,
                usage: a.usage,
            })
        })
    }

    pub fn counters(&self) -> Counters {
        Counters { allocations: self.live as u64, ..self.counters }
    }

    // Inside ------------------------------------------------------------------------------------------------

    #[inline]
    pub(crate) fn get(&self, id: AllocationId) -> Option<&Allocation> {
        let slot = self.slots.get(id.index as usize).filter(|slot| slot.generation == id.generation)?;
        slot.allocation.as_deref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: AllocationId) -> Option<&mut Allocation> {
        let slot = self.slots.get_mut(id.index as usize).filter(|slot| slot.generation == id.generation)?;
        slot.allocation.as_deref_mut()
    }

    /// The name that the next allocation will have.
    pub(crate) fn next_id(&mut self) -> AllocationId {
        let index = self.free.last().copied().unwrap_or(self.slots.len() as u32);
        if index as usize == self.slots.len() {
            self.slots.push(Slot { generation: 1, allocation: None });
            self.free.push(index);
        }
        AllocationId { index, generation: self.slots[index as usize].generation }
    }

    /// `id` is that of `next_id`.
    pub(crate) fn insert(&mut self, id: AllocationId, allocation: Allocation) {
        debug_assert_eq!(self.free.last(), Some(&id.index));
        self.free.pop();
        self.by_tuple.insert(allocation.tuple, id);
        let username = allocation.username.clone();
        self.slots[id.index as usize].allocation = Some(Box::new(allocation));
        self.live += 1;
        self.schedule(id);
        self.counters.allocated += 1;
        self.events.push_back(TurnEvent::Allocated { id, username });
    }

    pub(crate) fn free_allocation(&mut self, id: AllocationId, why: FreeReason, host: &mut dyn Host) -> bool {
        if self.get(id).is_none() {
            return false;
        }
        let slot = &mut self.slots[id.index as usize];
        let Some(gone) = slot.allocation.take() else { return false };
        // A slot that has used up its generations is retired: an id must never name two allocations.
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            self.free.push(id.index);
        }
        for relay in gone.relays.iter().flatten() {
            host.close_relay(relay.id);
        }
        if self.by_tuple.get(&gone.tuple) == Some(&id) {
            self.by_tuple.remove(&gone.tuple);
        }
        self.live -= 1;
        self.accounts.subtract(&gone.account);
        self.events.push_back(TurnEvent::Freed { id, username: gone.username, why, usage: gone.usage });
        true
    }

    /// Sees to it that this allocation is looked at when something of it ends. An entry that comes too early is cheaper
    /// than one more.
    pub(crate) fn schedule(&mut self, id: AllocationId) {
        let now_s = self.now_s;
        let Some(allocation) = self.get(id) else { return };
        let next_s = allocation.next_due_s();
        if allocation.due_s.is_none_or(|due_s| due_s > next_s) {
            let due_s = self.wheel.insert(now_s, next_s, id);
            if let Some(allocation) = self.get_mut(id) {
                allocation.due_s = Some(due_s);
            }
        }
    }

    pub(crate) fn allocation_count(&self) -> usize {
        self.live
    }

    /// From now on the allocation is found by this 5-tuple alone.
    pub(crate) fn move_to(&mut self, id: AllocationId, tuple: FiveTuple) {
        self.leave(id);
        if let Some(allocation) = self.get_mut(id) {
            allocation.tuple = tuple;
            self.by_tuple.insert(tuple, id);
        }
    }

    /// The allocation is no longer found by its 5-tuple.
    pub(crate) fn leave(&mut self, id: AllocationId) {
        if let Some(tuple) = self.get(id).map(|allocation| allocation.tuple)
            && self.by_tuple.get(&tuple) == Some(&id)
        {
            self.by_tuple.remove(&tuple);
        }
    }

    fn s(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.started).as_secs() as u32
    }

    pub(crate) fn ns(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_nanos() as u64
    }
}

impl Drop for Server {
    /// What the other shards count together with it goes as well.
    fn drop(&mut self) {
        for allocation in self.slots.iter().filter_map(|slot| slot.allocation.as_ref()) {
            self.accounts.subtract(&allocation.account);
        }
    }
}
