//! The other side, once it is known: what was agreed, and what is under way in both directions.

use std::time::Instant;

use crate::chunk;
use crate::congestion::Congestion;
use crate::flight::Flight;
use crate::packet::{self, Header};
use crate::parameter::{Abilities, Init};
use crate::path::Path;
use crate::receiver::Receiver;
use crate::rtt::Rtt;
use crate::serial::first;
use crate::settings::{Nonces, Settings};

#[derive(Debug)]
pub(crate) struct Link {
    /// What our packets have to carry.
    pub(crate) tag: u32,
    /// Of both sides.
    pub(crate) abilities: Abilities,
    /// That may be used each way.
    pub(crate) streams: u16,
    pub(crate) header: Header,
    pub(crate) receiver: Receiver,
    pub(crate) flight: Flight,
    pub(crate) congestion: Congestion,
    pub(crate) rtt: Rtt,
    pub(crate) path: Path,
    /// What the other side takes beside what is under way.
    pub(crate) remote_window: usize,
    /// Of the next packet with data; see [`crate::flight`].
    pub(crate) order: u64,
    /// Chunks that answer something, for the next packet.
    pub(crate) replies: Vec<u8>,
    /// When what is under way counts as silent, and how often it did since something came.
    pub(crate) silent_at: Option<Instant>,
    pub(crate) silences: u32,
    /// The next packet leaves whatever the window says.
    pub(crate) must_probe: bool,
    /// The other side is to hear of what was given up.
    pub(crate) must_skip: bool,
    pub(crate) last_sent: Option<Instant>,
    /// More would be under way if the window allowed it.
    pub(crate) is_limited: bool,
}

impl Link {
    pub(crate) fn new(settings: &Settings, nonces: Nonces, remote: &Init, abilities: Abilities) -> Self {
        let streams = settings.streams.min(remote.outgoing_streams).min(remote.incoming_streams);
        Self {
            tag: remote.tag,
            abilities,
            streams,
            header: Header { source: settings.local_port, destination: settings.remote_port, tag: remote.tag },
            receiver: Receiver::new(remote.first_tsn, abilities.interleaving),
            flight: Flight::new(first(nonces.first_tsn)),
            congestion: Congestion::new(settings.packet_bytes),
            rtt: Rtt::default(),
            path: Path::new(settings, remote.largest_packet as usize),
            remote_window: remote.window as usize,
            order: 0,
            replies: Vec::new(),
            silent_at: None,
            silences: 0,
            must_probe: false,
            must_skip: false,
            last_sent: None,
            is_limited: false,
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        [self.silent_at, self.receiver.ack_due(), self.path.due()].into_iter().flatten().min()
    }

    /// A packet without a chunk.
    pub(crate) fn begin_packet(&self, settings: &Settings) -> Vec<u8> {
        let mut packet = Vec::with_capacity(packet::HEADER_LEN + chunk::HEADER_LEN);
        let header = Header { source: settings.local_port, destination: settings.remote_port, tag: self.tag };
        header.put(&mut packet);
        packet
    }

    /// The checksum, unless the other side does without.
    pub(crate) fn seal(&self, packet: &mut [u8]) {
        if !self.abilities.zero_checksum {
            packet::seal(packet);
        }
    }
}
