//! One channel: its state, and how far its closing is.

use super::event::ChannelError;
use super::queue::QueueAccount;
use super::settings::ChannelSettings;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Connecting,
    Open,
    Closing,
}

/// Our half of the stream, on its way to being reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outgoing {
    InUse,
    /// Closed by the application; what is queued goes out first.
    Draining,
    /// Asked so many times.
    ResetAsked(u8),
    Reset,
}

#[derive(Debug)]
pub(super) struct Channel {
    pub(super) settings: ChannelSettings,
    pub(super) stream: Option<u16>,
    pub(super) state: State,
    /// Whether the other side knows the channel; before, even an unordered one sends in order.
    pub(super) is_known_there: bool,
    pub(super) is_incoming: bool,
    pub(super) outgoing: Outgoing,
    pub(super) is_incoming_reset: bool,
    /// The stream was used before, and the answer to its reset is still under way; until it is here, nothing is sent.
    pub(super) awaits_old_reset: bool,
    pub(super) queue: QueueAccount,
    pub(super) error: Option<ChannelError>,
}

impl Channel {
    pub(super) fn new(settings: ChannelSettings, stream: Option<u16>, is_incoming: bool) -> Self {
        Self {
            is_known_there: is_incoming || settings.negotiated.is_some(),
            settings,
            stream,
            state: State::Connecting,
            is_incoming,
            outgoing: Outgoing::InUse,
            is_incoming_reset: false,
            awaits_old_reset: false,
            queue: QueueAccount::default(),
            error: None,
        }
    }

    /// What the other side made us keep by opening it.
    pub(super) fn incoming_name_bytes(&self) -> usize {
        if self.is_incoming { self.settings.label.len() + self.settings.protocol.len() } else { 0 }
    }

    /// Whether the other side may already use the stream anew: it has reset its half, and the answer to our reset is
    /// all that is missing.
    pub(super) fn may_be_reused_there(&self) -> bool {
        self.is_incoming_reset && matches!(self.outgoing, Outgoing::ResetAsked(_))
    }

    pub(super) fn is_reset_both_ways(&self) -> bool {
        self.outgoing == Outgoing::Reset && self.is_incoming_reset
    }
}
