//! Listening TCP sockets, one address family each.

use std::io;
use std::net::SocketAddr;

use mio::net::{TcpListener, TcpStream};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

/// So many may wait until the shard comes round.
const BACKLOG: i32 = 1_024;
/// Peers of one relay.
const RELAY_BACKLOG: i32 = 64;

/// One socket for each shard on the same address, among which the kernel spreads the clients. As with UDP, the first one
/// is bound and closed alone, so that a port that somebody else has is an error.
pub(crate) fn listen_shared(address: SocketAddr, count: usize) -> io::Result<Vec<TcpListener>> {
    let alone = bound(address, false)?;
    if count == 1 {
        return Ok(vec![listening(alone)?]);
    }
    let address = alone.local_addr()?.as_socket().expect("an internet socket has an internet address");
    drop(alone);
    (0..count).map(|_| listening(bound(address, true)?)).collect()
}

/// A socket that one client's peers connect to. Its port can be shared with those of [`connect_from`], and so with other
/// relays: whoever calls must have made sure that there is none.
pub(crate) fn listen_relay(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = bound(address, true)?;
    socket.listen(RELAY_BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// Begins to connect to a peer from the address of a relay that listens there.
pub(crate) fn connect_from(relay: SocketAddr, peer: SocketAddr) -> io::Result<TcpStream> {
    let socket = bound(relay, true)?;
    match socket.connect(&peer.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
        _ => Ok(TcpStream::from_std(socket.into())),
    }
}

/// Whether somebody is there to be accepted.
pub(crate) fn has_waiting(listener: &TcpListener) -> bool {
    let mut asked = [PollFd::new(listener, PollFlags::IN)];
    poll(&mut asked, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

fn bound(address: SocketAddr, is_shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of an earlier process that are still being closed do not count; one that listens does.
    socket.set_reuse_address(true)?;
    if is_shared {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn listening(socket: Socket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_waits_until_he_is_accepted() {
        let [listener] = &listen_shared("127.0.0.1:0".parse().unwrap(), 1).unwrap()[..] else { panic!("one") };
        assert!(!has_waiting(listener));
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(has_waiting(listener));
        let _accepted = listener.accept().unwrap();
        assert!(!has_waiting(listener));
    }

    #[test]
    fn a_taken_port_is_an_error_also_for_several() {
        let first = listen_shared("127.0.0.1:0".parse().unwrap(), 2).unwrap();
        let taken = first[0].local_addr().unwrap();
        assert_eq!(first[1].local_addr().unwrap(), taken);
        for count in [1, 2] {
            assert_eq!(listen_shared(taken, count).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        }
    }
}
