//! The UDP sockets of one data path, one for each local address.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::rc::Rc;

use aws_lc_rs::rand;
use mio::Interest;
use mio::net::UdpSocket;
use peerline_net::SendBatch;
use peerline_transport::ice::Address;

use crate::service::{Io, SocketId};
use crate::udp::bind_relay;

#[derive(Debug)]
pub(super) struct Socket {
    pub(super) socket: Held,
    pub(super) address: SocketAddr,
    pub(super) batch: SendBatch,
}

impl Socket {
    pub(super) fn push(&mut self, io: &mut Io<'_>, address: Address, datagram: &[u8]) {
        if matches!(self.socket, Held::Shared(_)) {
            io.ports.sends(self.address, io.handle, datagram);
        }
        self.batch.push(address.remote, None, datagram, 0..0, 0);
    }
}

#[derive(Debug)]
pub(super) enum Held {
    Own(UdpSocket),
    /// A port in common; the shard reads from it.
    Shared(Rc<UdpSocket>),
}

impl Held {
    pub(super) fn socket(&self) -> &UdpSocket {
        match self {
            Self::Own(socket) => socket,
            Self::Shared(socket) => socket,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Sockets(Vec<Socket>);

impl Sockets {
    /// Binds one more and has it watched.
    pub(super) fn open(
        &mut self,
        io: &Io<'_>,
        ip: IpAddr,
        ports: Option<&RangeInclusive<u16>>,
    ) -> io::Result<SocketAddr> {
        let mut socket = bound(ip, ports)?;
        let address = socket.local_addr()?;
        io.register(&mut socket, self.0.len() as SocketId, Interest::READABLE)?;
        self.0.push(Socket { socket: Held::Own(socket), address, batch: SendBatch::default() });
        Ok(address)
    }

    /// Has a part in a port that others use as well.
    pub(super) fn share(&mut self, io: &mut Io<'_>, ip: IpAddr, port: u16) -> io::Result<SocketAddr> {
        let (socket, address) = io.ports.join(io.registry, ip, port, io.handle)?;
        self.0.push(Socket { socket: Held::Shared(socket), address, batch: SendBatch::default() });
        Ok(address)
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().map(|socket| socket.address)
    }

    pub(super) fn at(&self, id: SocketId) -> Option<&Socket> {
        self.0.get(id as usize)
    }

    pub(super) fn of(&mut self, local: SocketAddr) -> Option<&mut Socket> {
        self.0.iter_mut().find(|socket| socket.address == local)
    }

    /// Sends what was collected; says how many datagrams the system did not take.
    pub(super) fn flush(&mut self, received: &[u8]) -> u64 {
        self.0.iter_mut().map(|socket| socket.batch.flush(socket.socket.socket(), received).failed).sum()
    }

    pub(super) fn close(&mut self, io: &mut Io<'_>) {
        for socket in &mut self.0 {
            if let Held::Own(socket) = &mut socket.socket {
                io.deregister(socket);
            }
        }
        self.0.clear();
        io.ports.leave(io.registry, io.handle);
    }
}

/// Within a range the first free port from a random one on.
pub(super) fn bound(ip: IpAddr, ports: Option<&RangeInclusive<u16>>) -> io::Result<UdpSocket> {
    let Some(ports) = ports else { return bind_relay(SocketAddr::new(ip, 0)) };
    let mut bytes = [0; 4];
    rand::fill(&mut bytes).map_err(|_| io::Error::other("the system has no randomness"))?;
    let count = u32::from(ports.end() - ports.start()) + 1;
    let first = u32::from_ne_bytes(bytes) % count;
    let mut failure = io::Error::from(io::ErrorKind::AddrInUse);
    for step in 0..count {
        let port = ports.start() + ((first + step) % count) as u16;
        match bind_relay(SocketAddr::new(ip, port)) {
            Ok(socket) => return Ok(socket),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => failure = error,
            Err(error) => return Err(error),
        }
    }
    Err(failure)
}
