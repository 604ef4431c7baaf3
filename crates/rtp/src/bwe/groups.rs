//! Packets that left in one burst are looked at as one (draft-ietf-rmcat-gcc-02 §5.2).

use std::time::{Duration, Instant};

use super::history::Arrived;

const BURST: Duration = Duration::from_millis(5);
const BURST_US: i64 = 5_000;
/// A path that hands out packets in bursts joins no more than this.
const MAX_BURST_US: i64 = 100_000;
/// The receiver's clock has jumped when it is that far ahead of ours.
const MAX_JUMP_MS: f64 = 3_000.0;
/// So many groups that seem to arrive before earlier ones mean that the receiver's clock was set back.
const MAX_BACKWARDS: u32 = 3;

#[derive(Debug, Default)]
pub(crate) struct Groups {
    previous: Option<Group>,
    current: Option<Group>,
    backwards: u32,
}

/// How far apart two groups left and arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delta {
    pub(crate) sent_ms: f64,
    pub(crate) arrival_ms: f64,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent: Instant,
    last_sent: Instant,
    first_arrival_us: i64,
    last_arrival_us: i64,
    told_at: Instant,
}

impl Groups {
    /// A packet that arrived after those before; gives what is known once it begins a new group.
    pub(crate) fn arrived(&mut self, now: Instant, packet: &Arrived) -> Option<Delta> {
        let fresh = Group {
            first_sent: packet.sent_at,
            last_sent: packet.sent_at,
            first_arrival_us: packet.arrival_us,
            last_arrival_us: packet.arrival_us,
            told_at: now,
        };
        let Some(current) = &mut self.current else {
            self.current = Some(fresh);
            return None;
        };
        if packet.sent_at < current.first_sent {
            return None;
        }
        if current.has_room_for(packet) {
            current.last_sent = current.last_sent.max(packet.sent_at);
            current.last_arrival_us = current.last_arrival_us.max(packet.arrival_us);
            current.told_at = now;
            return None;
        }
        let done = *current;
        self.current = Some(fresh);
        let previous = self.previous.replace(done)?;
        self.between(previous, done)
    }

    fn between(&mut self, previous: Group, done: Group) -> Option<Delta> {
        let arrival_ms = done.last_arrival_us.saturating_sub(previous.last_arrival_us) as f64 / 1000.0;
        let told_ms = milliseconds(previous.told_at, done.told_at);
        if arrival_ms - told_ms > MAX_JUMP_MS {
            *self = Self::default();
            return None;
        }
        if arrival_ms < 0.0 {
            self.backwards += 1;
            if self.backwards >= MAX_BACKWARDS {
                *self = Self::default();
            } else {
                // The next is compared with the one that was in order.
                self.previous = Some(previous);
            }
            return None;
        }
        self.backwards = 0;
        Some(Delta { sent_ms: milliseconds(previous.last_sent, done.last_sent), arrival_ms })
    }
}

impl Group {
    fn has_room_for(&self, packet: &Arrived) -> bool {
        if packet.sent_at.saturating_duration_since(self.first_sent) <= BURST {
            return true;
        }
        // What queued up behind something else and arrives at once says nothing of the queue we make.
        let arrival_us = packet.arrival_us.saturating_sub(self.last_arrival_us);
        let sent_us = milliseconds(self.last_sent, packet.sent_at) * 1000.0;
        (0..=BURST_US).contains(&arrival_us)
            && (arrival_us as f64) < sent_us
            && packet.arrival_us.saturating_sub(self.first_arrival_us) < MAX_BURST_US
    }
}

fn milliseconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1000.0
}
