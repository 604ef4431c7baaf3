//! How a channel ends: each side resets its half of the stream (RFC 8831 §6.7, W3C WebRTC §6.2).

use std::time::Instant;

use super::channel::{Outgoing, State};
use super::channels::DataChannels;
use super::event::{ChannelError, ChannelEvent};
use super::settings::ChannelKey;
use crate::sctp::SctpAssociation;

/// A peer that refuses so often to let a stream be reset is not asked again.
const MAX_RESETS_ASKED: u8 = 5;

impl<A: SctpAssociation> DataChannels<A> {
    /// Closes a channel; what is queued is sent first. [`ChannelEvent::Closed`] follows. Closing twice is nothing.
    pub fn close(&mut self, now: Instant, channel: ChannelKey) {
        self.now = now;
        let Some(entry) = self.channels.get_mut(&channel) else { return };
        match (entry.state, entry.stream) {
            (State::Closing, _) => {}
            (State::Open, Some(stream)) => {
                entry.state = State::Closing;
                entry.outgoing = Outgoing::Draining;
                if self.association.queued(stream) == 0 {
                    self.reset_outgoing(channel);
                } else {
                    self.association.set_low_threshold(stream, 0);
                }
            }
            // The other side has never heard of it.
            _ => self.finish(channel, None),
        }
    }

    /// Ends the association and every channel with it; the other side is told.
    pub fn abort(&mut self, now: Instant) {
        self.now = now;
        self.association.abort(now);
        self.on_over(false);
    }

    /// The other side broke the protocol on this channel: close it without sending what is queued.
    pub(super) fn fail(&mut self, key: ChannelKey, error: ChannelError) {
        let Some(channel) = self.channels.get_mut(&key) else { return };
        channel.error = Some(error);
        channel.state = State::Closing;
        self.events.push_back(ChannelEvent::Closing { channel: key });
        self.reset_outgoing(key);
    }

    pub(super) fn reset_outgoing(&mut self, key: ChannelKey) {
        let Some(channel) = self.channels.get_mut(&key) else { return };
        let Some(stream) = channel.stream else { return };
        if channel.awaits_old_reset {
            channel.outgoing = Outgoing::Draining;
            return;
        }
        let asked = if let Outgoing::ResetAsked(asked) = channel.outgoing { asked } else { 0 };
        channel.outgoing = Outgoing::ResetAsked(asked + 1);
        if asked >= MAX_RESETS_ASKED || !self.association.reset(self.now, &[stream]) {
            // It cannot be closed on the wire; for us it is.
            let error = channel.error;
            self.finish(key, error);
        }
    }

    pub(super) fn on_incoming_reset(&mut self, streams: &[u16]) {
        for stream in self.named(streams) {
            let Some((key, channel)) = self.on_stream(stream) else { continue };
            channel.is_incoming_reset = true;
            let was_open = channel.state == State::Open;
            channel.state = State::Closing;
            if was_open {
                self.events.push_back(ChannelEvent::Closing { channel: key });
            }
            match self.channels[&key].outgoing {
                // Nobody reads any more what is queued.
                Outgoing::InUse | Outgoing::Draining => self.reset_outgoing(key),
                Outgoing::ResetAsked(_) => {}
                Outgoing::Reset => self.finish_reset(key),
            }
        }
    }

    pub(super) fn on_outgoing_reset(&mut self, streams: &[u16]) {
        for stream in self.named(streams) {
            let queued = self.association.queued(stream);
            let Some((key, channel)) = self.on_stream(stream) else { continue };
            let was_old = std::mem::take(&mut channel.awaits_old_reset);
            match channel.outgoing {
                Outgoing::Draining if was_old && (queued == 0 || channel.is_incoming_reset) => self.reset_outgoing(key),
                Outgoing::ResetAsked(_) => {
                    channel.outgoing = Outgoing::Reset;
                    self.finish_reset(key);
                }
                _ => {}
            }
        }
    }

    pub(super) fn on_reset_refused(&mut self, streams: &[u16]) {
        for stream in self.named(streams) {
            let Some((key, channel)) = self.on_stream(stream) else { continue };
            if matches!(channel.outgoing, Outgoing::ResetAsked(_)) {
                self.reset_outgoing(key);
            }
        }
    }

    pub(super) fn on_over(&mut self, is_failure: bool) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let keys: Vec<ChannelKey> = self.channels.keys().copied().collect();
        for key in keys {
            let error = self.channels[&key].error.or(is_failure.then_some(ChannelError::Association));
            self.finish(key, error);
        }
        self.events.push_back(ChannelEvent::AssociationClosed { is_failure });
    }

    /// The channel is gone and its stream free.
    pub(super) fn finish(&mut self, key: ChannelKey, error: Option<ChannelError>) {
        let Some(channel) = self.channels.remove(&key) else { return };
        if let Some(stream) = channel.stream {
            self.by_stream.remove(&stream);
        }
        self.incoming_name_bytes -= channel.incoming_name_bytes();
        self.events.push_back(ChannelEvent::Closed { channel: key, error });
    }

    fn finish_reset(&mut self, key: ChannelKey) {
        let channel = &self.channels[&key];
        if channel.is_reset_both_ways() {
            let error = channel.error;
            self.finish(key, error);
        }
    }

    /// No stream named is every stream (RFC 6525 §4.1).
    fn named(&self, streams: &[u16]) -> Vec<u16> {
        if streams.is_empty() {
            self.channels.values().filter_map(|channel| channel.stream).collect()
        } else {
            streams.to_vec()
        }
    }
}
