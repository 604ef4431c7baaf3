//! RTCDataChannel: the channels of one association (RFC 8831, RFC 8832).
//!
//! Reading order: [`DataChannels`] → `opening` → `sending` → `receiving` → `closing`.

mod channel;
mod channels;
mod closing;
mod event;
mod opening;
mod queue;
mod receiving;
mod sending;
mod settings;

pub use channels::{Counters, DataChannels};
pub use event::{ChannelError, ChannelEvent, OpenError, Payload, SendError};
pub use settings::{ChannelKey, ChannelLimits, ChannelSettings, Kind};
