//! What data channels say to an association, and what it says to them.

use std::fmt;
use std::time::Duration;

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
