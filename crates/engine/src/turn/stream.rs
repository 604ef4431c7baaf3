//! One client's TCP or TLS connection: what has come and is not whole, what could not be sent yet (RFC 8656 §2.1).

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::ops::Range;

use mio::net::TcpStream;
use peerline_net::ReceiveRing;
use peerline_turn::{ConnectionId, FiveTuple};

use crate::turn::tls::{MAX_SEALED_LEN, Tls};

/// A client that reads too slowly loses what is beyond this: it has to bound its delay, not our memory (RFC 8656 §12.7).
const MAX_UNSENT_LEN: usize = 64 * 1024;
/// Answers, which nobody repeats over TCP, find this much room behind data that waits.
const ANSWERS_LEN: usize = 16 * 1024;
/// A buffer that has grown beyond this is given back when it is empty.
const KEPT_LEN: usize = 4 * 1024;

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) socket: TcpStream,
    pub(crate) tuple: FiveTuple,
    tls: Option<Box<Tls>>,
    /// The beginning of a message whose rest has not come.
    partial: Vec<u8>,
    /// For the client, not yet sealed.
    plain: Vec<u8>,
    /// As it goes over the wire; the kernel has not taken it.
    unsent: Vec<u8>,
    /// The client has closed its side: after what it has sent nothing will come.
    pub(crate) is_ending: bool,
    /// It does not read what it asks for.
    pub(crate) is_hopeless: bool,
    /// It stands in the list of those that have something to send.
    pub(crate) is_dirty: bool,
    /// The connection with a peer that it is one with; then there are no messages on it any more.
    pub(crate) joined: Option<ConnectionId>,
    has_said_end: bool,
}

/// What one look at the socket gave.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// In the ring: whole messages, and perhaps the beginning of another.
    pub(crate) at: Range<u32>,
    pub(crate) then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing more for now.
    Wait,
    /// There may be more.
    Again,
    /// Nothing will come any more.
    End,
}

impl Stream {
    pub(crate) fn new(socket: TcpStream, tuple: FiveTuple, tls: Option<Box<Tls>>) -> Self {
        let (partial, plain, unsent) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            socket,
            tuple,
            tls,
            partial,
            plain,
            unsent,
            is_ending: false,
            is_hopeless: false,
            is_dirty: false,
            joined: None,
            has_said_end: false,
        }
    }

    /// Reads once, into a slot of the ring, behind what was left from before. `sealed` is room for TLS records.
    pub(crate) fn receive(&mut self, ring: &mut ReceiveRing, sealed: &mut Vec<u8>) -> Arrival {
        let mut then = Then::Wait;
        let at = ring.lend(|slot| {
            let kept = self.partial.len();
            let read = match self.tls {
                None => self.read_plain(&mut slot[kept..]),
                Some(_) => self.read_sealed(&mut slot[kept..], sealed),
            };
            match read {
                Ok((len, what)) => {
                    then = what;
                    if len == 0 {
                        return 0;
                    }
                    slot[..kept].copy_from_slice(&self.partial);
                    self.partial.clear();
                    kept + len
                }
                Err(error) => {
                    then = match error.kind() {
                        io::ErrorKind::WouldBlock => {
                            self.is_ending = false; // an end would have been read
                            Then::Wait
                        }
                        io::ErrorKind::Interrupted => Then::Again,
                        _ => Then::End,
                    };
                    0
                }
            }
        });
        if then == Then::Wait && self.is_ending {
            then = Then::Again; // until the end itself has been read
        }
        Arrival { at, then }
    }

    fn read_plain(&mut self, slot: &mut [u8]) -> io::Result<(usize, Then)> {
        let len = self.socket.read(slot)?;
        let then = match len {
            0 => Then::End,
            len if len == slot.len() => Then::Again,
            _ => Then::Wait,
        };
        Ok((len, then))
    }

    fn read_sealed(&mut self, slot: &mut [u8], sealed: &mut Vec<u8>) -> io::Result<(usize, Then)> {
        let Self { socket, tls, unsent, .. } = self;
        let Some(tls) = tls else { return Ok((0, Then::End)) };
        sealed.resize(MAX_SEALED_LEN, 0);
        let kept = tls.partial().len();
        if kept == MAX_SEALED_LEN {
            return Ok((0, Then::End)); // it calls a record what is none
        }
        let len = socket.read(&mut sealed[kept..])?;
        if len == 0 {
            return Ok((0, Then::End));
        }
        sealed[..kept].copy_from_slice(tls.partial());
        match tls.open(&mut sealed[..kept + len], slot, unsent) {
            Ok(opened) if opened.is_closed => Ok((opened.plain_len, Then::End)),
            Ok(opened) if kept + len == MAX_SEALED_LEN => Ok((opened.plain_len, Then::Again)),
            Ok(opened) => Ok((opened.plain_len, Then::Wait)),
            // What is behind it is a stranger's; the alert that says so may still go out.
            Err(_) => Ok((0, Then::End)),
        }
    }

    /// Keeps the beginning of a message for the next time.
    pub(crate) fn keep(&mut self, partial: &[u8]) {
        self.partial.extend_from_slice(partial);
    }

    /// Adds data for the client: `head`, `body`, and zeros. False: the client reads too slowly, it is lost.
    #[must_use]
    pub(crate) fn push(&mut self, head: &[u8], body: &[u8], zeros: usize) -> bool {
        self.push_within(MAX_UNSENT_LEN, head, body, zeros)
    }

    /// Adds an answer. False: the client asks and asks, and does not listen.
    #[must_use]
    pub(crate) fn push_answer(&mut self, answer: &[u8]) -> bool {
        self.push_within(MAX_UNSENT_LEN + ANSWERS_LEN, answer, &[], 0)
    }

    fn push_within(&mut self, limit: usize, head: &[u8], body: &[u8], zeros: usize) -> bool {
        let len = head.len() + body.len() + zeros;
        if self.plain.len() + self.unsent.len() + len > limit {
            return false;
        }
        self.plain.extend_from_slice(head);
        self.plain.extend_from_slice(body);
        self.plain.resize(self.plain.len() + zeros, 0);
        true
    }

    pub(crate) fn has_sent_all(&self) -> bool {
        self.plain.is_empty() && self.unsent.is_empty()
    }

    /// Says, behind everything that was pushed, that there will be no more. False: it could not be sent yet.
    pub(crate) fn end(&mut self) -> io::Result<bool> {
        if !std::mem::replace(&mut self.has_said_end, true)
            && let Some(tls) = &mut self.tls
        {
            tls.end(&mut self.unsent);
        }
        self.flush()?;
        if self.has_sent_all() {
            self.socket.shutdown(Shutdown::Write)?;
        }
        Ok(self.has_sent_all())
    }

    /// Sends what the kernel takes. An error is the end of the connection.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if !self.plain.is_empty() {
            match &mut self.tls {
                Some(tls) => tls.seal(&self.plain, &mut self.unsent),
                None if self.unsent.is_empty() => std::mem::swap(&mut self.plain, &mut self.unsent),
                None => self.unsent.extend_from_slice(&self.plain),
            }
            empty(&mut self.plain);
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
        if self.unsent.is_empty() {
            empty(&mut self.unsent);
        }
        outcome
    }
}

fn empty(buffer: &mut Vec<u8>) {
    buffer.clear();
    if buffer.capacity() > KEPT_LEN {
        *buffer = Vec::new();
    }
}
