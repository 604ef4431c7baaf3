//! Packets of peers: into the server's wrapping, and out of it (RFC 8656 §11, §12.5).

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use peerline_wire::channel_data;
use peerline_wire::demux::Protocol;
use peerline_wire::stun::{Class, HEADER_LEN, Message, MessageWriter, Method, decode_xor_address, kind};

use super::event::RelayInput;
use super::machine::{Phase, Relay};
use super::permissions::Passage;
use super::request::random_id;
use super::transaction::Purpose;

/// What a Send indication adds to its data at most: header, XOR-PEER-ADDRESS, DATA's own header, padding.
const INDICATION_LEN: usize = HEADER_LEN + 24 + 4 + 3;
/// No datagram holds more.
const MAX_DATA_LEN: usize = 65_000;

impl Relay {
    /// Appends to `out` what makes the server send `data` to this peer from the relayed address: one packet, or on a
    /// stream one message. False: there is nothing to be sent now. The packet may be kept until the server lets it
    /// through; else it is lost, as it may be on any network.
    #[inline]
    pub fn send(&mut self, now: Instant, peer: SocketAddr, data: &[u8], out: &mut Vec<u8>) -> bool {
        match self.channels.open(now, peer) {
            Some(channel) if data.len() <= MAX_DATA_LEN => {
                self.append_on_channel(channel, data, out);
                true
            }
            _ => self.send_unbound(now, peer, data, out),
        }
    }

    fn append_on_channel(&self, channel: u16, data: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&channel_data::header(channel, data.len() as u16));
        out.extend_from_slice(data);
        if self.settings.is_stream {
            out.resize(out.len() + (data.len().next_multiple_of(4) - data.len()), 0);
        }
    }

    fn send_unbound(&mut self, now: Instant, peer: SocketAddr, data: &[u8], out: &mut Vec<u8>) -> bool {
        let Phase::Allocated(allocation) = &self.phase else { return false };
        let is_reachable = peer.is_ipv4() == allocation.relayed.is_ipv4() && !self.is_closing;
        if !is_reachable || data.len() > MAX_DATA_LEN {
            return false;
        }
        let ip = peer.ip();
        match self.permissions.passage(now, ip) {
            Passage::Open => {
                // Checks need no channel: most pairs are never used for anything else.
                if Protocol::of(data) != Protocol::Stun
                    && let Some(channel) = self.channels.ask(now, peer)
                {
                    self.ask(now, Purpose::Bind { channel, peer }, 0);
                }
                append_indication(peer, data, out)
            }
            Passage::Pending => {
                self.permissions.keep(peer, data);
                false
            }
            Passage::Unknown => {
                if self.permissions.ask(now, ip) {
                    self.permissions.keep(peer, data);
                    self.ask(now, Purpose::Permit(ip), 0);
                }
                false
            }
            Passage::Closed => false,
        }
    }

    /// The server lets data of this address through. What has waited for it goes.
    pub(super) fn permitted(&mut self, since: Instant, ip: IpAddr) {
        let (waiting, until) = self.permissions.grant(since, ip);
        self.channels.permit(ip, until);
        for (peer, data) in waiting {
            let mut packet = Vec::new();
            if append_indication(peer, &data, &mut packet) {
                self.packets.push_back(packet);
            }
        }
    }

    /// A packet from the server: a datagram, or one message of a stream.
    #[inline]
    pub fn handle_input(&mut self, now: Instant, packet: &[u8]) -> RelayInput {
        match packet {
            [0x40..=0x7F, ..] => self.receive_on_channel(packet),
            _ => self.handle_message(now, packet),
        }
    }

    /// Not what comes on a number that we have given to nobody.
    fn receive_on_channel(&self, packet: &[u8]) -> RelayInput {
        let found = channel_data::parse(packet).and_then(|(number, at)| Some((self.channels.peer(number)?, at)));
        found.map_or(RelayInput::Foreign, |(peer, at)| RelayInput::Data { peer, at })
    }

    fn handle_message(&mut self, now: Instant, packet: &[u8]) -> RelayInput {
        let Ok(message) = Message::parse(packet) else { return RelayInput::Foreign };
        match (message.class, message.method) {
            (Class::Indication, Method::DATA) => self.receive_indication(&message),
            (Class::Success | Class::Error, _) => self.handle_answer(now, message),
            _ => RelayInput::Foreign,
        }
    }

    /// Nobody can show that an indication is authentic; but it is only believed of peers that we talk to, and they have
    /// to show it themselves.
    fn receive_indication(&self, message: &Message<'_>) -> RelayInput {
        let peer = message.attribute(kind::XOR_PEER_ADDRESS);
        let peer = peer.and_then(|peer| decode_xor_address(peer.value, message.transaction));
        let (Some(peer), Some(data)) = (peer, message.attribute(kind::DATA)) else { return RelayInput::Taken };
        if !self.permissions.is_expected(peer.ip()) {
            return RelayInput::Taken;
        }
        let start = data.offset + 4;
        RelayInput::Data { peer, at: start..start + data.value.len() }
    }
}

/// False: it does not fit.
fn append_indication(peer: SocketAddr, data: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    out.resize(start + INDICATION_LEN + data.len(), 0);
    let written =
        MessageWriter::new(&mut out[start..], Class::Indication, Method::SEND, random_id()).and_then(|mut writer| {
            writer.xor_address(kind::XOR_PEER_ADDRESS, peer)?.attribute(kind::DATA, data)?;
            Ok(writer.finish())
        });
    out.truncate(start + written.unwrap_or(0));
    written.is_ok()
}
