//! The channels of one association, and the five verbs.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use super::channel::Channel;
use super::event::ChannelEvent;
use super::settings::{ChannelKey, ChannelLimits};
use crate::dtls::DtlsRole;
use crate::sctp::{AssociationEvent, Packet, SctpAssociation};

/// What was ignored; a peer that follows the protocol leaves them at zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages on streams without a channel. A few are normal while a channel closes.
    pub on_no_channel: u64,
    /// OPEN for a stream that has a channel, or beyond the agreed number of streams.
    pub impossible_opens: u64,
    /// OPEN that could not be read, or whose names were too much.
    pub refused_opens: u64,
}

/// The data channels over one SCTP association.
///
/// After every call: poll events until there are none, then poll packets; events are what moves channels on.
#[derive(Debug)]
pub struct DataChannels<A> {
    pub(super) association: A,
    pub(super) now: Instant,
    pub(super) limits: ChannelLimits,
    pub(super) role: Option<DtlsRole>,
    /// The number of streams, once the association stands.
    pub(super) streams: Option<u16>,
    pub(super) is_over: bool,
    /// What the other side takes; `usize::MAX` if it said no limit.
    pub(super) remote_max_message_bytes: usize,
    pub(super) next_key: u32,
    /// In boxes: a map has room for eleven, and most connections have one.
    pub(super) channels: BTreeMap<ChannelKey, Box<Channel>>,
    pub(super) by_stream: HashMap<u16, ChannelKey>,
    pub(super) incoming_name_bytes: usize,
    pub(super) events: VecDeque<ChannelEvent>,
    pub(super) counters: Counters,
}

impl<A: SctpAssociation> DataChannels<A> {
    pub fn new(now: Instant, association: A, limits: ChannelLimits) -> Self {
        Self {
            association,
            now,
            limits,
            role: None,
            streams: None,
            is_over: false,
            // What RFC 8841 §6.1 says where a description says nothing.
            remote_max_message_bytes: 64 * 1024,
            next_key: 0,
            channels: BTreeMap::new(),
            by_stream: HashMap::new(),
            incoming_name_bytes: 0,
            events: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Begins the association's handshake; DTLS has to stand.
    pub fn connect(&mut self, now: Instant) {
        self.now = now;
        self.association.connect(now);
    }

    /// What the other side's description says of the size of messages, in bytes; 0 is no limit (RFC 8841 §6).
    pub fn set_remote_max_message_size(&mut self, bytes: u64) {
        self.remote_max_message_bytes = match bytes {
            0 => usize::MAX,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        };
    }

    /// The stream of a channel; `None` before it is known.
    pub fn stream(&self, channel: ChannelKey) -> Option<u16> {
        self.channels.get(&channel)?.stream
    }

    /// Channels that are not closed.
    pub fn len(&self) -> usize {
        self.channels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// One SCTP packet, as DTLS has delivered it.
    pub fn handle_input(&mut self, now: Instant, packet: &[u8]) {
        self.now = now;
        self.association.handle_input(now, packet);
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        self.association.handle_timeout(now);
    }

    /// The next packet for DTLS.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.association.poll_transmit()
    }

    /// The same, into a buffer that is used again, whatever was in it.
    pub fn transmit(&mut self, packet: &mut Vec<u8>) -> Option<Packet> {
        self.association.transmit(packet)
    }

    pub fn poll_event(&mut self) -> Option<ChannelEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let event = self.association.poll_event()?;
            // What had come before we ended it, and nobody asked for yet, is nobody's.
            if !self.is_over {
                self.on_association(event);
            }
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.association.poll_timeout()
    }

    fn on_association(&mut self, event: AssociationEvent) {
        match event {
            AssociationEvent::Connected { streams } => self.on_connected(streams),
            AssociationEvent::Received(message) => self.on_message(message),
            AssociationEvent::QueueLow(stream) => self.on_queue_low(stream),
            AssociationEvent::IncomingReset(streams) => self.on_incoming_reset(&streams),
            AssociationEvent::OutgoingReset(streams) => self.on_outgoing_reset(&streams),
            AssociationEvent::ResetRefused(streams) => self.on_reset_refused(&streams),
            AssociationEvent::Closed => self.on_over(false),
            AssociationEvent::Aborted => self.on_over(true),
        }
    }

    pub(super) fn on_stream(&mut self, stream: u16) -> Option<(ChannelKey, &mut Channel)> {
        let key = *self.by_stream.get(&stream)?;
        Some((key, &mut **self.channels.get_mut(&key)?))
    }
}
