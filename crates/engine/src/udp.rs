//! A UDP socket of a shard: bound so that it serves one address family, read in batches, PKTINFO on.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};

use mio::Interest;
use mio::event::Source;
use mio::{Registry, Token};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

use crate::outbox::Outbox;
use crate::service::Datagram;

/// Room for what GRO glues together.
const BUFFER_LEN: usize = 65_536;
/// A request burst must survive until the shard comes round. The kernel may grant less.
const KERNEL_BUFFER_LEN: usize = 1 << 20;

#[derive(Debug)]
pub(crate) struct UdpEndpoint {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
}

/// The receive buffers of a shard, shared by all its sockets. Pages that no datagram reaches cost nothing.
#[derive(Debug)]
pub(crate) struct ReceiveBuffers {
    bytes: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
}

impl ReceiveBuffers {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; BUFFER_LEN * BATCH_SIZE], metas: [RecvMeta::default(); BATCH_SIZE] }
    }
}

/// Binds without SO_REUSEADDR, so that a taken port is an error and never shared.
pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // One socket for each family, whatever the system's default: [::] must not take 0.0.0.0's port.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    // Asking for more than the system allows gets what it allows.
    let _ = socket.set_recv_buffer_size(KERNEL_BUFFER_LEN);
    let _ = socket.set_send_buffer_size(KERNEL_BUFFER_LEN);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

impl UdpEndpoint {
    pub(crate) fn new(socket: UdpSocket) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self { socket: mio::net::UdpSocket::from_std(socket), state })
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.socket.register(registry, token, Interest::READABLE)
    }

    pub(crate) fn deregister(&mut self, registry: &Registry) {
        // It can only fail when it is not registered, which is what we want.
        let _ = self.socket.deregister(registry);
    }

    /// Reads one batch and hands each datagram on. `WouldBlock` says that nothing waits.
    pub(crate) fn receive(
        &self,
        buffers: &mut ReceiveBuffers,
        mut handle: impl FnMut(Datagram<'_>),
    ) -> io::Result<usize> {
        let count = {
            let mut chunks = buffers.bytes.chunks_mut(BUFFER_LEN);
            let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
                std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
            self.socket.try_io(|| self.state.recv((&self.socket).into(), &mut slices, &mut buffers.metas))?
        };
        let mut datagrams = 0;
        for (meta, bytes) in buffers.metas.iter().zip(buffers.bytes.chunks(BUFFER_LEN)).take(count) {
            // An empty datagram has stride 0, and is a datagram nevertheless.
            for payload in split(&bytes[..meta.len], meta.stride) {
                datagrams += 1;
                handle(Datagram { source: meta.addr, local_ip: meta.dst_ip, payload });
            }
        }
        Ok(datagrams)
    }

    /// Sends everything in the outbox and empties it; says how many the system would not take.
    pub(crate) fn flush(&self, outbox: &mut Outbox) -> u64 {
        let mut failed = 0;
        for transmit in outbox.iter() {
            let transmit = quinn_udp::Transmit {
                destination: transmit.destination,
                ecn: None,
                contents: transmit.payload,
                segment_size: None,
                src_ip: transmit.source_ip,
            };
            let sent = self.socket.try_io(|| self.state.try_send((&self.socket).into(), &transmit));
            failed += u64::from(sent.is_err());
        }
        outbox.clear();
        failed
    }
}

/// Undoes GRO: equal pieces, the last one perhaps shorter.
fn split(bytes: &[u8], stride: usize) -> impl Iterator<Item = &[u8]> {
    let empty = bytes.is_empty().then_some(bytes);
    empty.into_iter().chain(bytes.chunks(stride.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glued_datagrams_come_apart() {
        let split = |bytes, stride| split(bytes, stride).collect::<Vec<&[u8]>>();
        assert_eq!(split(b"aabbc", 2), [&b"aa"[..], b"bb", b"c"]);
        assert_eq!(split(b"aabb", 4), [b"aabb"]);
        assert_eq!(split(b"", 0), [b""]);
    }

    #[test]
    fn a_taken_port_is_an_error() {
        let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = bind(first.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
