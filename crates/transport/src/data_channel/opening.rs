//! How a channel comes to be: which stream, and when it is open (RFC 8832 §6, W3C WebRTC §6.1.1).

use peerline_wire::dcep::{Dcep, Open};

use super::channel::{Channel, State};
use super::channels::DataChannels;
use super::event::{ChannelError, ChannelEvent, OpenError};
use super::sending::PPID_DCEP;
use super::settings::{ChannelKey, ChannelSettings};
use crate::dtls::DtlsRole;
use crate::sctp::{Delivery, Message, SctpAssociation};

/// Stream 65,535 does not exist (RFC 8832 §6).
const MAX_STREAMS: u16 = u16::MAX;

impl<A: SctpAssociation> DataChannels<A> {
    /// Opens a channel. [`ChannelEvent::Opened`] follows, at once if the association stands.
    pub fn open(&mut self, now: std::time::Instant, settings: ChannelSettings) -> Result<ChannelKey, OpenError> {
        self.now = now;
        if self.is_over {
            return Err(OpenError::Closed);
        }
        if settings.label.len() > usize::from(u16::MAX) || settings.protocol.len() > usize::from(u16::MAX) {
            return Err(OpenError::NameTooLong);
        }
        let stream = match (settings.negotiated.or(settings.stream), self.role) {
            (Some(stream), _) if stream >= self.streams.unwrap_or(MAX_STREAMS) => return Err(OpenError::NoStream),
            (Some(stream), _) if self.by_stream.contains_key(&stream) => return Err(OpenError::StreamTaken),
            (Some(stream), _) => Some(stream),
            (None, Some(role)) => Some(self.free_stream(role).ok_or(OpenError::NoStream)?),
            (None, None) => None,
        };
        let key = self.insert(Channel::new(settings, stream, false));
        if self.streams.is_some() {
            self.announce(key);
        }
        Ok(key)
    }

    /// DTLS knows who is the client: channels without a stream get theirs, in the order in which they were made.
    pub fn set_role(&mut self, role: DtlsRole) {
        self.role = Some(role);
        let waiting: Vec<ChannelKey> =
            self.channels.iter().filter(|(_, channel)| channel.stream.is_none()).map(|(key, _)| *key).collect();
        for key in waiting {
            match self.free_stream(role) {
                Some(stream) => {
                    self.by_stream.insert(stream, key);
                    self.channels.get_mut(&key).expect("just listed").stream = Some(stream);
                    if self.streams.is_some() {
                        self.announce(key);
                    }
                }
                None => self.finish(key, Some(ChannelError::NoStream)),
            }
        }
    }

    pub(super) fn on_connected(&mut self, streams: u16) {
        if self.streams.is_some() {
            // The other side restarted the association; its streams begin anew by themselves.
            return;
        }
        self.streams = Some(streams);
        self.events.push_back(ChannelEvent::Connected { streams });
        let waiting: Vec<(ChannelKey, Option<u16>)> =
            self.channels.iter().map(|(key, channel)| (*key, channel.stream)).collect();
        for (key, stream) in waiting {
            match stream {
                Some(stream) if stream >= streams => self.finish(key, Some(ChannelError::NoStream)),
                Some(_) => self.announce(key),
                None => {}
            }
        }
    }

    /// Says OPEN, unless the applications agreed by themselves; nobody waits for the ACK.
    fn announce(&mut self, key: ChannelKey) {
        let Some(channel) = self.channels.get_mut(&key) else { return };
        let Some(stream) = channel.stream else { return };
        let settings = &channel.settings;
        self.association.set_priority(stream, settings.priority);
        self.association.set_low_threshold(stream, channel.queue.low_threshold);
        if settings.negotiated.is_none() {
            let open = Dcep::Open(Open {
                is_ordered: settings.is_ordered,
                reliability: settings.reliability,
                priority: settings.priority,
                label: &settings.label,
                protocol: &settings.protocol,
            });
            let payload = open.to_bytes().expect("the length of names was checked");
            channel.queue.add(payload.len(), true);
            let message = Message { stream, ppid: PPID_DCEP, payload };
            if self.association.send(self.now, message, Delivery::RELIABLE).is_err() {
                return self.finish(key, Some(ChannelError::Association));
            }
        }
        channel.state = State::Open;
        self.events.push_back(ChannelEvent::Opened { channel: key, stream });
    }

    /// The other side opens a channel.
    pub(super) fn on_open(&mut self, stream: u16, open: &Open<'_>) {
        let old = self.on_stream(stream).map(|(key, channel)| (key, channel.may_be_reused_there(), channel.error));
        let awaits_old_reset = match old {
            None if stream < self.streams.unwrap_or(MAX_STREAMS) => false,
            Some((key, true, error)) => {
                self.finish(key, error);
                true
            }
            _ => {
                self.counters.impossible_opens += 1;
                return;
            }
        };
        if self.incoming_name_bytes + open.label.len() + open.protocol.len() > self.limits.incoming_name_bytes {
            return self.refuse_open(stream);
        }
        let settings = ChannelSettings {
            label: open.label.to_owned(),
            protocol: open.protocol.to_owned(),
            is_ordered: open.is_ordered,
            reliability: open.reliability,
            priority: open.priority,
            negotiated: None,
            stream: None,
        };
        let ack = Dcep::Ack.to_bytes().expect("an ACK is one byte");
        let mut channel = Channel::new(settings.clone(), Some(stream), true);
        channel.state = State::Open;
        channel.awaits_old_reset = awaits_old_reset;
        channel.queue.add(ack.len(), true);
        self.incoming_name_bytes += channel.incoming_name_bytes();
        self.association.set_priority(stream, settings.priority);
        self.association.set_low_threshold(stream, 0);
        let key = self.insert(channel);
        self.events.push_back(ChannelEvent::Incoming { channel: key, settings });
        self.events.push_back(ChannelEvent::Opened { channel: key, stream });
        let message = Message { stream, ppid: PPID_DCEP, payload: ack };
        if self.association.send(self.now, message, Delivery::RELIABLE).is_err() {
            self.finish(key, Some(ChannelError::Association));
        }
    }

    /// Our half of the stream is reset, which is how a channel is refused. A stream that was not agreed on gets no answer:
    /// each answer costs memory.
    pub(super) fn refuse_open(&mut self, stream: u16) {
        self.counters.refused_opens += 1;
        if stream < self.streams.unwrap_or(0) {
            self.association.reset(self.now, &[stream]);
        }
    }

    fn insert(&mut self, channel: Channel) -> ChannelKey {
        let key = ChannelKey(self.next_key);
        self.next_key += 1;
        if let Some(stream) = channel.stream {
            self.by_stream.insert(stream, key);
        }
        self.channels.insert(key, Box::new(channel));
        key
    }

    fn free_stream(&self, role: DtlsRole) -> Option<u16> {
        let first = match role {
            DtlsRole::Client => 0,
            DtlsRole::Server => 1,
        };
        (first..self.streams.unwrap_or(MAX_STREAMS)).step_by(2).find(|stream| !self.by_stream.contains_key(stream))
    }
}
