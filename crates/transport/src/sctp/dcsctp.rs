//! [`SctpAssociation`] by `dcsctp`, the SCTP of browsers, which ours is tried against. Not in the product: it writes every
//! packet out in hexadecimal before it looks whether anybody reads its log.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use dcsctp::api::{
    self, DcSctpSocket, Options, PpId, SocketEvent, SocketTime, StreamId,
    ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS,
};

use peerline_sctp::Settings as SctpSettings;

use super::association::{AssociationEvent, Delivery, Message, Packet, SctpAssociation, SendError};
use super::inbox::Inbox;

/// Longest pause between two tries to send the same again: after an outage the channel lives again within this time.
const MAX_BACKOFF: Duration = Duration::from_secs(3);

/// An association of the dcsctp crate. It stays on the thread where it was built.
pub struct DcSctp {
    socket: Box<dyn DcSctpSocket>,
    born: Instant,
    packets: VecDeque<Vec<u8>>,
    events: VecDeque<AssociationEvent>,
    inbox: Inbox,
}

impl fmt::Debug for DcSctp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DcSctp").field("state", &self.socket.state()).finish_non_exhaustive()
    }
}

impl DcSctp {
    pub fn new(now: Instant, settings: &SctpSettings) -> Self {
        let options = Options {
            local_port: settings.local_port,
            remote_port: settings.remote_port,
            announced_maximum_incoming_streams: settings.streams,
            announced_maximum_outgoing_streams: settings.streams,
            mtu: settings.packet_bytes,
            // Data channels know the limit of the other side, which may change; they check it.
            max_message_size: usize::MAX,
            max_receiver_window_buffer_size: settings.receive_window_bytes,
            max_send_buffer_size: settings.queue_bytes,
            per_stream_send_queue_limit: settings.stream_queue_bytes,
            max_timer_backoff_duration: Some(MAX_BACKOFF),
            // ICE says when a connection is lost. SCTP never does: it would end what a restart could save.
            max_retransmissions: None,
            max_init_retransmits: None,
            enable_message_interleaving: settings.interleaving,
            zero_checksum_alternate_error_detection_method:
                ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS,
            ..Options::default()
        };
        Self {
            socket: dcsctp::new_socket("", &options),
            born: now,
            packets: VecDeque::new(),
            events: VecDeque::new(),
            inbox: Inbox::default(),
        }
    }

    /// Its timers start from the moment it knows.
    fn advance(&mut self, now: Instant) {
        self.socket.advance_time(SocketTime::zero() + now.saturating_duration_since(self.born));
    }

    fn collect(&mut self) {
        self.take_messages(false);
        while let Some(event) = self.socket.poll_event() {
            match event {
                SocketEvent::SendPacket(packet) => self.packets.push_back(packet),
                other => self.events.extend(self.translate(other)),
            }
        }
    }

    fn take_messages(&mut self, all: bool) {
        while all || self.inbox.has_room() {
            let Some(message) = self.socket.get_next_message() else { return };
            let api::Message { stream_id, ppid, payload } = message;
            self.inbox.push(Message { stream: stream_id.0, ppid: ppid.0, payload });
        }
    }

    fn translate(&self, event: SocketEvent) -> Option<AssociationEvent> {
        let ids = |streams: Vec<StreamId>| streams.into_iter().map(|stream| stream.0).collect();
        Some(match event {
            SocketEvent::OnConnected() => AssociationEvent::Connected { streams: self.streams() },
            SocketEvent::OnBufferedAmountLow(stream) => AssociationEvent::QueueLow(stream.0),
            SocketEvent::OnIncomingStreamReset(streams) => AssociationEvent::IncomingReset(ids(streams)),
            SocketEvent::OnStreamsResetPerformed(streams) => AssociationEvent::OutgoingReset(ids(streams)),
            SocketEvent::OnStreamsResetFailed(streams) => AssociationEvent::ResetRefused(ids(streams)),
            SocketEvent::OnClosed() => AssociationEvent::Closed,
            SocketEvent::OnAborted(..) => AssociationEvent::Aborted,
            _ => return None,
        })
    }

    fn streams(&self) -> u16 {
        self.socket.get_metrics().map_or(0, |metrics| {
            metrics.negotiated_maximum_incoming_streams.min(metrics.negotiated_maximum_outgoing_streams)
        })
    }

    /// Messages come after the association stands, and before what ends their stream.
    fn is_first_event_after_messages(&self) -> bool {
        matches!(
            self.events.front(),
            None | Some(AssociationEvent::IncomingReset(_) | AssociationEvent::Closed | AssociationEvent::Aborted)
        )
    }
}

/// The type of the first chunk; control chunks come before data.
fn first_chunk(packet: &[u8]) -> Option<Chunk> {
    match packet.get(12)? {
        0 | 64 => Some(Chunk::Data),
        6 => Some(Chunk::Abort),
        _ => None,
    }
}

enum Chunk {
    Data,
    Abort,
}

impl SctpAssociation for DcSctp {
    fn connect(&mut self, now: Instant) {
        self.advance(now);
        self.socket.connect();
        self.collect();
    }

    fn handle_input(&mut self, now: Instant, packet: &[u8]) {
        self.advance(now);
        match first_chunk(packet) {
            Some(Chunk::Data) if self.inbox.refuses_data(self.socket.messages_ready_count()) => return self.collect(),
            // An abort throws away what was not read.
            Some(Chunk::Abort) => self.take_messages(true),
            _ => {}
        }
        self.socket.handle_input(packet);
        self.collect();
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        self.collect();
    }

    fn transmit(&mut self, packet: &mut Vec<u8>) -> Option<Packet> {
        *packet = self.packets.pop_front()?;
        Some(Packet::Usual)
    }

    fn poll_event(&mut self) -> Option<AssociationEvent> {
        if self.is_first_event_after_messages()
            && let Some(message) = self.inbox.pop()
        {
            self.take_messages(false);
            return Some(AssociationEvent::Received(message));
        }
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let due = self.socket.poll_timeout();
        if due == SocketTime::infinite_future() { None } else { self.born.checked_add(due - SocketTime::zero()) }
    }

    fn send(&mut self, now: Instant, message: Message, delivery: Delivery) -> Result<(), SendError> {
        self.advance(now);
        let options = api::SendOptions {
            unordered: !delivery.is_ordered,
            lifetime: delivery.max_lifetime,
            max_retransmissions: delivery.max_retransmits,
            lifecycle_id: None,
        };
        let message = api::Message::new(StreamId(message.stream), PpId(message.ppid), message.payload);
        let sent = self.socket.send(message, &options);
        self.collect();
        sent.map_err(|error| match error {
            api::SendError::EmptyPayload => SendError::Empty,
            api::SendError::MessageTooLarge { .. } | api::SendError::ResourceExhaustion => SendError::QueueFull,
            api::SendError::ShuttingDown => SendError::Closed,
        })
    }

    fn queued(&self, stream: u16) -> usize {
        self.socket.buffered_amount(StreamId(stream))
    }

    fn set_low_threshold(&mut self, stream: u16, bytes: usize) {
        self.socket.set_buffered_amount_low_threshold(StreamId(stream), bytes);
        self.collect();
    }

    fn set_priority(&mut self, stream: u16, priority: u16) {
        self.socket.set_stream_priority(StreamId(stream), priority);
    }

    fn reset(&mut self, now: Instant, streams: &[u16]) -> bool {
        self.advance(now);
        let ids: Vec<StreamId> = streams.iter().map(|stream| StreamId(*stream)).collect();
        let done = self.socket.reset_streams(&ids).is_ok();
        self.collect();
        done
    }

    fn abort(&mut self, now: Instant) {
        self.advance(now);
        self.socket.close();
        self.collect();
    }
}
