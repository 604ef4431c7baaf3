//! The STUN Binding server (RFC 8489 §12): tells each client the address it was seen from.

use std::sync::Arc;
use std::time::Instant;

use peerline_wire::stun::binding::{Answer, BindingRequest, MAX_ANSWER_LEN, Silence};

use crate::counters::ShardCounters;
use crate::outbox::Outbox;
use crate::rate_limit::{RateLimit, RateLimiter};
use crate::service::{Datagram, Service};

#[derive(Debug)]
pub(crate) struct StunService {
    limiter: Option<RateLimiter>,
    counters: Arc<ShardCounters>,
}

impl StunService {
    /// Without a limit it answers everybody as fast as it can: for closed networks and benchmarks.
    pub(crate) fn new(limit: Option<RateLimit>, now: Instant, counters: Arc<ShardCounters>) -> Self {
        Self { limiter: limit.map(|limit| RateLimiter::new(limit, now)), counters }
    }
}

impl Service for StunService {
    fn handle_input(&mut self, now: Instant, datagram: Datagram<'_>, outbox: &mut Outbox) {
        let count = &self.counters.stun;
        let request = match BindingRequest::parse(datagram.payload) {
            Ok(request) => request,
            Err(Silence::Malformed(_)) => return count.malformed.add(1),
            Err(_) => return count.unserved.add(1),
        };
        if self.limiter.as_mut().is_some_and(|limiter| !limiter.allow(now, datagram.source.ip())) {
            return count.rate_limited.add(1);
        }
        let mut buffer = [0; MAX_ANSWER_LEN];
        let answer = request.answer(datagram.source, &mut buffer);
        match answer {
            Answer::Success(_) => count.answered.add(1),
            Answer::UnknownAttributes(_) => count.refused.add(1),
        }
        // From the address that was asked (RFC 8489 §6.3.1.2): a client behind a NAT hears no other.
        outbox.push(datagram.source, datagram.local_ip, answer.bytes(&buffer));
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Some(limiter) = &mut self.limiter {
            limiter.sweep(now);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.limiter.as_ref()?.poll_timeout()
    }
}
