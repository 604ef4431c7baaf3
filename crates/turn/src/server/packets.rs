//! What is asked for every packet.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use peerline_wire::stun::{HEADER_LEN, MAGIC_COOKIE, TransactionId, encode_xor_address, kind, xor_address_len};

use crate::allocation::Allocation;
use crate::host::{AllocationId, RelayId};
use crate::server::Server;
use crate::tuple::FiveTuple;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelTarget {
    pub relay: RelayId,
    pub peer: SocketAddr,
}

/// How what a peer has sent reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerRoute {
    Channel(u16),
    Indication,
    /// The client has not permitted this peer.
    Dropped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

impl Server {
    #[inline]
    pub fn find(&self, tuple: &FiveTuple) -> Option<AllocationId> {
        self.table.find(tuple)
    }

    /// Where ChannelData of this number goes.
    #[inline]
    pub fn channel(&self, id: AllocationId, number: u16) -> Option<ChannelTarget> {
        let channel = self.get(id)?.channels.get(number).filter(|channel| channel.is_open)?;
        Some(ChannelTarget { relay: channel.relay, peer: channel.peer })
    }

    /// How a datagram that this peer has sent to the relay reaches the client.
    #[inline]
    pub fn peer(&self, id: AllocationId, relay: RelayId, peer: SocketAddr) -> PeerRoute {
        let Some(allocation) = self.get(id) else { return PeerRoute::Dropped };
        match allocation.channels.of_peer(peer) {
            Some(channel) if channel.is_open && channel.relay == relay => PeerRoute::Channel(channel.number),
            Some(channel) if !channel.is_open => PeerRoute::Dropped,
            _ if allocation.permissions.contains(peer.ip()) => PeerRoute::Indication,
            _ => PeerRoute::Dropped,
        }
    }

    /// Where its client is; `None`: nobody knows at the moment.
    #[inline]
    pub fn client(&self, id: AllocationId) -> Option<FiveTuple> {
        self.get(id).filter(|allocation| !allocation.is_left).map(|allocation| allocation.tuple)
    }

    /// Whether so much may pass now; asked once for packets that go together.
    #[inline]
    pub fn admit(&mut self, now: Instant, id: AllocationId, packets: u32, bytes: u32) -> bool {
        let now_ns = self.ns(now);
        self.get_mut(id).is_some_and(|allocation| allocation.meter.flow.admit(now_ns, packets, bytes))
            && self.total.admit(now_ns, packets, bytes)
    }

    /// As [`Self::admit`], for a stream, of which nothing can be dropped: so long it has to pause after this.
    pub fn admit_stream(&mut self, now: Instant, id: AllocationId, bytes: u32) -> Duration {
        let now_ns = self.ns(now);
        let of_one = self.get_mut(id).map_or(0, |allocation| allocation.meter.flow.admit_stream(now_ns, bytes));
        Duration::from_nanos(of_one.max(self.total.admit_stream(now_ns, bytes)))
    }

    #[inline]
    pub fn count_relayed(&mut self, id: AllocationId, direction: Direction, packets: u32, bytes: u32) {
        let Some(Allocation { usage, .. }) = self.get_mut(id) else { return };
        let (count, sum) = match direction {
            Direction::Up => (&mut usage.packets_up, &mut usage.bytes_up),
            Direction::Down => (&mut usage.packets_down, &mut usage.bytes_down),
        };
        *count += u64::from(packets);
        *sum += u64::from(bytes);
    }

    /// A Data indication up to its data, which is `data_len` long; the data and zeros to a multiple of four follow
    /// (RFC 8656 §11.3). Says how long it is.
    pub fn write_data_indication(&mut self, peer: SocketAddr, data_len: usize, out: &mut [u8; 64]) -> usize {
        const TYPE: [u8; 2] = 0x0017_u16.to_be_bytes();
        self.indications += 1;
        let mut transaction = [0; 12];
        transaction[4..].copy_from_slice(&self.indications.to_be_bytes());
        let (address, address_len) = encode_xor_address(peer, TransactionId(transaction));
        let data_at = HEADER_LEN + 4 + address_len + 4;
        let len = data_at - HEADER_LEN + data_len.next_multiple_of(4);
        out[..2].copy_from_slice(&TYPE);
        out[2..4].copy_from_slice(&(len as u16).to_be_bytes());
        out[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        out[8..20].copy_from_slice(&transaction);
        out[20..22].copy_from_slice(&kind::XOR_PEER_ADDRESS.to_be_bytes());
        out[22..24].copy_from_slice(&(xor_address_len(&peer) as u16).to_be_bytes());
        out[24..24 + address_len].copy_from_slice(&address[..address_len]);
        out[data_at - 4..data_at - 2].copy_from_slice(&kind::DATA.to_be_bytes());
        out[data_at - 2..data_at].copy_from_slice(&(data_len as u16).to_be_bytes());
        data_at
    }
}
