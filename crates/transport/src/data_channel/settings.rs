//! What a channel is asked to be, and what all of them may cost.

use peerline_wire::dcep::Reliability;

/// A channel of one [`super::DataChannels`]; never used again after the channel is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelKey(pub(super) u32);

/// Text or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8, as the other side says; whoever shows it checks it.
    Text,
    Binary,
}

/// What both ends of a channel agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelSettings {
    pub label: String,
    pub protocol: String,
    pub is_ordered: bool,
    pub reliability: Reliability,
    /// 128 very low, 256 low, 512 medium, 1024 high.
    pub priority: u16,
    /// The stream both applications agreed on by themselves; nothing is said about the channel on the wire then.
    pub negotiated: Option<u16>,
    /// The stream of a channel that is announced in band, if its owner keeps the streams: of our role, and free as far as
    /// the owner knows. Else the lowest free one is taken.
    pub stream: Option<u16>,
}

impl ChannelSettings {
    /// Ordered, reliable, of low priority (the default), announced in band.
    pub fn new(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            protocol: String::new(),
            is_ordered: true,
            reliability: Reliability::Reliable,
            priority: 256,
            negotiated: None,
            stream: None,
        }
    }
}

/// What the other side may make us keep.
#[derive(Debug, Clone, Copy)]
pub struct ChannelLimits {
    /// The largest message we said we take; a larger one closes its channel.
    pub max_message_bytes: usize,
    /// Labels and protocols of all channels that the other side opened and that live.
    pub incoming_name_bytes: usize,
}

impl Default for ChannelLimits {
    fn default() -> Self {
        Self { max_message_bytes: 256 * 1024, incoming_name_bytes: 1024 * 1024 }
    }
}
