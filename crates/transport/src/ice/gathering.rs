//! Our addresses as STUN servers see them: server-reflexive candidates (RFC 8445 §5.1.1.2, RFC 8489 §6.2.1).
//!
//! Every question stands for itself: a server that is dead delays nobody but its own error.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use peerline_wire::stun::{Class, HEADER_LEN, Message, MessageWriter, Method, TransactionId, decode_xor_address, kind};

use super::event::{Address, Transmit};

const FIRST_RETRY: Duration = Duration::from_millis(250);
const MAX_RETRY: Duration = Duration::from_secs(2);
/// The whole of a transaction; browsers wait as long.
const TIMEOUT: Duration = Duration::from_millis(9500);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatheringEvent {
    /// The server sees this socket of ours at this address.
    Reflexive { base: SocketAddr, mapped: SocketAddr, server: SocketAddr },
    /// W3C's `icecandidateerror`: 701 if the server could not be reached, else the code it answered with.
    Error { base: SocketAddr, server: SocketAddr, code: u16 },
    /// Every question is answered or given up.
    Done,
}

#[derive(Debug)]
struct Question {
    id: TransactionId,
    address: Address,
    since: Instant,
    retry: Duration,
    due: Instant,
}

/// Asks STUN servers from sockets.
#[derive(Debug, Default)]
pub struct Gathering {
    questions: Vec<Question>,
    packets: VecDeque<Transmit>,
    events: VecDeque<GatheringEvent>,
}

impl Gathering {
    /// Asks from each socket each server of its family. With nobody to ask it is done at once.
    pub fn start(now: Instant, sockets: &[SocketAddr], servers: &[SocketAddr]) -> Self {
        let mut gathering = Self::default();
        for base in sockets {
            for server in servers.iter().filter(|server| server.is_ipv4() == base.is_ipv4()) {
                gathering.ask(now, Address { local: *base, remote: *server });
            }
        }
        if gathering.questions.is_empty() {
            gathering.events.push_back(GatheringEvent::Done);
        }
        gathering
    }

    /// A datagram that begins like STUN. False: it answers no question of ours.
    pub fn handle_input(&mut self, address: Address, bytes: &[u8]) -> bool {
        let Ok(message) = Message::parse(bytes) else { return false };
        let is_it = |question: &Question| question.id == message.transaction && question.address == address;
        let Some(at) = self.questions.iter().position(is_it) else { return false };
        let (base, server) = (address.local, address.remote);
        let mapped = message.attribute(kind::XOR_MAPPED_ADDRESS);
        let mapped = mapped.and_then(|attribute| decode_xor_address(attribute.value, message.transaction));
        let event = match (message.class, mapped) {
            (Class::Success, Some(mapped)) => GatheringEvent::Reflexive { base, mapped, server },
            (Class::Error, _) => GatheringEvent::Error { base, server, code: error_code(&message).unwrap_or(701) },
            _ => return false,
        };
        self.finish(at, event);
        true
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        let mut at = 0;
        while let Some(question) = self.questions.get_mut(at) {
            if now.saturating_duration_since(question.since) >= TIMEOUT {
                let Address { local: base, remote: server } = question.address;
                self.finish(at, GatheringEvent::Error { base, server, code: 701 });
                continue;
            }
            if now >= question.due {
                question.retry = (question.retry * 2).min(MAX_RETRY);
                question.due = now + question.retry;
                self.packets.push_back(question.packet());
            }
            at += 1;
        }
    }

    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.packets.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<GatheringEvent> {
        self.events.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.questions.iter().map(|question| question.due.min(question.since + TIMEOUT)).min()
    }

    fn ask(&mut self, now: Instant, address: Address) {
        let mut id = [0; 12];
        rand::fill(&mut id).expect("the system has randomness");
        let id = TransactionId(id);
        let question = Question { id, address, since: now, retry: FIRST_RETRY, due: now + FIRST_RETRY };
        self.packets.push_back(question.packet());
        self.questions.push(question);
    }

    fn finish(&mut self, at: usize, event: GatheringEvent) {
        self.questions.remove(at);
        self.events.push_back(event);
        if self.questions.is_empty() {
            self.events.push_back(GatheringEvent::Done);
        }
    }
}

impl Question {
    fn packet(&self) -> Transmit {
        let mut bytes = vec![0; HEADER_LEN + 8];
        let mut writer =
            MessageWriter::new(&mut bytes, Class::Request, Method::BINDING, self.id).expect("a header fits");
        writer.fingerprint().expect("a fingerprint fits");
        let len = writer.finish();
        bytes.truncate(len);
        Transmit { address: self.address, bytes }
    }
}

/// Class and number of ERROR-CODE (RFC 8489 §14.8).
fn error_code(message: &Message<'_>) -> Option<u16> {
    match message.attribute(kind::ERROR_CODE)?.value {
        [_, _, class, number, ..] => Some(u16::from(class & 7) * 100 + u16::from(*number)),
        _ => None,
    }
}
