//! A TCP or TLS connection to a TURN server: what has come and is not whole, what could not be sent yet (RFC 8656 §2.1).

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};

use mio::net::TcpStream;
use peerline_transport::relay::RelayStream;
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use super::tls::Tls;

/// Data beyond this is lost: it has to bound its delay, and SCTP sends it again.
const MAX_UNSENT_LEN: usize = 64 * 1024;
/// Requests, which nobody repeats over a stream, find this much room behind data that waits.
const REQUESTS_LEN: usize = 16 * 1024;
const READ_LEN: usize = 64 * 1024;
/// After so many reads the other sockets get their turn.
const READS_PER_TURN: usize = 16;

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) socket: TcpStream,
    tls: Option<Box<Tls>>,
    is_connected: bool,
    messages: RelayStream,
    /// For the server, not yet sealed.
    plain: Vec<u8>,
    /// As it goes over the wire; the kernel has not taken it.
    unsent: Vec<u8>,
}

/// How a connection stands after a look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Coming,
    Up,
}

impl Stream {
    /// Begins to connect from this address of ours.
    pub(super) fn begin(from: IpAddr, server: SocketAddr, tls: Option<Box<Tls>>) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        // Packets of a call wait for nothing.
        socket.set_tcp_nodelay(true)?;
        socket.bind(&SocketAddr::new(from, 0).into())?;
        match socket.connect(&server.into()) {
            Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => return Err(error),
            _ => {}
        }
        let (socket, messages) = (TcpStream::from_std(socket.into()), RelayStream::default());
        Ok(Self { socket, tls, is_connected: false, messages, plain: Vec::new(), unsent: Vec::new() })
    }

    /// Whether the server has accepted us and, over TLS, has shown who it is. An error is the end.
    pub(super) fn standing(&mut self) -> io::Result<Standing> {
        if !self.is_connected {
            if let Some(error) = self.socket.take_error()? {
                return Err(error);
            }
            match self.socket.peer_addr() {
                Ok(_) => self.is_connected = true,
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(Standing::Coming),
                Err(error) => return Err(error),
            }
        }
        Ok(if self.tls.as_ref().is_none_or(|tls| tls.is_up()) { Standing::Up } else { Standing::Coming })
    }

    /// Reads a fair share and gives each message to `take`, in `buffer`'s stead. True: there may be more. An error is the
    /// end, and what came before it was given.
    pub(super) fn receive(&mut self, buffer: &mut Vec<u8>, mut take: impl FnMut(&[u8])) -> io::Result<bool> {
        if !self.is_connected {
            return Ok(false);
        }
        buffer.resize(READ_LEN, 0);
        for _ in 0..READS_PER_TURN {
            let len = match self.socket.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let is_open = match &mut self.tls {
                None => {
                    self.messages.push(&buffer[..len]);
                    true
                }
                Some(tls) => {
                    let mut plain = Vec::new();
                    let opened = tls.open(&buffer[..len], &mut plain);
                    self.messages.push(&plain);
                    // The handshake's next part, or what was wrong with it.
                    tls.take(&mut self.unsent);
                    opened.map_err(|error| io::Error::other(error.to_string()))?
                }
            };
            while let Some(message) = self.messages.next_message().map_err(io::Error::other)? {
                take(message);
            }
            if !is_open {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(true)
    }

    /// Where data for peers is put, unless the server reads too slowly.
    pub(super) fn room_for_data(&mut self, len: usize) -> Option<&mut Vec<u8>> {
        self.room(len, MAX_UNSENT_LEN)
    }

    /// Adds a message of the relay's own. False: the server does not read what it has to.
    #[must_use]
    pub(super) fn push(&mut self, message: &[u8]) -> bool {
        match self.room(message.len(), MAX_UNSENT_LEN + REQUESTS_LEN) {
            Some(room) => {
                room.extend_from_slice(message);
                true
            }
            None => false,
        }
    }

    fn room(&mut self, len: usize, limit: usize) -> Option<&mut Vec<u8>> {
        (self.plain.len() + self.unsent.len() + len <= limit).then_some(&mut self.plain)
    }

    /// Says, behind everything that was pushed, that there will be no more.
    pub(super) fn end(&mut self) {
        self.seal();
        if let Some(tls) = &mut self.tls {
            tls.end();
        }
        let _ = self.flush();
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
    }

    /// Sends what the kernel takes. An error is the end of the connection.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if !self.is_connected {
            return Ok(());
        }
        self.seal();
        if let Some(tls) = &mut self.tls {
            tls.take(&mut self.unsent);
        }
        let mut sent = 0;
        let outcome = loop {
            if sent == self.unsent.len() {
                break Ok(());
            }
            match self.socket.write(&self.unsent[sent..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => sent += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.unsent.drain(..sent);
        outcome
    }

    fn seal(&mut self) {
        match &mut self.tls {
            None if self.unsent.is_empty() => std::mem::swap(&mut self.plain, &mut self.unsent),
            None => self.unsent.append(&mut self.plain),
            Some(tls) if tls.is_up() => {
                tls.seal(&self.plain);
                self.plain.clear();
            }
            Some(_) => {}
        }
    }
}
