//! What data channels tell their owner, and why they refuse.

use std::fmt;

use super::settings::{ChannelKey, ChannelSettings, Kind};

/// A message as the application gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    pub kind: Kind,
    pub bytes: Vec<u8>,
}

/// What happened. The order is the order in which W3C fires its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelEvent {
    /// The association stands; streams below this number may be used.
    Connected {
        streams: u16,
    },
    /// The other side has opened a channel; [`ChannelEvent::Opened`] follows.
    Incoming {
        channel: ChannelKey,
        settings: ChannelSettings,
    },
    Opened {
        channel: ChannelKey,
        stream: u16,
    },
    Received {
        channel: ChannelKey,
        payload: Payload,
    },
    /// What is queued has fallen from above the low threshold to it or below.
    BufferedAmountLow {
        channel: ChannelKey,
    },
    /// The other side, or an error, closes the channel. Nothing comes from it any more.
    Closing {
        channel: ChannelKey,
    },
    /// The last event of a channel.
    Closed {
        channel: ChannelKey,
        error: Option<ChannelError>,
    },
    /// The association is over; every channel was closed before. True: the other side ended it or broke the protocol.
    AssociationClosed {
        is_failure: bool,
    },
}

/// Why a channel was closed that nobody closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelError {
    /// The association failed.
    Association,
    /// There is no stream left for it, or its agreed stream is beyond what the other side takes.
    NoStream,
    /// A message came that is neither text nor bytes nor of RFC 8832.
    UnknownPpid(u32),
    /// The other side broke RFC 8832.
    BadDcep,
    /// A message came that is larger than we said we take.
    MessageTooLarge,
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Association => f.write_str("the SCTP association failed"),
            Self::NoStream => f.write_str("no stream is left for the channel"),
            Self::UnknownPpid(ppid) => write!(f, "a message of unknown kind {ppid} came"),
            Self::BadDcep => f.write_str("the other side broke the channel establishment protocol"),
            Self::MessageTooLarge => f.write_str("a message came that is larger than was agreed"),
        }
    }
}

impl std::error::Error for ChannelError {}

/// Why a channel cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenError {
    /// The label or the protocol is longer than 65,535 bytes.
    NameTooLong,
    /// The agreed stream is taken.
    StreamTaken,
    /// No stream is left, or the agreed one is beyond what the association has.
    NoStream,
    /// The association is over.
    Closed,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameTooLong => "label and protocol may have 65,535 bytes each",
            Self::StreamTaken => "another channel has this id",
            Self::NoStream => "the association has no stream left for the channel",
            Self::Closed => "the association is closed",
        })
    }
}

impl std::error::Error for OpenError {}

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendError {
    /// The channel is not open.
    NotOpen,
    /// The other side takes messages of so many bytes at most.
    TooLarge { limit: usize },
    /// Too much is queued; wait for [`ChannelEvent::BufferedAmountLow`].
    QueueFull,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen => f.write_str("the channel is not open"),
            Self::TooLarge { limit } => write!(f, "the other side takes messages of {limit} bytes at most"),
            Self::QueueFull => f.write_str("too much is queued on the channel"),
        }
    }
}

impl std::error::Error for SendError {}
