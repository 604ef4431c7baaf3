//! Time goes on: what is over ends, and somebody looks when it does.

use std::time::{Duration, Instant};

use crate::event::FreeReason;
use crate::host::{AllocationId, Host};
use crate::rate_limit::RateLimiter;
use crate::server::{Now, Server};

impl Server {
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
        self.expire_connections(host);
        self.reservations.expire(now.instant, host);
        self.parked.retain(|parked| parked.gives_up_s > now_s);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let is_patient = self.reservations.is_empty() && self.parked.is_empty() && self.connections.is_patient();
        let has_work = !self.wheel.is_empty() || !is_patient;
        let tick = has_work.then(|| self.started + Duration::from_secs(u64::from(self.now_s) + 1));
        let sweep = self.limiter.as_ref().and_then(RateLimiter::poll_timeout);
        [tick, sweep].into_iter().flatten().min()
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

    pub(super) fn s(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.started).as_secs() as u32
    }

    /// The last message's or tick's time, as exactly as `now_s` knows it.
    pub(crate) fn now(&self) -> Instant {
        self.started + Duration::from_secs(self.now_s.into())
    }

    pub(crate) fn ns(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_nanos() as u64
    }
}
