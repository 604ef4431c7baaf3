//! What two people tell each other besides the packets: credentials and candidates, on a way that loses nothing.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use peerline_transport::ice::Credentials;

#[derive(Debug, Clone)]
pub(crate) enum Signal {
    /// Of a new generation that the other side is asked to answer.
    Restart(Credentials),
    /// The answer to it.
    Restarted(Credentials),
    Candidate(String),
    EndOfCandidates,
}

/// Signals under way to either side.
pub(crate) struct Signaling {
    pub(crate) delay: Duration,
    queues: [VecDeque<(Instant, Signal)>; 2],
}

impl Signaling {
    pub(crate) fn new() -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self { delay: Duration::from_millis(5), queues: Default::default() }))
    }

    pub(crate) fn send(&mut self, now: Instant, to: usize, signal: Signal) {
        self.queues[to].push_back((now + self.delay, signal));
    }

    pub(crate) fn poll_timeout(&self, side: usize) -> Option<Instant> {
        self.queues[side].front().map(|(at, _)| *at)
    }

    pub(crate) fn receive(&mut self, now: Instant, side: usize) -> Option<Signal> {
        if self.poll_timeout(side)? > now {
            return None;
        }
        self.queues[side].pop_front().map(|(_, signal)| signal)
    }
}
