//! What data channels ask of an SCTP association (RFC 8831 §6), whoever implements it.

use std::time::Instant;

pub use peerline_sctp::{Association, AssociationEvent, Delivery, Message, Packet, SendError};
use peerline_sctp::{Nonces, Settings};

/// An SCTP association: packets in, packets out; it is driven by whoever owns it.
///
/// Every call that has `now` first brings the association to that moment.
pub trait SctpAssociation {
    /// Begins the handshake; both sides may.
    fn connect(&mut self, now: Instant);

    /// One SCTP packet, as DTLS has delivered it.
    fn handle_input(&mut self, now: Instant, packet: &[u8]);

    /// Something is due; see [`SctpAssociation::poll_timeout`].
    fn handle_timeout(&mut self, now: Instant);

    /// Writes the next packet for DTLS into this buffer, whatever was in it.
    fn transmit(&mut self, packet: &mut Vec<u8>) -> Option<Packet>;

    /// The next packet for DTLS, by itself.
    fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        let mut packet = Vec::new();
        self.transmit(&mut packet).map(|_| packet)
    }

    fn poll_event(&mut self) -> Option<AssociationEvent>;

    /// When [`SctpAssociation::handle_timeout`] is due.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Queues a message. It may be sent before this returns.
    fn send(&mut self, now: Instant, message: Message, delivery: Delivery) -> Result<(), SendError>;

    /// Bytes of this stream that were not sent a first time yet.
    fn queued(&self, stream: u16) -> usize;

    /// [`AssociationEvent::QueueLow`] is told when [`SctpAssociation::queued`] falls to this.
    fn set_low_threshold(&mut self, stream: u16, bytes: usize);

    /// The weight of a stream against the others.
    fn set_priority(&mut self, stream: u16, priority: u16);

    /// Resets our half of these streams (RFC 6525); what is queued for them is dropped. False: the other side cannot.
    fn reset(&mut self, now: Instant, streams: &[u16]) -> bool;

    /// Ends the association at once and says so to the other side.
    fn abort(&mut self, now: Instant);
}

/// One that nobody can guess the tag of.
pub fn association(now: Instant, settings: &Settings) -> Association {
    let nonces = Nonces { tag: fastrand::u32(1..), first_tsn: fastrand::u32(..) };
    Association::new(now, settings.clone(), nonces)
}

impl SctpAssociation for Association {
    fn connect(&mut self, now: Instant) {
        self.connect(now);
    }

    fn handle_input(&mut self, now: Instant, packet: &[u8]) {
        self.handle_input(now, packet);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.handle_timeout(now);
    }

    fn transmit(&mut self, packet: &mut Vec<u8>) -> Option<Packet> {
        self.transmit(packet)
    }

    fn poll_event(&mut self) -> Option<AssociationEvent> {
        self.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.poll_timeout()
    }

    fn send(&mut self, now: Instant, message: Message, delivery: Delivery) -> Result<(), SendError> {
        self.send(now, message, delivery)
    }

    fn queued(&self, stream: u16) -> usize {
        self.queued(stream)
    }

    fn set_low_threshold(&mut self, stream: u16, bytes: usize) {
        self.set_low_threshold(stream, bytes);
    }

    fn set_priority(&mut self, stream: u16, priority: u16) {
        self.set_priority(stream, priority);
    }

    fn reset(&mut self, now: Instant, streams: &[u16]) -> bool {
        self.reset(now, streams)
    }

    fn abort(&mut self, now: Instant) {
        self.abort(now);
    }
}
