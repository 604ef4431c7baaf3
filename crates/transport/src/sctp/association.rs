//! What data channels ask of an SCTP association (RFC 8831 §6), whoever implements it.

use std::fmt;
use std::time::{Duration, Instant};

/// A user message of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub stream: u16,
    /// Payload protocol identifier (RFC 8831 §8).
    pub ppid: u32,
    /// Never empty: SCTP has no empty messages.
    pub payload: Vec<u8>,
}

/// How a message is to be delivered (RFC 3758, RFC 7496).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    pub is_ordered: bool,
    pub max_retransmits: Option<u16>,
    pub max_lifetime: Option<Duration>,
}

impl Delivery {
    /// In order, and until it has arrived.
    pub const RELIABLE: Self = Self { is_ordered: true, max_retransmits: None, max_lifetime: None };
}

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendError {
    /// SCTP cannot carry a message of no bytes.
    Empty,
    /// What is queued already fills the limit.
    QueueFull,
    /// The association is closed or about to be.
    Closed,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a message without a byte cannot be sent",
            Self::QueueFull => "too much is queued already",
            Self::Closed => "the association is closed",
        })
    }
}

impl std::error::Error for SendError {}

/// What happened to an association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssociationEvent {
    /// It is established; this many streams may be used each way.
    Connected { streams: u16 },
    /// A whole message has come.
    Received(Message),
    /// What is queued for a stream has fallen to its low threshold.
    QueueLow(u16),
    /// The other side has reset its half of these streams; no stream named means all.
    IncomingReset(Vec<u16>),
    /// Our half of these streams is reset.
    OutgoingReset(Vec<u16>),
    /// The other side refused to let these streams be reset.
    ResetRefused(Vec<u16>),
    /// It is over, on our word or after an orderly shutdown.
    Closed,
    /// It is over: the other side aborted, or broke the protocol.
    Aborted,
}

/// An SCTP association: packets in, packets out; it is driven by whoever owns it.
///
/// Every call that has `now` first brings the association to that moment.
pub trait SctpAssociation {
    /// Begins the handshake; both sides may.
    fn connect(&mut self, now: Instant);

    /// One SCTP packet, as DTLS has delivered it.
    fn handle_input(&mut self, now: Instant, packet: &[u8]);

    /// Something is due; see [`SctpAssociation::poll_timeout`].
    fn handle_timeout(&mut self, now: Instant);

    /// The next packet for DTLS.
    fn poll_transmit(&mut self) -> Option<Vec<u8>>;

    fn poll_event(&mut self) -> Option<AssociationEvent>;

    /// When [`SctpAssociation::handle_timeout`] is due.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Queues a message. It may be sent before this returns.
    fn send(&mut self, now: Instant, message: Message, delivery: Delivery) -> Result<(), SendError>;

    /// Bytes of this stream that were not sent a first time yet.
    fn queued(&self, stream: u16) -> usize;

    /// [`AssociationEvent::QueueLow`] is told when [`SctpAssociation::queued`] falls to this.
    fn set_low_threshold(&mut self, stream: u16, bytes: usize);

    /// The weight of a stream against the others.
    fn set_priority(&mut self, stream: u16, priority: u16);

    /// Resets our half of these streams (RFC 6525); what is queued for them is dropped. False: the other side cannot.
    fn reset(&mut self, now: Instant, streams: &[u16]) -> bool;

    /// Ends the association at once and says so to the other side.
    fn abort(&mut self, now: Instant);
}
