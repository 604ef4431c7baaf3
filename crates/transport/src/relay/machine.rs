//! The client of one allocation: the five verbs, and how far it is (RFC 8656 §7, §8).

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::channels::Channels;
use super::credentials::Credentials;
use super::event::RelayEvent;
use super::permissions::Permissions;
use super::request;
use super::settings::{RelayFamily, RelaySettings};
use super::transaction::{Purpose, Step, Transaction};

/// What a server says about how long it keeps us is believed within these limits.
const MIN_LIFETIME: Duration = Duration::from_secs(30);
const MAX_LIFETIME: Duration = Duration::from_secs(3600);
/// So long before its end an allocation is refreshed, or at half its life if that is short.
const REFRESH_BEFORE: Duration = Duration::from_secs(60);

/// One relayed address, from asking for it to giving it back. After every call: poll events until there are none, then
/// packets for the server.
///
/// Its packets go to [`Relay::server`] over one socket or one connection of its own; only what comes from there is given
/// to `handle_input`.
#[derive(Debug)]
pub struct Relay {
    pub(super) settings: RelaySettings,
    pub(super) credentials: Credentials,
    pub(super) family: RelayFamily,
    pub(super) phase: Phase,
    /// Where we have been sent, the first server included.
    pub(super) servers: Vec<SocketAddr>,
    /// Whether the server has answered anything.
    pub(super) has_heard: bool,
    pub(super) is_closing: bool,
    pub(super) transactions: Vec<Transaction>,
    pub(super) permissions: Permissions,
    pub(super) channels: Channels,
    pub(super) packets: VecDeque<Vec<u8>>,
    pub(super) events: VecDeque<RelayEvent>,
}

#[derive(Debug)]
pub(super) enum Phase {
    /// The stream to the server does not stand.
    Unconnected,
    Asking,
    Allocated(Allocation),
    /// Given back, or never had.
    Over,
}

#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) relayed: SocketAddr,
    expires: Instant,
    /// `None`: that is under way, or useless.
    refresh: Option<Instant>,
    /// Why the server will not prolong it.
    refused: Option<(u16, String)>,
}

impl Allocation {
    /// `since` is when it was asked for, and so not later than when it began.
    pub(super) fn new(relayed: SocketAddr, since: Instant, lifetime: Duration) -> Self {
        let mut allocation = Self { relayed, expires: since, refresh: None, refused: None };
        allocation.prolong(since, lifetime);
        allocation
    }

    pub(super) fn prolong(&mut self, since: Instant, lifetime: Duration) {
        let lifetime = lifetime.clamp(MIN_LIFETIME, MAX_LIFETIME);
        self.expires = since + lifetime;
        self.refresh = Some(since + lifetime.saturating_sub(REFRESH_BEFORE).max(lifetime / 2));
    }

    /// The server does not want to. What we have stays ours until its end.
    pub(super) fn refuse(&mut self, code: u16, reason: String) {
        self.refused = Some((code, reason));
    }

    /// Nobody answered: there may be time for another try.
    pub(super) fn refresh_again(&mut self, now: Instant) {
        self.refresh = Some(now);
    }
}

impl Relay {
    /// Over UDP it asks at once, over a stream when that is [`connected`](Self::connected).
    pub fn new(now: Instant, settings: RelaySettings) -> Self {
        let credentials = Credentials::new(settings.username.clone(), settings.password.clone());
        let mut relay = Self {
            credentials,
            family: settings.family,
            phase: Phase::Unconnected,
            servers: vec![settings.server],
            has_heard: false,
            is_closing: false,
            transactions: Vec::new(),
            permissions: Permissions::default(),
            channels: Channels::default(),
            packets: VecDeque::new(),
            events: VecDeque::new(),
            settings,
        };
        if !relay.settings.is_stream {
            relay.start(now);
        }
        relay
    }

    /// Where packets go now; another address after the server has sent us away.
    pub fn server(&self) -> SocketAddr {
        self.settings.server
    }

    pub fn relayed(&self) -> Option<SocketAddr> {
        match &self.phase {
            Phase::Allocated(allocation) => Some(allocation.relayed),
            _ => None,
        }
    }

    /// The stream to the server stands.
    pub fn connected(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Unconnected) && !self.is_closing {
            self.start(now);
        }
    }

    /// The stream to the server broke, or could not be made; or the system says that nobody is there.
    pub fn disconnected(&mut self, reason: &str) {
        self.end(701, reason.to_owned());
    }

    /// Gives the relay back. It is [`RelayEvent::Closed`] when the server knows; whoever cannot wait sends what
    /// `poll_transmit` gives, and goes.
    pub fn close(&mut self, now: Instant) {
        if std::mem::replace(&mut self.is_closing, true) {
            return;
        }
        match self.phase {
            Phase::Allocated(_) => {
                self.forget_peers();
                self.ask(now, Purpose::Release, 0);
            }
            // The server may have a relay for us and its answer be under way: that one is given back, too.
            Phase::Asking if self.transactions.iter().any(|one| one.seal.is_some()) => {
                self.transactions.iter_mut().for_each(|transaction| transaction.hurry(now));
            }
            _ => self.finish(RelayEvent::Closed),
        }
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        let mut silent = Vec::new();
        for transaction in &mut self.transactions {
            match transaction.advance(now) {
                Step::Wait => {}
                Step::Send(packet) => self.packets.push_back(packet),
                Step::GiveUp => silent.push(transaction.id),
            }
        }
        for id in silent {
            if let Some(at) = self.transactions.iter().position(|transaction| transaction.id == id) {
                let transaction = self.transactions.swap_remove(at);
                self.give_up(now, transaction);
            }
        }
        self.keep(now);
        self.keep_peers(now);
    }

    /// For the server.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.packets.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<RelayEvent> {
        self.events.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let of_allocation = match &self.phase {
            // What is given back is not prolonged.
            Phase::Allocated(allocation) if self.is_closing => Some(allocation.expires),
            Phase::Allocated(allocation) => Some(allocation.refresh.unwrap_or(allocation.expires)),
            _ => None,
        };
        let of_peers = [self.permissions.poll_timeout(), self.channels.poll_timeout()].into_iter().flatten().min();
        self.transactions.iter().map(Transaction::poll_timeout).chain(of_allocation).chain(of_peers).min()
    }

    /// Asks this server from the beginning.
    pub(super) fn start(&mut self, now: Instant) {
        self.phase = Phase::Asking;
        self.ask(now, Purpose::Allocate, 0);
    }

    pub(super) fn ask(&mut self, now: Instant, purpose: Purpose, challenges: u32) {
        let Ok((id, packet)) = request::write(purpose, self.family, &self.credentials) else {
            self.end(701, "the user name is too long".to_owned());
            return;
        };
        let seal = self.credentials.seal().cloned();
        let is_stream = self.settings.is_stream;
        let mut transaction = Transaction::new(now, id, purpose, packet, seal, is_stream, self.has_heard);
        transaction.challenges = challenges;
        self.packets.push_back(transaction.packet());
        self.transactions.push(transaction);
    }

    /// It is over, and why.
    pub(super) fn end(&mut self, code: u16, reason: String) {
        match self.phase {
            Phase::Over => {}
            _ if self.is_closing => self.finish(RelayEvent::Closed),
            Phase::Allocated(_) => self.finish(RelayEvent::Lost { code, reason }),
            Phase::Unconnected | Phase::Asking => self.finish(RelayEvent::Failed { code, reason }),
        }
    }

    pub(super) fn finish(&mut self, event: RelayEvent) {
        self.phase = Phase::Over;
        self.transactions.clear();
        self.forget_peers();
        self.events.push_back(event);
    }

    fn forget_peers(&mut self) {
        self.permissions.clear();
        self.channels.clear();
    }

    /// Refreshes the allocation, or sees its end.
    fn keep(&mut self, now: Instant) {
        let Phase::Allocated(allocation) = &mut self.phase else { return };
        if now >= allocation.expires {
            let nobody = || (701, "the server does not answer any more".to_owned());
            let (code, reason) = allocation.refused.take().unwrap_or_else(nobody);
            self.end(code, reason);
        } else if allocation.refresh.is_some_and(|refresh| now >= refresh) && !self.is_closing {
            allocation.refresh = None;
            self.ask(now, Purpose::Refresh, 0);
        }
    }

    fn keep_peers(&mut self, now: Instant) {
        let channels = &self.channels;
        let permissions: Vec<IpAddr> = self.permissions.due(now, |ip| channels.used(ip));
        for ip in permissions {
            self.ask(now, Purpose::Permit(ip), 0);
        }
        for (channel, peer) in self.channels.due(now) {
            self.ask(now, Purpose::Bind { channel, peer }, 0);
        }
    }
}
