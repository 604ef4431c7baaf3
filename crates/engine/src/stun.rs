//! The STUN Binding server (RFC 8489 §12): tells each client the address it was seen from.

use std::any::Any;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use mio::Interest;
use mio::net::UdpSocket;
use peerline_net::SendBatch;
use peerline_turn::{RateLimit, RateLimiter};
use peerline_wire::stun::binding::{Answer, BindingRequest, MAX_ANSWER_LEN, Silence};

use crate::counters::{ShardCounters, StunCounters};
use crate::service::{Io, Service, SocketId};

const LISTENER: SocketId = 0;
/// After so many arrivals the other sockets get their turn.
const ARRIVALS_PER_TURN: usize = 256;

#[derive(Debug)]
pub(crate) struct StunService {
    socket: UdpSocket,
    limiter: Option<RateLimiter>,
    answers: SendBatch,
}

impl StunService {
    /// Without a limit it answers everybody as fast as it can: for closed networks and benchmarks.
    pub(crate) fn new(socket: UdpSocket, limit: Option<RateLimit>, now: Instant) -> Self {
        let limiter = limit.map(|limit| RateLimiter::new(limit, now));
        Self { socket, limiter, answers: SendBatch::default() }
    }

    /// Answers what is in the ring.
    fn answer(&mut self, io: &mut Io<'_>) {
        let count = &io.counters.stun;
        for received in io.ring.received() {
            for range in received.datagrams() {
                let datagram = &io.ring.bytes()[range.start as usize..range.end as usize];
                let Some(request) = admit(datagram, count) else { continue };
                if self.limiter.as_mut().is_some_and(|limiter| !limiter.allow(io.now, received.source.ip())) {
                    count.rate_limited.add(1);
                    continue;
                }
                let mut buffer = [0; MAX_ANSWER_LEN];
                let answer = request.answer(received.source, &mut buffer);
                match answer {
                    Answer::Success(_) => count.answered.add(1),
                    Answer::UnknownAttributes(_) => count.refused.add(1),
                }
                // From the address that was asked (RFC 8489 §6.3.1.2): a client behind a NAT hears no other.
                self.answers.push(received.source, received.local_ip, answer.bytes(&buffer), 0..0, 0);
            }
        }
        io.counters.send_failed.add(self.answers.flush(&self.socket, io.ring.bytes()).failed);
        io.ring.clear();
    }
}

/// A clean request, or a count of what it was instead.
fn admit<'a>(datagram: &'a [u8], count: &StunCounters) -> Option<BindingRequest<'a>> {
    match BindingRequest::parse(datagram) {
        Ok(request) => return Some(request),
        Err(Silence::Malformed(_)) => count.malformed.add(1),
        Err(_) => count.unserved.add(1),
    }
    None
}

impl Service for StunService {
    fn start(&mut self, io: &mut Io<'_>) -> io::Result<()> {
        io.register(&mut self.socket, LISTENER, Interest::READABLE)
    }

    fn handle_ready(&mut self, io: &mut Io<'_>, _: SocketId, _: bool) -> bool {
        let mut arrivals = 0;
        while arrivals < ARRIVALS_PER_TURN {
            let room = io.ring.room();
            match io.ring.receive(&self.socket, room) {
                Ok(count) => {
                    arrivals += count;
                    self.answer(io);
                    if count < room {
                        return false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    count_failure(&error, io.counters);
                    return false;
                }
            }
        }
        true
    }

    fn finish_turn(&mut self, _: &mut Io<'_>) {}

    fn handle_timeout(&mut self, io: &mut Io<'_>) {
        if let Some(limiter) = &mut self.limiter {
            limiter.sweep(io.now);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.limiter.as_ref()?.poll_timeout()
    }

    fn handle_command(&mut self, _: &mut Io<'_>, _: Box<dyn Any + Send>) {}

    fn stop(&mut self, io: &mut Io<'_>) {
        io.deregister(&mut self.socket);
    }
}

/// That nothing waits is no failure.
pub(crate) fn count_failure(error: &io::Error, counters: &Arc<ShardCounters>) {
    counters.receive_failed.add(u64::from(error.kind() != io::ErrorKind::WouldBlock));
}
