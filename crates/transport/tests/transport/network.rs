//! A seeded network in virtual time: it loses, delays, reorders and repeats.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// Small and good enough to shuffle packets (xorshift64*).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit.max(1)
    }

    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }
}

/// What the path does to packets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path {
    pub(crate) loss_percent: u64,
    pub(crate) duplicate_percent: u64,
    pub(crate) delay_ms: (u64, u64),
}

impl Path {
    pub(crate) const CLEAN: Self = Self { loss_percent: 0, duplicate_percent: 0, delay_ms: (1, 1) };

    /// One-way delays that differ reorder packets.
    pub(crate) const fn lossy(loss_percent: u64) -> Self {
        Self { loss_percent, duplicate_percent: 3, delay_ms: (5, 25) }
    }
}

/// When it arrives, its number, to whom, its bytes.
type Packet<T> = (Instant, u64, usize, T);

/// Packets under way, each to one of the ends.
#[derive(Debug)]
pub(crate) struct Network<T = Vec<u8>> {
    pub(crate) now: Instant,
    pub(crate) path: Path,
    pub(crate) dice: Dice,
    under_way: BinaryHeap<Reverse<Packet<T>>>,
    sent: u64,
}

impl<T: Ord + Clone> Network<T> {
    pub(crate) fn new(seed: u64, path: Path) -> Self {
        Self { now: Instant::now(), path, dice: Dice::new(seed), under_way: BinaryHeap::new(), sent: 0 }
    }

    pub(crate) fn send(&mut self, to: usize, packet: T) {
        if self.dice.percent(self.path.loss_percent) {
            return;
        }
        let copies = if self.dice.percent(self.path.duplicate_percent) { 2 } else { 1 };
        for _ in 0..copies {
            let (least, most) = self.path.delay_ms;
            let delay = Duration::from_millis(least + self.dice.below(most - least + 1));
            self.sent += 1;
            self.under_way.push(Reverse((self.now + delay, self.sent, to, packet.clone())));
        }
    }

    /// When the next packet arrives.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        self.under_way.peek().map(|Reverse((at, ..))| *at)
    }

    /// A packet that has arrived by now.
    pub(crate) fn arrived(&mut self) -> Option<(usize, T)> {
        if self.next_arrival()? > self.now {
            return None;
        }
        self.under_way.pop().map(|Reverse((_, _, to, packet))| (to, packet))
    }
}
