//! The association as its owner sees it (RFC 9260 §11): the verbs, and which part of it answers them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::api::{AssociationEvent, Delivery, Message, SendError};
use crate::chunk;
use crate::handshake::Handshake;
use crate::link::Link;
use crate::messages::{Messages, Outgoing};
use crate::packet::Header;
use crate::resets::Resets;
use crate::send_queue::SendQueue;
use crate::settings::{Nonces, Settings};

/// What keeping a message costs beside its bytes.
const MESSAGE_COST: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody has asked for it yet; the other side may.
    Idle,
    /// We have sent INIT.
    CookieWait,
    CookieEchoed,
    Established,
    /// The other side wants an orderly end: what is queued goes out, and nothing is taken any more.
    ShuttingDown,
    Over,
}

/// What was measured (for statistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metrics {
    pub round_trip: Option<Duration>,
    /// Bytes that may be under way, and that are.
    pub congestion_window_bytes: usize,
    pub under_way_bytes: usize,
    /// What the other side still takes.
    pub remote_window_bytes: usize,
    /// The largest packet that is sent.
    pub packet_bytes: usize,
}

/// One SCTP association. After every call: poll events until there are none, then packets.
#[derive(Debug)]
pub struct Association {
    pub(crate) settings: Settings,
    pub(crate) nonces: Nonces,
    pub(crate) state: State,
    pub(crate) now: Instant,
    pub(crate) handshake: Handshake,
    /// The other side, from the moment it is known.
    pub(crate) link: Option<Box<Link>>,
    pub(crate) queue: SendQueue,
    pub(crate) messages: Messages,
    pub(crate) resets: Resets,
    /// Packets that are made already: those of the handshake and of the end.
    pub(crate) outbox: VecDeque<Vec<u8>>,
    pub(crate) events: VecDeque<AssociationEvent>,
    /// What the messages among the events cost.
    pub(crate) untaken: usize,
    /// Messages that are whole, on their way to the events.
    pub(crate) whole: Vec<Message>,
}

impl Association {
    /// It waits for [`Association::connect`], or for the other side's.
    pub fn new(now: Instant, settings: Settings, nonces: Nonces) -> Self {
        // No packet may carry a tag of zero.
        let nonces = Nonces { tag: nonces.tag.max(1), ..nonces };
        Self {
            resets: Resets::new(nonces.first_tsn),
            settings,
            nonces,
            state: State::Idle,
            now,
            handshake: Handshake::default(),
            link: None,
            queue: SendQueue::default(),
            messages: Messages::default(),
            outbox: VecDeque::new(),
            events: VecDeque::new(),
            untaken: 0,
            whole: Vec::new(),
        }
    }

    /// Begins the handshake; both sides may.
    pub fn connect(&mut self, now: Instant) {
        self.now = now;
        if self.state == State::Idle {
            self.send_init();
        }
    }

    /// Queues a message.
    pub fn send(&mut self, now: Instant, message: Message, delivery: Delivery) -> Result<(), SendError> {
        self.now = now;
        let len = message.payload.len();
        if len == 0 {
            return Err(SendError::Empty);
        }
        if matches!(self.state, State::ShuttingDown | State::Over) {
            return Err(SendError::Closed);
        }
        let (stream, queued) = (message.stream, self.queue.queued(message.stream));
        // A message that is larger than the limit by itself passes where nothing else waits.
        let is_full = |queued: usize, limit: usize| queued > 0 && queued + len > limit;
        if is_full(queued, self.settings.stream_queue_bytes) || is_full(self.queue.total(), self.settings.queue_bytes) {
            return Err(SendError::QueueFull);
        }
        // Who cannot give a message up sends it until it has arrived.
        let can_skip = self.link.as_ref().is_none_or(|link| link.abilities.partial_reliability);
        let message = Outgoing {
            message,
            is_unordered: !delivery.is_ordered,
            max_retransmits: delivery.max_retransmits.filter(|_| can_skip),
            expires: delivery.max_lifetime.filter(|_| can_skip).map(|lifetime| now + lifetime),
            number: 0,
            pieces: 0,
            under_way: 0,
            is_sent: false,
            is_abandoned: false,
        };
        let id = self.messages.insert(message);
        self.queue.push(stream, id, len);
        Ok(())
    }

    /// Bytes of this stream that were not sent a first time yet.
    pub fn queued(&self, stream: u16) -> usize {
        self.queue.queued(stream)
    }

    /// [`AssociationEvent::QueueLow`] is told when [`Association::queued`] falls to this.
    pub fn set_low_threshold(&mut self, stream: u16, bytes: usize) {
        self.queue.set_threshold(stream, bytes);
    }

    /// The weight of a stream against the others.
    pub fn set_priority(&mut self, stream: u16, priority: u16) {
        self.queue.set_priority(stream, priority);
    }

    /// Ends it at once and says so to the other side.
    pub fn abort(&mut self, now: Instant) {
        self.now = now;
        if self.state != State::Over {
            if let Some(link) = &self.link {
                let mut packet = link.begin_packet(&self.settings);
                chunk::put(&mut packet, chunk::ABORT, 0, |_| {});
                link.seal(&mut packet);
                self.outbox.push_back(packet);
            }
            self.end(AssociationEvent::Closed);
        }
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<AssociationEvent> {
        self.tell_fallen();
        let event = self.events.pop_front()?;
        if let AssociationEvent::Received(message) = &event {
            self.untaken -= cost(message);
            self.reopen_window();
        }
        if self.events.is_empty() && self.events.capacity() > 64 {
            self.events = VecDeque::new();
        }
        Some(event)
    }

    /// Something is due; see [`Association::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        self.tell_fallen();
        self.handshake_timeout();
        self.transmit_timeout();
        self.reset_timeout();
    }

    /// When [`Association::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let of_link = self.link.as_ref().and_then(|link| link.poll_timeout());
        // Sending lets queues fall, of which nobody was told.
        let at_once = self.queue.has_fallen().then_some(self.now);
        [at_once, self.handshake.due, of_link, self.resets.due].into_iter().flatten().min()
    }

    /// `None` before the other side is known.
    pub fn metrics(&self) -> Option<Metrics> {
        let link = self.link.as_ref()?;
        Some(Metrics {
            round_trip: link.rtt.smoothed(),
            congestion_window_bytes: link.congestion.window(),
            under_way_bytes: link.flight.bytes(),
            remote_window_bytes: link.remote_window,
            packet_bytes: link.path.packet_bytes(),
        })
    }

    /// The packets take another way from now on: what was found out about the old one does not hold.
    pub fn path_changed(&mut self, now: Instant) {
        self.now = now;
        if let Some(link) = &mut self.link {
            link.path.begin_anew();
        }
    }

    pub(crate) fn header(&self, tag: u32) -> Header {
        Header { source: self.settings.local_port, destination: self.settings.remote_port, tag }
    }

    /// Hands whole messages to the owner, in order.
    pub(crate) fn deliver(&mut self) {
        for message in self.whole.drain(..) {
            self.untaken += cost(&message);
            self.events.push_back(AssociationEvent::Received(message));
        }
        if self.whole.capacity() > 64 {
            self.whole = Vec::new();
        }
    }

    fn tell_fallen(&mut self) {
        while let Some(stream) = self.queue.pop_fallen() {
            self.events.push_back(AssociationEvent::QueueLow(stream));
        }
    }

    /// Nothing is kept but what is still to be told, and a last packet.
    pub(crate) fn end(&mut self, event: AssociationEvent) {
        self.state = State::Over;
        self.link = None;
        self.handshake = Handshake::default();
        self.queue = SendQueue::default();
        self.messages = Messages::default();
        self.resets = Resets::new(0);
        self.events.push_back(event);
    }
}

pub(crate) fn cost(message: &Message) -> usize {
    message.payload.len() + MESSAGE_COST
}
