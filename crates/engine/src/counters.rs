//! Counters that one shard writes and anybody reads.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Written by its shard alone: a load and a store, no locked instruction on the packet path.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.store(self.0.load(Relaxed) + more, Relaxed);
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
pub(crate) struct ShardCounters {
    pub(crate) stun: StunCounters,
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

/// One shard's counters, or the sum over several shards.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ShardSnapshot {
    pub stun: StunSnapshot,
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
        ShardSnapshot { stun, send_failed: self.send_failed.get(), receive_failed: self.receive_failed.get() }
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
            send_failed: a.send_failed + b.send_failed,
            receive_failed: a.receive_failed + b.receive_failed,
        })
    }
}
