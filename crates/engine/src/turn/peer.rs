//! A peer's TCP connection with a relay, and what could not be sent to it yet (RFC 6062 §5.2).

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::ops::Range;
use std::time::Instant;

use mio::net::TcpStream;
use peerline_net::ReceiveRing;
use peerline_turn::{AllocationId, ConnectionId, FiveTuple};

/// No more is taken from a peer at once: as much as its client's connection holds until the kernel takes it.
const READ_LEN: usize = 32 * 1024;

#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) socket: TcpStream,
    pub(crate) id: ConnectionId,
    pub(crate) allocation: AllocationId,
    /// Whether the connection is made.
    pub(crate) is_connected: bool,
    /// The client's connection that this one is joined with.
    pub(crate) client: Option<FiveTuple>,
    /// From the client; the kernel has not taken it.
    unsent: Vec<u8>,
    /// From the client, and to it.
    pub(crate) up: Flow,
    pub(crate) down: Flow,
    /// Nothing is read before then: the allocation was faster than it may be.
    pub(crate) pauses_until: Option<Instant>,
}

/// One direction of two joined connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Open,
    /// Nothing will come any more; what has come is still to be sent.
    Ending,
    Ended,
}

impl Peer {
    pub(crate) fn new(socket: TcpStream, id: ConnectionId, allocation: AllocationId, is_connected: bool) -> Self {
        // What waits for more to be sent with comes too late; a connection without it works as well.
        let _ = socket.set_nodelay(true);
        let (up, down) = (Flow::Open, Flow::Open);
        Self { socket, id, allocation, is_connected, client: None, unsent: Vec::new(), up, down, pauses_until: None }
    }

    /// Whether the connection, which was begun, is made by now. An error: it never will be.
    pub(crate) fn has_connected(&self) -> io::Result<bool> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        Ok(self.socket.peer_addr().is_ok())
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
    }

    pub(crate) fn has_sent_all(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Sends what the kernel takes, and behind the last of it that there is no more.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let mut sent = 0;
        while sent < self.unsent.len() {
            match self.socket.write(&self.unsent[sent..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => sent += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.unsent.drain(..sent);
        if self.unsent.is_empty() {
            self.unsent = Vec::new();
            if self.up == Flow::Ending {
                self.socket.shutdown(Shutdown::Write)?;
                self.up = Flow::Ended;
            }
        }
        Ok(())
    }

    /// Reads once, into a slot of the ring. Nothing: there is nothing now, or `down` is ending.
    pub(crate) fn receive(&mut self, ring: &mut ReceiveRing) -> io::Result<Range<u32>> {
        let mut outcome = Ok(());
        let at = ring.lend(|slot| {
            loop {
                match self.socket.read(&mut slot[..READ_LEN]) {
                    Ok(0) => {
                        self.down = Flow::Ending;
                        break 0;
                    }
                    Ok(len) => break len,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break 0,
                    Err(error) => {
                        outcome = Err(error);
                        break 0;
                    }
                }
            }
        });
        outcome.map(|()| at)
    }
}
