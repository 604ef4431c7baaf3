//! A UDP socket that talks to one TURN server and nobody else.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use mio::net::UdpSocket;
use peerline_net::{ReceiveRing, SendBatch};

use crate::peer::sockets::bound;

#[derive(Debug)]
pub(super) struct Datagrams {
    pub(super) socket: UdpSocket,
    server: SocketAddr,
    batch: SendBatch,
    /// One packet on its way into the batch.
    packet: Vec<u8>,
}

impl Datagrams {
    pub(super) fn open(from: IpAddr, ports: Option<&RangeInclusive<u16>>, server: SocketAddr) -> io::Result<Self> {
        let socket = bound(from, ports)?;
        // So that the system tells if nobody is there. Not everywhere can a connected socket be told where to send.
        if cfg!(target_os = "linux") {
            socket.connect(server)?;
        }
        Ok(Self { socket, server, batch: SendBatch::default(), packet: Vec::new() })
    }

    /// Reads once and gives each datagram of the server to `take`. `Ok`: how many arrivals there were, of so many that
    /// were asked for.
    pub(super) fn receive(&self, ring: &mut ReceiveRing, max: usize, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        let count = ring.receive(&self.socket, max)?;
        for received in ring.received().iter().filter(|received| received.source == self.server) {
            for range in received.datagrams() {
                take(&ring.bytes()[range.start as usize..range.end as usize]);
            }
        }
        ring.clear();
        Ok(count)
    }

    pub(super) fn push(&mut self, packet: &[u8]) {
        self.batch.push(self.server, None, packet, 0..0, 0);
    }

    /// What `write` puts into its buffer is one packet, if it says so.
    pub(super) fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
        self.packet.clear();
        let is_written = write(&mut self.packet);
        if is_written {
            self.batch.push(self.server, None, &self.packet, 0..0, 0);
        }
        is_written
    }

    /// Says how many datagrams the system did not take.
    pub(super) fn flush(&mut self) -> u64 {
        self.batch.flush(&self.socket, &[]).failed
    }
}
