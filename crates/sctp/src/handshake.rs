//! How an association begins (RFC 9260 §5): four packets, of which either side, or both, may send the first.
//!
//! DTLS has made sure who the other side is: the cookie carries what is to be known and is not signed.

use std::time::{Duration, Instant};

use crate::api::AssociationEvent;
use crate::association::{Association, State};
use crate::chunk::{self, u32_at};
use crate::link::Link;
use crate::packet;
use crate::parameter::{Abilities, Init};
use crate::settings::{RTO_INITIAL, RTO_MAX};

/// Behind it in a cookie: our tag, and the other side's INIT as it came.
const COOKIE_MAGIC: &[u8; 8] = b"peerline";

#[derive(Debug, Default)]
pub(crate) struct Handshake {
    /// INIT or COOKIE ECHO, to be sent again.
    packet: Vec<u8>,
    pause: Duration,
    pub(crate) due: Option<Instant>,
}

impl Association {
    pub(crate) fn send_init(&mut self) {
        let mut packet = Vec::new();
        self.header(0).put(&mut packet);
        let init = self.own_init(self.own_abilities());
        chunk::put(&mut packet, chunk::INIT, 0, |packet| init.put(packet, None));
        self.state = State::CookieWait;
        self.send_until_answered(packet);
    }

    /// Somebody begins, with us or anew. Nothing is kept of it: that is what the cookie is for.
    pub(crate) fn on_init(&mut self, value: &[u8]) {
        let Some((remote, _)) = Init::parse(value) else { return };
        let mut cookie = COOKIE_MAGIC.to_vec();
        cookie.extend(self.nonces.tag.to_be_bytes());
        cookie.extend_from_slice(value);
        let init = self.own_init(self.own_abilities().both(remote.abilities));
        let mut packet = Vec::new();
        self.header(remote.tag).put(&mut packet);
        chunk::put(&mut packet, chunk::INIT_ACK, 0, |packet| init.put(packet, Some(&cookie)));
        packet::seal(&mut packet);
        self.outbox.push_back(packet);
    }

    pub(crate) fn on_init_ack(&mut self, value: &[u8]) {
        if self.state != State::CookieWait {
            return;
        }
        let Some((remote, Some(cookie))) = Init::parse(value) else { return };
        let mut packet = Vec::new();
        self.header(remote.tag).put(&mut packet);
        chunk::put(&mut packet, chunk::COOKIE_ECHO, 0, |packet| packet.extend_from_slice(cookie));
        self.link_to(&remote);
        self.state = State::CookieEchoed;
        self.send_until_answered(packet);
    }

    /// What we wrote into INIT ACK came back (RFC 9260 §5.2.4).
    pub(crate) fn on_cookie_echo(&mut self, cookie: &[u8]) {
        let Some(rest) = cookie.strip_prefix(COOKIE_MAGIC) else { return };
        if u32_at(rest, 0) != Some(self.nonces.tag) {
            return;
        }
        let Some((remote, _)) = Init::parse(&rest[4..]) else { return };
        match self.state {
            State::Idle | State::CookieWait | State::CookieEchoed => {
                if self.link.as_ref().is_none_or(|link| link.tag != remote.tag) {
                    self.link_to(&remote);
                }
                self.establish();
            }
            // Its channels are gone with the association it has forgotten, and ours with them.
            State::Established | State::ShuttingDown
                if self.link.as_ref().is_some_and(|link| link.tag != remote.tag) =>
            {
                return self.end(AssociationEvent::Aborted);
            }
            // Our COOKIE ACK was lost.
            State::Established | State::ShuttingDown => {}
            State::Over => return,
        }
        self.reply(|packet| chunk::put(packet, chunk::COOKIE_ACK, 0, |_| {}));
    }

    pub(crate) fn on_cookie_ack(&mut self) {
        if self.state == State::CookieEchoed {
            self.establish();
        }
    }

    pub(crate) fn handshake_timeout(&mut self) {
        let Handshake { packet, pause, due } = &mut self.handshake;
        if due.is_some_and(|due| due <= self.now) {
            *pause = (*pause * 2).min(RTO_MAX);
            *due = Some(self.now + *pause);
            self.outbox.push_back(packet.clone());
        }
    }

    /// A chunk for the next packet.
    pub(crate) fn reply(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(link) = &mut self.link {
            write(&mut link.replies);
        }
    }

    fn establish(&mut self) {
        self.state = State::Established;
        self.handshake = Handshake::default();
        let Some(link) = &self.link else { return };
        self.queue.is_interleaving = link.abilities.interleaving;
        self.events.push_back(AssociationEvent::Connected { streams: link.streams });
    }

    fn link_to(&mut self, remote: &Init) {
        let abilities = self.own_abilities().both(remote.abilities);
        self.resets.begin(remote.first_tsn);
        self.link = Some(Box::new(Link::new(&self.settings, self.nonces, remote, abilities)));
    }

    fn send_until_answered(&mut self, mut packet: Vec<u8>) {
        // Those that begin an association carry a checksum always (RFC 9653 §5.2).
        packet::seal(&mut packet);
        self.handshake = Handshake { packet: packet.clone(), pause: RTO_INITIAL, due: Some(self.now + RTO_INITIAL) };
        self.outbox.push_back(packet);
    }

    fn own_abilities(&self) -> Abilities {
        Abilities {
            partial_reliability: true,
            stream_reset: true,
            interleaving: self.settings.interleaving,
            zero_checksum: true,
        }
    }

    fn own_init(&self, abilities: Abilities) -> Init {
        Init {
            tag: self.nonces.tag,
            window: u32::try_from(self.settings.receive_window_bytes).unwrap_or(u32::MAX),
            outgoing_streams: self.settings.streams,
            incoming_streams: self.settings.streams,
            first_tsn: self.nonces.first_tsn,
            abilities,
            largest_packet: match self.settings.largest_packet_bytes {
                largest if largest > self.settings.packet_bytes => largest as u32,
                _ => 0,
            },
        }
    }
}
