//! One request until it is answered or given up (RFC 8489 §6.2.1 over UDP, §6.2.2 over streams).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use peerline_wire::stun::{Method, TransactionId};

use super::key::Seal;

/// RFC 8489 §6.2.1: the first pause, which doubles, and how often a request is sent.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const MAX_SENT: u32 = 7;
/// After the last one; over streams after the only one (Ti).
const PATIENCE: Duration = Duration::from_millis(39_500);
/// With a server that has never answered; as long as STUN servers are asked.
const FIRST_PATIENCE: Duration = Duration::from_millis(9_500);
/// What nobody gives back goes by itself when it expires.
const LAST_PATIENCE: Duration = Duration::from_millis(3_500);

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Allocate,
    Refresh,
    /// Refresh with no lifetime.
    Release,
    Permit(IpAddr),
    Bind {
        channel: u16,
        peer: SocketAddr,
    },
}

impl Purpose {
    pub(super) fn method(self) -> Method {
        match self {
            Self::Allocate => Method::ALLOCATE,
            Self::Refresh | Self::Release => Method::REFRESH,
            Self::Permit(_) => Method::CREATE_PERMISSION,
            Self::Bind { .. } => Method::CHANNEL_BIND,
        }
    }
}

#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) id: TransactionId,
    pub(super) purpose: Purpose,
    /// Of the request, and so of its answer.
    pub(super) seal: Option<Seal>,
    pub(super) since: Instant,
    /// How often the server has challenged us about this.
    pub(super) challenges: u32,
    /// An error came that anybody may have made up. It counts if nothing better comes.
    pub(super) rumour: Option<(u16, String)>,
    packet: Vec<u8>,
    sent: u32,
    pause: Duration,
    /// `None`: it has been sent often enough.
    due: Option<Instant>,
    gives_up: Instant,
}

/// What the time asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Wait,
    Send(Vec<u8>),
    GiveUp,
}

impl Transaction {
    pub(super) fn new(
        now: Instant,
        id: TransactionId,
        purpose: Purpose,
        packet: Vec<u8>,
        seal: Option<Seal>,
        is_stream: bool,
        has_heard: bool,
    ) -> Self {
        let patience = match purpose {
            Purpose::Release => LAST_PATIENCE,
            _ if has_heard => PATIENCE,
            _ => FIRST_PATIENCE,
        };
        Self {
            id,
            purpose,
            seal,
            since: now,
            challenges: 0,
            rumour: None,
            packet,
            sent: 1,
            pause: FIRST_PAUSE,
            due: (!is_stream).then(|| now + FIRST_PAUSE),
            gives_up: now + patience,
        }
    }

    pub(super) fn packet(&self) -> Vec<u8> {
        self.packet.clone()
    }

    /// Its owner is going.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.gives_up = self.gives_up.min(now + LAST_PATIENCE);
    }

    pub(super) fn advance(&mut self, now: Instant) -> Step {
        if now >= self.gives_up {
            return Step::GiveUp;
        }
        match self.due {
            Some(due) if now >= due => {
                self.sent += 1;
                self.pause *= 2;
                self.due = (self.sent < MAX_SENT).then(|| due + self.pause);
                Step::Send(self.packet())
            }
            _ => Step::Wait,
        }
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        self.due.map_or(self.gives_up, |due| due.min(self.gives_up))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(purpose: Purpose, is_stream: bool, has_heard: bool) -> (Vec<u64>, u64) {
        let start = Instant::now();
        let id = TransactionId([1; 12]);
        let mut one = Transaction::new(start, id, purpose, vec![1], None, is_stream, has_heard);
        let mut sent = vec![0];
        loop {
            let now = one.poll_timeout();
            let ms = (now - start).as_millis() as u64;
            match one.advance(now) {
                Step::Wait => panic!("woken for nothing"),
                Step::Send(packet) => {
                    assert_eq!(packet, [1]);
                    sent.push(ms);
                }
                Step::GiveUp => return (sent, ms),
            }
        }
    }

    #[test]
    fn a_request_is_sent_as_often_as_the_rfc_says() {
        assert_eq!(times(Purpose::Refresh, false, true), (vec![0, 500, 1500, 3500, 7500, 15_500, 31_500], 39_500));
        assert_eq!(
            times(Purpose::Allocate, false, false),
            (vec![0, 500, 1500, 3500, 7500], 9_500),
            "to a server never heard"
        );
        assert_eq!(times(Purpose::Release, false, true), (vec![0, 500, 1500], 3_500), "before one goes");
    }

    #[test]
    fn over_a_stream_it_is_sent_once() {
        assert_eq!(times(Purpose::Refresh, true, true), (vec![0], 39_500));
        assert_eq!(times(Purpose::Allocate, true, false), (vec![0], 9_500));
    }
}
