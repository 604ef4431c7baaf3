//! What leaves next, and what is done when nothing comes back (RFC 9260 §6.1, §6.3, §7.2; RFC 9002 §6.2).

use std::time::{Duration, Instant};

use crate::association::{Association, State};
use crate::chunk::{Data, data_header_len};
use crate::flight::Sent;
use crate::link::Link;
use crate::messages::{MessageId, Messages};
use crate::packet;
use crate::sack::Sack;
use crate::send_queue::{Next, SendQueue};
use crate::skipped::{self, Skip};

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet {
    Usual,
    /// It asks whether the path carries packets of this size: it may be lost, but must not be cut to pieces.
    Probe,
}

impl Association {
    /// Writes the next packet for DTLS into this buffer, whatever was in it.
    pub fn transmit(&mut self, packet: &mut Vec<u8>) -> Option<Packet> {
        packet.clear();
        if let Some(made) = self.outbox.pop_front() {
            packet.extend_from_slice(&made);
            return Some(Packet::Usual);
        }
        if !matches!(self.state, State::Established | State::ShuttingDown) {
            return None;
        }
        self.ask_for_resets();
        let (now, window) = (self.now, self.window());
        let Self { link: Some(link), queue, messages, .. } = self else { return None };
        if let Some(size) = link.path.poll_probe(now) {
            link.header.put(packet);
            link.path.put_probe(packet, size);
            link.seal(packet);
            return Some(Packet::Probe);
        }
        let room = link.path.packet_bytes();
        link.header.put(packet);
        packet.append(&mut link.replies);
        let has_data = link.may_send(queue);
        if link.receiver.must_ack() || (has_data && link.receiver.wants_ack()) {
            let reserved = if has_data { room / 2 } else { 0 };
            let left = room.saturating_sub(packet.len() + reserved);
            link.receiver.put_ack(packet, window, left);
        }
        let mut writer = Writer { link, queue, messages, packet, room, now };
        writer.skip();
        writer.data();
        if packet.len() == packet::HEADER_LEN {
            return None;
        }
        link.seal(packet);
        Some(Packet::Usual)
    }

    pub(crate) fn acknowledged(&mut self, sack: &Sack<'_>) {
        let now = self.now;
        let Self { link: Some(link), messages, .. } = self else { return };
        let Some(news) = link.flight.acknowledge(sack, messages) else { return };
        link.remote_window = (sack.window as usize).saturating_sub(link.flight.bytes());
        if let Some(sent) = news.newest {
            link.rtt.measured(now.saturating_duration_since(sent));
        }
        if news.bytes > 0 || news.has_moved_on {
            link.silences = 0;
            link.rtt.answered();
            link.rearm(now);
        }
        let round_trip = link.rtt.smoothed().unwrap_or(Duration::ZERO);
        link.congestion.acknowledged(now, news.bytes, round_trip, link.is_limited);
        if let Some(order) = news.lost {
            link.congestion.lost(order, link.order + 1);
        }
        link.path.delivered(now, news.bytes);
        link.must_skip |= link.flight.has_abandoned();
    }

    pub(crate) fn transmit_timeout(&mut self) {
        let now = self.now;
        let Some(link) = &mut self.link else { return };
        link.receiver.handle_timeout(now);
        link.path.handle_timeout(now);
        if link.silent_at.is_none_or(|at| at > now) {
            return;
        }
        if link.flight.is_empty() {
            link.silent_at = None;
            return;
        }
        link.must_probe = true;
        link.must_skip |= link.flight.has_abandoned();
        if link.silences > 0 {
            link.flight.lose_all();
            link.congestion.timed_out(link.order + 1);
            link.rtt.back_off();
            link.path.silent(now, link.silences);
        }
        link.silences += 1;
        link.silent_at = Some(now + link.rtt.timeout());
    }
}

impl Link {
    /// Whether a packet with data may leave now.
    fn may_send(&self, queue: &SendQueue) -> bool {
        let has_data = self.flight.first_lost().is_some() || (queue.has_ready() && self.is_wanted());
        self.must_probe || (has_data && self.has_window())
    }

    fn has_window(&self) -> bool {
        self.flight.bytes() < self.congestion.window()
    }

    /// Whether the other side takes more. One chunk is always on its way: its answer says when there is room again.
    fn is_wanted(&self) -> bool {
        self.remote_window > 0 || self.flight.is_empty()
    }

    fn rearm(&mut self, now: Instant) {
        self.silent_at = (!self.flight.is_empty()).then(|| now + self.rtt.probe_timeout());
    }
}

/// Fills one packet.
struct Writer<'a> {
    link: &'a mut Link,
    queue: &'a mut SendQueue,
    messages: &'a mut Messages,
    packet: &'a mut Vec<u8>,
    room: usize,
    now: Instant,
}

impl Writer<'_> {
    /// What the other side need not wait for any more.
    fn skip(&mut self) {
        if !std::mem::take(&mut self.link.must_skip) {
            return;
        }
        let mut last = None;
        let mut skips: Vec<Skip> = Vec::new();
        let most = self.room.saturating_sub(self.packet.len() + skipped::FIXED_LEN) / skipped::SKIP_LEN;
        for (tsn, sent) in self.link.flight.abandoned() {
            if skips.len() == most {
                break;
            }
            last = Some(tsn);
            let message = self.messages.at(sent.message);
            let (stream, is_unordered) = (message.message.stream, message.is_unordered);
            if is_unordered && !self.link.abilities.interleaving {
                continue;
            }
            match skips.iter_mut().find(|skip| skip.stream == stream && skip.is_unordered == is_unordered) {
                // In the order in which they were sent: the last is the newest.
                Some(skip) => skip.number = message.number,
                None => skips.push(Skip { stream, is_unordered, number: message.number }),
            }
        }
        if let Some(tsn) = last {
            skipped::put(self.packet, tsn as u32, &skips, self.link.abilities.interleaving);
        }
    }

    fn data(&mut self) {
        if self.link.flight.is_empty()
            && self.link.last_sent.is_some_and(|at| self.now.saturating_duration_since(at) > self.link.rtt.timeout())
        {
            self.link.congestion.rested();
        }
        let before = self.packet.len();
        self.link.order += 1;
        self.send_lost();
        self.send_new();
        if std::mem::take(&mut self.link.must_probe) && self.packet.len() == before {
            self.send_last();
        }
        if self.packet.len() > before {
            self.link.last_sent = Some(self.now);
            if self.link.silences == 0 {
                self.link.silent_at = Some(self.now + self.link.rtt.probe_timeout());
            }
        } else {
            self.link.order -= 1;
        }
    }

    fn send_lost(&mut self) {
        while let Some(tsn) = self.link.flight.first_lost() {
            let sent = *self.link.flight.at(tsn);
            let message = self.messages.at(sent.message);
            let is_spent = message.max_retransmits.is_some_and(|most| sent.times > most);
            if is_spent || message.expires.is_some_and(|at| at <= self.now) {
                self.give_up(sent.message);
                continue;
            }
            if !(self.link.has_window() || self.link.must_probe) || !self.fits(sent.len as usize) {
                return;
            }
            self.put(tsn, &sent);
            self.link.flight.sent_again(tsn, self.link.order, self.now);
            self.link.must_probe = false;
        }
    }

    fn send_new(&mut self) {
        let header_len = data_header_len(self.link.abilities.interleaving);
        self.link.is_limited = false;
        while self.queue.has_ready() {
            if !(self.link.has_window() || self.link.must_probe) {
                self.link.is_limited = true;
                return;
            }
            if !self.link.is_wanted() {
                return;
            }
            let space = self.room.saturating_sub(self.packet.len() + header_len) & !3;
            let piece = match self.queue.next(self.now, space, self.messages) {
                None => {
                    // There is more, for the next packet.
                    self.link.is_limited = true;
                    return;
                }
                Some(Next::Expired(id)) => {
                    self.give_up(id);
                    continue;
                }
                Some(Next::Piece(piece)) => piece,
            };
            let sent = Sent::new(&piece, self.link.order, self.now);
            let tsn = self.link.flight.push(sent);
            self.link.remote_window = self.link.remote_window.saturating_sub(piece.len);
            self.put(tsn, &sent);
            self.link.must_probe = false;
        }
    }

    /// Nothing else is there to ask with.
    fn send_last(&mut self) {
        let Some(tsn) = self.link.flight.last_under_way() else { return };
        let sent = *self.link.flight.at(tsn);
        if !self.fits(sent.len as usize) {
            // In the next packet, then.
            self.link.must_probe = true;
            return;
        }
        self.put(tsn, &sent);
        self.link.flight.sent_again(tsn, self.link.order, self.now);
    }

    fn put(&mut self, tsn: u64, sent: &Sent) {
        let message = self.messages.at(sent.message);
        let (start, end) = (sent.offset as usize, (sent.offset + sent.len) as usize);
        let data = Data {
            tsn: tsn as u32,
            stream: message.message.stream,
            number: message.number,
            fsn: sent.fsn,
            ppid: message.message.ppid,
            is_unordered: message.is_unordered,
            is_begin: sent.is_begin,
            is_end: sent.is_end,
            // Who has to wait for the answer wants it at once.
            is_immediate: self.link.must_probe || !self.link.has_window() || self.link.remote_window == 0,
            payload: &message.message.payload[start..end],
        };
        data.put(self.packet, self.link.abilities.interleaving);
    }

    /// A chunk that is larger than a packet may be (it was smaller once) goes alone.
    fn fits(&self, len: usize) -> bool {
        let header_len = data_header_len(self.link.abilities.interleaving);
        let is_alone = self.packet.len() == packet::HEADER_LEN;
        is_alone || self.packet.len() + header_len + len.next_multiple_of(4) <= self.room
    }

    fn give_up(&mut self, id: MessageId) {
        let message = self.messages.at(id);
        if message.under_way == 0 {
            self.messages.remove(id);
            return;
        }
        self.queue.give_up(message.message.stream, id, self.messages);
        self.link.flight.abandon(id, self.messages);
        self.link.must_skip = true;
    }
}
