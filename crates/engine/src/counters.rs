//! Counters that one shard writes and anybody reads.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Written by its shard alone: a load and a store, no locked instruction on the packet path.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.store(self.0.load(Relaxed) + more, Relaxed);
    }

    /// For what is counted elsewhere, by the machine that its shard owns.
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[derive(Debug, Default)]
pub(crate) struct StunCounters {
    pub(crate) answered: Counter,
    pub(crate) refused: Counter,
    pub(crate) malformed: Counter,
    pub(crate) unserved: Counter,
    pub(crate) rate_limited: Counter,
}

#[derive(Debug, Default)]
pub(crate) struct TurnCounters {
    pub(crate) relayed_up: Counter,
    pub(crate) relayed_down: Counter,
    pub(crate) malformed: Counter,
    pub(crate) unknown: Counter,
    pub(crate) no_permission: Counter,
    pub(crate) over_quota: Counter,
    pub(crate) unread: Counter,
    pub(crate) panics: Counter,
    pub(crate) connections: Counter,
    pub(crate) refused_connections: Counter,
    pub(crate) allocations: Counter,
    pub(crate) allocated: Counter,
    pub(crate) bindings: Counter,
    pub(crate) refused: Counter,
    pub(crate) unauthorized: Counter,
    pub(crate) unserved: Counter,
    pub(crate) rate_limited: Counter,
    pub(crate) malformed_messages: Counter,
}

impl TurnCounters {
    /// What the machine has counted so far.
    pub(crate) fn take_over(&self, machine: peerline_turn::Counters) {
        self.allocations.set(machine.allocations);
        self.allocated.set(machine.allocated);
        self.bindings.set(machine.bindings);
        self.refused.set(machine.refused);
        self.unauthorized.set(machine.unauthorized);
        self.unserved.set(machine.unserved);
        self.rate_limited.set(machine.rate_limited);
        self.malformed_messages.set(machine.malformed);
    }
}

#[derive(Debug, Default)]
pub(crate) struct ShardCounters {
    pub(crate) stun: StunCounters,
    pub(crate) turn: TurnCounters,
    pub(crate) send_failed: Counter,
    pub(crate) receive_failed: Counter,
}

/// What the STUN services have seen, in datagrams.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct StunSnapshot {
    /// Success responses.
    pub answered: u64,
    /// Error 420 responses.
    pub refused: u64,
    /// No STUN message at all.
    pub malformed: u64,
    /// STUN, but nothing this server serves: responses, indications, other methods, a wrong FINGERPRINT.
    pub unserved: u64,
    /// Clean requests over their source's rate.
    pub rate_limited: u64,
}

/// What the TURN servers have relayed and dropped, in datagrams.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TurnSnapshot {
    /// From clients to peers.
    pub relayed_up: u64,
    /// From peers to clients.
    pub relayed_down: u64,
    /// Neither a STUN message nor well-formed ChannelData.
    pub malformed: u64,
    /// ChannelData of nobody's allocation or on a channel that is not bound.
    pub unknown: u64,
    /// From peers whom the client has not permitted.
    pub no_permission: u64,
    /// Over the rate of its allocation.
    pub over_quota: u64,
    /// For clients over TCP or TLS that read too slowly.
    pub unread: u64,
    /// Messages that a bug of ours made us drop.
    pub panics: u64,
    /// TCP and TLS connections there are now.
    pub connections: u64,
    /// TCP and TLS connections that were closed at once: too many, too fast, or no descriptor was left.
    pub refused_connections: u64,
    /// Allocations there are now.
    pub allocations: u64,
    /// Allocations made since the beginning.
    pub allocated: u64,
    /// Binding success responses.
    pub bindings: u64,
    /// Error responses to clients that are known, and 420 to Binding requests.
    pub refused: u64,
    /// 400, 401 and 438 to strangers.
    pub unauthorized: u64,
    /// Responses, indications and methods that are not served.
    pub unserved: u64,
    /// Their source has had its share of answers.
    pub rate_limited: u64,
}

/// One shard's counters, or the sum over several shards.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ShardSnapshot {
    pub stun: StunSnapshot,
    pub turn: TurnSnapshot,
    /// Datagrams the operating system would not send.
    pub send_failed: u64,
    /// Receive calls that ended in an error.
    pub receive_failed: u64,
}

impl StunSnapshot {
    /// Every datagram ends in exactly one of the counters, so their sum needs none of its own.
    pub fn received(&self) -> u64 {
        self.answered + self.refused + self.malformed + self.unserved + self.rate_limited
    }
}

impl ShardCounters {
    pub(crate) fn snapshot(&self) -> ShardSnapshot {
        let stun = StunSnapshot {
            answered: self.stun.answered.get(),
            refused: self.stun.refused.get(),
            malformed: self.stun.malformed.get(),
            unserved: self.stun.unserved.get(),
            rate_limited: self.stun.rate_limited.get(),
        };
        let turn = TurnSnapshot {
            relayed_up: self.turn.relayed_up.get(),
            relayed_down: self.turn.relayed_down.get(),
            malformed: self.turn.malformed.get() + self.turn.malformed_messages.get(),
            unknown: self.turn.unknown.get(),
            no_permission: self.turn.no_permission.get(),
            over_quota: self.turn.over_quota.get(),
            unread: self.turn.unread.get(),
            panics: self.turn.panics.get(),
            connections: self.turn.connections.get(),
            refused_connections: self.turn.refused_connections.get(),
            allocations: self.turn.allocations.get(),
            allocated: self.turn.allocated.get(),
            bindings: self.turn.bindings.get(),
            refused: self.turn.refused.get(),
            unauthorized: self.turn.unauthorized.get(),
            unserved: self.turn.unserved.get(),
            rate_limited: self.turn.rate_limited.get(),
        };
        ShardSnapshot { stun, turn, send_failed: self.send_failed.get(), receive_failed: self.receive_failed.get() }
    }
}

impl std::iter::Sum for ShardSnapshot {
    fn sum<I: Iterator<Item = Self>>(snapshots: I) -> Self {
        snapshots.fold(Self::default(), |a, b| Self {
            stun: StunSnapshot {
                answered: a.stun.answered + b.stun.answered,
                refused: a.stun.refused + b.stun.refused,
                malformed: a.stun.malformed + b.stun.malformed,
                unserved: a.stun.unserved + b.stun.unserved,
                rate_limited: a.stun.rate_limited + b.stun.rate_limited,
            },
            turn: TurnSnapshot {
                relayed_up: a.turn.relayed_up + b.turn.relayed_up,
                relayed_down: a.turn.relayed_down + b.turn.relayed_down,
                malformed: a.turn.malformed + b.turn.malformed,
                unknown: a.turn.unknown + b.turn.unknown,
                no_permission: a.turn.no_permission + b.turn.no_permission,
                over_quota: a.turn.over_quota + b.turn.over_quota,
                unread: a.turn.unread + b.turn.unread,
                panics: a.turn.panics + b.turn.panics,
                connections: a.turn.connections + b.turn.connections,
                refused_connections: a.turn.refused_connections + b.turn.refused_connections,
                allocations: a.turn.allocations + b.turn.allocations,
                allocated: a.turn.allocated + b.turn.allocated,
                bindings: a.turn.bindings + b.turn.bindings,
                refused: a.turn.refused + b.turn.refused,
                unauthorized: a.turn.unauthorized + b.turn.unauthorized,
                unserved: a.turn.unserved + b.turn.unserved,
                rate_limited: a.turn.rate_limited + b.turn.rate_limited,
            },
            send_failed: a.send_failed + b.send_failed,
            receive_failed: a.receive_failed + b.receive_failed,
        })
    }
}
