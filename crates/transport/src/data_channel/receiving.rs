//! Messages on their way in, and what is done with those that make no sense (RFC 8831 §6.6).

use peerline_wire::dcep::Dcep;

use super::channel::State;
use super::channels::DataChannels;
use super::event::{ChannelError, ChannelEvent, Payload};
use super::sending::{PPID_BINARY, PPID_DCEP, PPID_EMPTY_BINARY, PPID_EMPTY_TEXT, PPID_TEXT};
use super::settings::Kind;
use crate::sctp::{Message, SctpAssociation};

impl<A: SctpAssociation> DataChannels<A> {
    pub(super) fn on_message(&mut self, message: Message) {
        let Message { stream, ppid, payload } = message;
        if ppid == PPID_DCEP {
            return self.on_dcep(stream, &payload);
        }
        let limit = self.limits.max_message_bytes;
        let Some((key, channel)) = self.on_stream(stream) else {
            self.counters.on_no_channel += 1;
            return;
        };
        if channel.state != State::Open {
            return;
        }
        let (kind, bytes) = match ppid {
            PPID_TEXT => (Kind::Text, payload),
            PPID_BINARY => (Kind::Binary, payload),
            PPID_EMPTY_TEXT => (Kind::Text, Vec::new()),
            PPID_EMPTY_BINARY => (Kind::Binary, Vec::new()),
            other => return self.fail(key, ChannelError::UnknownPpid(other)),
        };
        if bytes.len() > limit {
            return self.fail(key, ChannelError::MessageTooLarge);
        }
        // A message says that the other side knows the channel as well as an ACK does.
        channel.is_known_there = true;
        self.events.push_back(ChannelEvent::Received { channel: key, payload: Payload { kind, bytes } });
    }

    fn on_dcep(&mut self, stream: u16, payload: &[u8]) {
        match Dcep::parse(payload) {
            Ok(Dcep::Open(open)) => self.on_open(stream, &open),
            Ok(Dcep::Ack) => match self.on_stream(stream) {
                Some((_, channel)) => channel.is_known_there = true,
                None => self.counters.on_no_channel += 1,
            },
            Err(_) => self.on_bad_dcep(stream),
        }
    }

    fn on_bad_dcep(&mut self, stream: u16) {
        match self.on_stream(stream) {
            Some((key, channel)) if channel.state == State::Open => self.fail(key, ChannelError::BadDcep),
            Some(_) => {}
            None => self.refuse_open(stream),
        }
    }
}
