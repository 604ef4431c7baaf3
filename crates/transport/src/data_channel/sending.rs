//! Messages on their way out (RFC 8831 §6.6, W3C WebRTC §6.2).

use std::time::{Duration, Instant};

use peerline_wire::dcep::Reliability;

use super::channel::{Channel, Outgoing, State};
use super::channels::DataChannels;
use super::event::{ChannelEvent, SendError};
use super::settings::{ChannelKey, Kind};
use crate::sctp::{self, Delivery, Message, SctpAssociation};

/// Payload protocol identifiers of WebRTC (RFC 8831 §8).
pub(super) const PPID_DCEP: u32 = 50;
pub(super) const PPID_TEXT: u32 = 51;
pub(super) const PPID_BINARY: u32 = 53;
pub(super) const PPID_EMPTY_TEXT: u32 = 56;
pub(super) const PPID_EMPTY_BINARY: u32 = 57;

impl<A: SctpAssociation> DataChannels<A> {
    /// Queues a message; nothing is taken if it is an error.
    pub fn send(&mut self, now: Instant, channel: ChannelKey, kind: Kind, bytes: Vec<u8>) -> Result<(), SendError> {
        self.now = now;
        let limit = self.remote_max_message_bytes;
        let entry = self.channels.get_mut(&channel).filter(|entry| entry.state == State::Open);
        let (Some(entry), false) = (entry, self.is_over) else { return Err(SendError::NotOpen) };
        let Some(stream) = entry.stream else { return Err(SendError::NotOpen) };
        if bytes.len() > limit {
            return Err(SendError::TooLarge { limit });
        }
        let is_empty = bytes.is_empty();
        let ppid = match (kind, is_empty) {
            (Kind::Text, false) => PPID_TEXT,
            (Kind::Binary, false) => PPID_BINARY,
            (Kind::Text, true) => PPID_EMPTY_TEXT,
            (Kind::Binary, true) => PPID_EMPTY_BINARY,
        };
        // SCTP has no empty messages: one byte stands for it, and the identifier says so.
        let payload = if is_empty { vec![0] } else { bytes };
        let payload_len = payload.len();
        match self.association.send(now, Message { stream, ppid, payload }, delivery(entry)) {
            Ok(()) => {}
            Err(sctp::SendError::Closed) => return Err(SendError::NotOpen),
            Err(sctp::SendError::QueueFull | sctp::SendError::Empty) => return Err(SendError::QueueFull),
        }
        entry.queue.add(payload_len, is_empty);
        entry.queue.note(self.association.queued(stream));
        Ok(())
    }

    /// W3C's `bufferedAmount`: bytes of messages that were not sent a first time yet. 0 for a closed channel.
    pub fn buffered_amount(&self, channel: ChannelKey) -> usize {
        let Some(entry) = self.channels.get(&channel) else { return 0 };
        entry.stream.map_or(0, |stream| entry.queue.amount(self.association.queued(stream)))
    }

    /// W3C's `bufferedAmountLowThreshold`, in bytes.
    pub fn set_low_threshold(&mut self, channel: ChannelKey, bytes: usize) {
        let Some(entry) = self.channels.get_mut(&channel) else { return };
        let Some(stream) = entry.stream else {
            entry.queue.low_threshold = bytes;
            return;
        };
        entry.queue.set_low_threshold(bytes, self.association.queued(stream));
        if entry.outgoing == Outgoing::InUse {
            self.association.set_low_threshold(stream, bytes);
        }
    }

    pub(super) fn on_queue_low(&mut self, stream: u16) {
        let queued = self.association.queued(stream);
        let Some((key, entry)) = self.on_stream(stream) else { return };
        let is_news = entry.queue.has_become_low(queued);
        let is_drained = entry.outgoing == Outgoing::Draining && queued == 0;
        if is_news {
            self.events.push_back(ChannelEvent::BufferedAmountLow { channel: key });
        }
        if is_drained {
            self.reset_outgoing(key);
        }
    }
}

/// An unordered channel sends in order until the other side has heard of it (RFC 8832 §6).
fn delivery(channel: &Channel) -> Delivery {
    let (max_retransmits, max_lifetime) = match channel.settings.reliability {
        Reliability::Reliable => (None, None),
        Reliability::MaxRetransmits(count) => (Some(u16::try_from(count).unwrap_or(u16::MAX)), None),
        Reliability::MaxLifetimeMs(lifetime_ms) => (None, Some(Duration::from_millis(lifetime_ms.into()))),
    };
    Delivery { is_ordered: channel.settings.is_ordered || !channel.is_known_there, max_retransmits, max_lifetime }
}
