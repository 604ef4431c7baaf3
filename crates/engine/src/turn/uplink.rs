//! From a client to its peers: ChannelData is sent on from where it was received, without its header (RFC 8656 §12.6).

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use peerline_net::{Received, SendBatch};
use peerline_turn::{AllocationId, ChannelTarget, Direction, RelayId, Server};

use crate::service::Io;
use crate::turn::plane::TurnPlane;
use crate::turn::relays::Relays;

/// The first two bits of a datagram tell ChannelData (01) from STUN (00).
const CHANNEL_DATA: u8 = 0x40;
const STUN: u8 = 0x00;
const CHANNEL_HEADER_LEN: u32 = 4;

/// Datagrams that leave one relay together.
#[derive(Debug, Default)]
pub(crate) struct Uplink {
    batch: SendBatch,
    from: Option<(AllocationId, RelayId)>,
    packets: u32,
    bytes: u32,
}

impl Uplink {
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn push(
        &mut self,
        relays: &Relays,
        machine: &mut Server,
        io: &mut Io<'_>,
        allocation: AllocationId,
        relay: RelayId,
        peer: SocketAddr,
        data: Range<u32>,
    ) {
        if self.from != Some((allocation, relay)) {
            self.flush(relays, machine, io);
            self.from = Some((allocation, relay));
        }
        self.packets += 1;
        self.bytes += data.end - data.start;
        self.batch.push(peer, None, &[], data, 0);
    }

    /// As [`Self::push`], for a datagram that must arrive whole or not at all (DONT-FRAGMENT, RFC 8656 §11.2).
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn push_whole(
        &mut self,
        relays: &Relays,
        machine: &mut Server,
        io: &mut Io<'_>,
        allocation: AllocationId,
        relay: RelayId,
        peer: SocketAddr,
        data: Range<u32>,
    ) {
        self.flush(relays, machine, io);
        let Some(socket) = relays.get(relay).map(|relay| &relay.socket) else { return };
        match peerline_net::forbid_fragments(socket, peer.is_ipv6()) {
            Ok(_until_sent) => {
                self.push(relays, machine, io, allocation, relay, peer, data);
                self.flush(relays, machine, io);
            }
            Err(_) => io.counters.send_failed.add(1),
        }
    }

    pub(crate) fn flush(&mut self, relays: &Relays, machine: &mut Server, io: &mut Io<'_>) {
        let Some((allocation, relay)) = self.from.take() else { return };
        let (packets, bytes) = (std::mem::take(&mut self.packets), std::mem::take(&mut self.bytes));
        // Its number may have gone to another client since.
        let relay = relays.get(relay).filter(|relay| relay.allocation == allocation);
        let Some(relay) = relay.filter(|_| machine.admit(io.now, allocation, packets, bytes)) else {
            self.batch.clear();
            io.counters.turn.over_quota.add(u64::from(packets));
            return;
        };
        let sent = self.batch.flush(&relay.socket, io.ring.bytes());
        machine.count_relayed(allocation, Direction::Up, packets, bytes);
        io.counters.turn.relayed_up.add(sent.sent);
        io.counters.send_failed.add(sent.failed);
    }
}

impl TurnPlane {
    /// Everything that lies in the ring, which came from this listener.
    pub(crate) fn handle_uplink(&mut self, io: &mut Io<'_>, listener: usize) {
        let mut last: Option<(SocketAddr, Option<IpAddr>, Sender)> = None;
        for index in 0..io.ring.received().len() {
            let received = io.ring.received()[index];
            let is_same = |(source, ip, _): &_| (*source, *ip) == (received.source, received.local_ip);
            let mut known = last.filter(is_same).map(|(_, _, sender)| sender);
            for at in received.datagrams() {
                let datagram = &io.ring.bytes()[at.start as usize..at.end as usize];
                match datagram.first().map(|first| first & 0xc0) {
                    Some(CHANNEL_DATA) => {
                        let from = *known.get_or_insert_with(|| self.sender(listener, &received));
                        known = Some(self.relay_channel_data(io, from, at));
                    }
                    Some(STUN) => {
                        let tuple = self.tuple(listener, received.source, received.local_ip);
                        self.handle_message(io, tuple, at);
                        known = None; // it may have made or ended the allocation
                    }
                    _ => io.counters.turn.malformed.add(1),
                }
            }
            last = known.map(|sender| (received.source, received.local_ip, sender));
        }
    }

    fn sender(&self, listener: usize, received: &Received) -> Sender {
        let tuple = self.tuple(listener, received.source, received.local_ip);
        Sender::of(self.machine.find(&tuple))
    }

    /// ChannelData at this place in the ring.
    pub(crate) fn relay_channel_data(&mut self, io: &mut Io<'_>, mut from: Sender, at: Range<u32>) -> Sender {
        let datagram = &io.ring.bytes()[at.start as usize..at.end as usize];
        let Some((&[c1, c2, l1, l2], payload)) = datagram.split_first_chunk() else {
            io.counters.turn.malformed.add(1);
            return from;
        };
        let (number, len) = (u16::from_be_bytes([c1, c2]), u32::from(u16::from_be_bytes([l1, l2])));
        // Over UDP padding is allowed and ignored; a length past the end is not (RFC 8656 §12.6).
        if len as usize > payload.len() {
            io.counters.turn.malformed.add(1);
            return from;
        }
        let Some(allocation) = from.allocation else {
            io.counters.turn.unknown.add(1);
            return from;
        };
        let target = match from.last {
            Some((last, target)) if last == number => Some(target),
            _ => self.machine.channel(allocation, number),
        };
        let Some(target) = target else {
            io.counters.turn.unknown.add(1);
            return from;
        };
        from.last = Some((number, target));
        let start = at.start + CHANNEL_HEADER_LEN;
        let data = start..start + len;
        self.uplink.push(&self.relays, &mut self.machine, io, allocation, target.relay, target.peer, data);
        from
    }
}

/// Whoever sent the last message; the next one is likely to be of the same, and for the same.
#[derive(Clone, Copy)]
pub(crate) struct Sender {
    allocation: Option<AllocationId>,
    last: Option<(u16, ChannelTarget)>,
}

impl Sender {
    pub(crate) fn of(allocation: Option<AllocationId>) -> Self {
        Self { allocation, last: None }
    }
}
