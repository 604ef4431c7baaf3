//! A packet, chunk by chunk (RFC 9260 §5.2, §8.5).

use std::time::Instant;

use crate::api::AssociationEvent;
use crate::association::{Association, State};
use crate::chunk::{self, Chunk, Data};
use crate::packet::Header;
use crate::sack::Sack;
use crate::skipped;

/// Of a chunk without a meaning here: the packet ends with it, and the sender is to be told.
const IS_SKIPPED: u8 = 0x80;
const IS_REPORTED: u8 = 0x40;
const UNRECOGNIZED: u16 = 6;
/// Nobody is told more of his own words than this.
const MAX_REPORTED: usize = 64;
/// What waits to be answered fits into a packet with the rest; who asks for more asks again.
const MAX_REPLIES: usize = 512;
/// The tag is the receiver's own, for want of another.
const REFLECTED: u8 = 1;

impl Association {
    /// One SCTP packet, as DTLS has delivered it. What makes no sense is dropped.
    pub fn handle_input(&mut self, now: Instant, packet: &[u8]) {
        self.now = now;
        let Some((header, chunks)) = Header::parse(packet, true) else { return };
        if header.source != self.settings.remote_port || header.destination != self.settings.local_port {
            return;
        }
        let mut has_data = false;
        for chunk in chunk::chunks(chunks) {
            if self.state == State::Over || !self.is_ours(header, chunk) {
                return;
            }
            match chunk.kind {
                chunk::DATA | chunk::I_DATA => {
                    has_data = true;
                    self.on_data(chunk);
                }
                chunk::SACK => self.on_sack(chunk.value),
                chunk::INIT => self.on_init(chunk.value),
                chunk::INIT_ACK => self.on_init_ack(chunk.value),
                chunk::COOKIE_ECHO => self.on_cookie_echo(chunk.value),
                chunk::COOKIE_ACK => self.on_cookie_ack(),
                chunk::HEARTBEAT => self.on_heartbeat(chunk.value),
                chunk::HEARTBEAT_ACK => self.on_heartbeat_ack(chunk.value),
                chunk::FORWARD_TSN | chunk::I_FORWARD_TSN => self.on_skip(chunk),
                chunk::RE_CONFIG => self.on_re_config(chunk.value),
                chunk::ABORT => self.end(AssociationEvent::Aborted),
                chunk::SHUTDOWN => self.on_shutdown(chunk.value),
                chunk::SHUTDOWN_COMPLETE => self.on_shutdown_complete(),
                chunk::SHUTDOWN_ACK | chunk::ERROR => {}
                kind => {
                    if kind & IS_REPORTED != 0 {
                        self.report(chunk);
                    }
                    if kind & IS_SKIPPED == 0 {
                        break;
                    }
                }
            }
        }
        self.deliver();
        if has_data && let Some(link) = &mut self.link {
            link.receiver.packet_taken(now);
            self.perform_deferred_reset();
        }
    }

    /// Room for what comes, messages that nobody has taken counted.
    pub(crate) fn window(&self) -> usize {
        let held = self.link.as_ref().map_or(0, |link| link.receiver.reassembly.held());
        self.settings.receive_window_bytes.saturating_sub(held + self.untaken)
    }

    /// The owner has taken something: whoever waits for room hears of it.
    pub(crate) fn reopen_window(&mut self) {
        let (window, whole) = (self.window(), self.settings.receive_window_bytes);
        if let Some(link) = &mut self.link
            && link.receiver.has_window_opened(window, whole)
        {
            link.receiver.ack_now();
        }
    }

    /// Whether the packet has the tag that its chunk asks for (RFC 9260 §8.5.1).
    fn is_ours(&self, header: Header, chunk: Chunk<'_>) -> bool {
        let is_own = header.tag == self.nonces.tag;
        match chunk.kind {
            chunk::INIT => header.tag == 0,
            chunk::ABORT | chunk::SHUTDOWN_COMPLETE if chunk.flags & REFLECTED != 0 => {
                self.link.as_ref().is_some_and(|link| link.tag == header.tag)
            }
            _ => is_own,
        }
    }

    fn on_data(&mut self, chunk: Chunk<'_>) {
        let window = self.window();
        let Some(link) = &mut self.link else { return };
        // Each kind belongs to one of the two ways to number messages (RFC 8260 §2.2.1).
        if (chunk.kind == chunk::I_DATA) != link.abilities.interleaving {
            return;
        }
        let Some(data) = Data::parse(chunk) else { return };
        // What fills the first hole is taken in any case: with it others may become whole, and leave.
        let has_room =
            window > 0 || (link.receiver.number(data.tsn) == link.receiver.cumulative() + 1 && self.untaken == 0);
        link.receiver.take(&data, has_room, &mut self.whole);
        if self.whole.len() > 64 {
            self.deliver();
        }
    }

    fn on_skip(&mut self, chunk: Chunk<'_>) {
        let Some(link) = &mut self.link else { return };
        let is_interleaved = chunk.kind == chunk::I_FORWARD_TSN;
        if is_interleaved != link.abilities.interleaving || !link.abilities.partial_reliability {
            return;
        }
        if let Some((cumulative, skips)) = skipped::parse(chunk.value, is_interleaved) {
            link.receiver.skip(cumulative, skips, &mut self.whole);
            self.deliver();
            self.perform_deferred_reset();
        }
    }

    fn on_sack(&mut self, value: &[u8]) {
        let Some(sack) = Sack::parse(value) else { return };
        if matches!(self.state, State::Established | State::ShuttingDown) {
            self.acknowledged(&sack);
        }
    }

    fn on_heartbeat(&mut self, value: &[u8]) {
        self.answer(value.len(), |packet| {
            chunk::put(packet, chunk::HEARTBEAT_ACK, 0, |packet| packet.extend_from_slice(value))
        });
    }

    fn on_heartbeat_ack(&mut self, value: &[u8]) {
        if let Some(link) = &mut self.link
            && let Some(packet_bytes) = link.path.answered(value)
        {
            link.congestion.packet_grew(packet_bytes);
        }
    }

    fn report(&mut self, unknown: Chunk<'_>) {
        let said = &unknown.value[..unknown.value.len().min(MAX_REPORTED)];
        self.answer(said.len(), |packet| {
            chunk::put(packet, chunk::ERROR, 0, |packet| {
                packet.extend(UNRECOGNIZED.to_be_bytes());
                packet.extend(((8 + said.len()) as u16).to_be_bytes());
                packet.extend([unknown.kind, unknown.flags]);
                packet.extend(((4 + said.len()) as u16).to_be_bytes());
                packet.extend_from_slice(said);
            });
        });
    }

    /// An answer of about so many bytes that nobody is owed: there are never many of them.
    pub(crate) fn answer(&mut self, len: usize, write: impl FnOnce(&mut Vec<u8>)) {
        if self.link.as_ref().is_some_and(|link| link.replies.len() + len < MAX_REPLIES) {
            self.reply(write);
        }
    }
}
