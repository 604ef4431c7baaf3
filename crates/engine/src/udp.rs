//! Binding UDP sockets so that each serves one address family.

use std::io;
use std::net::{IpAddr, SocketAddr};

use mio::net::UdpSocket;
use socket2::{Domain, Protocol, Socket, Type};

/// A burst must survive until the shard comes round. The kernel may grant less.
const KERNEL_BUFFER_LEN: usize = 1 << 20;

/// A socket that strangers talk to. Without SO_REUSEADDR, so that a taken port is an error and never shared.
pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = unbound(address)?;
    // Asking for more than the system allows gets what it allows.
    let _ = socket.set_recv_buffer_size(KERNEL_BUFFER_LEN);
    let _ = socket.set_send_buffer_size(KERNEL_BUFFER_LEN);
    bound(socket, address)
}

/// As [`bind`], but one of several sockets on the same address, among which the kernel spreads the clients.
/// The first one is bound and closed alone, so that a port that somebody else has is an error here too.
pub(crate) fn bind_shared(address: SocketAddr, count: usize) -> io::Result<Vec<UdpSocket>> {
    let alone = bind(address)?;
    if count == 1 {
        return Ok(vec![alone]);
    }
    let address = alone.local_addr()?;
    drop(alone);
    let one = |_| {
        let socket = unbound(address)?;
        socket.set_reuse_port(true)?;
        let _ = socket.set_recv_buffer_size(KERNEL_BUFFER_LEN);
        let _ = socket.set_send_buffer_size(KERNEL_BUFFER_LEN);
        bound(socket, address)
    };
    (0..count).map(one).collect()
}

/// A socket that one client's peers talk to. Its buffers are the system's: there may be ten thousand of it.
pub(crate) fn bind_relay(address: SocketAddr) -> io::Result<UdpSocket> {
    bound(unbound(address)?, address)
}

fn unbound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // One socket for each family, whatever the system's default: [::] must not take 0.0.0.0's port.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn bound(socket: Socket, address: SocketAddr) -> io::Result<UdpSocket> {
    socket.bind(&address.into())?;
    let socket = std::net::UdpSocket::from(socket);
    peerline_net::prepare(&socket, address.is_ipv6(), address.ip().is_unspecified());
    Ok(UdpSocket::from_std(socket))
}

/// The address a datagram was sent to: on a socket of all addresses what the kernel says, else the socket's own.
pub(crate) fn asked(listener: SocketAddr, local_ip: Option<IpAddr>) -> SocketAddr {
    SocketAddr::new(local_ip.unwrap_or(listener.ip()), listener.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_an_error() {
        let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = bind(first.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
