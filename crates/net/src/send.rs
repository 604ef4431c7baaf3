//! Datagrams that will leave one socket together.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::os::fd::AsFd;

use crate::system::SendHeaders;

/// The kernel takes no longer run (UDP_MAX_SEGMENTS of older kernels).
const MAX_SEGMENTS: u32 = 64;
/// The longest UDP payload over IPv4, which bounds a run as well.
const MAX_RUN_LEN: u32 = 65_507;

/// What became of a flushed batch, in datagrams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    pub sent: u64,
    pub failed: u64,
}

/// One message to the kernel: a datagram, or a run of equal ones to one destination.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message {
    pub(crate) destination: SocketAddr,
    pub(crate) source_ip: Option<IpAddr>,
    pub(crate) datagrams: u32,
    /// The length of each datagram but the last, which may be shorter.
    pub(crate) segment_len: u32,
    /// Where its pieces end in the list of all pieces.
    pub(crate) pieces_end: u32,
    len: u32,
}

impl Message {
    /// Whether a datagram of this length may follow in the same run.
    fn takes(&self, len: u32) -> bool {
        let is_even = self.len == self.datagrams * self.segment_len;
        let has_room = self.datagrams < MAX_SEGMENTS && self.len + len <= MAX_RUN_LEN;
        is_even && has_room && (1..=self.segment_len).contains(&len)
    }
}

/// A piece of a datagram: in the ring it was received into, or written by us. No piece spans two datagrams.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece {
    Received(u32, u32),
    Own(u32, u32),
}

impl Piece {
    pub(crate) fn bytes<'a>(self, received: &'a [u8], own: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Received(start, len) => &received[start as usize..][..len as usize],
            Self::Own(start, len) => &own[start as usize..][..len as usize],
        }
    }
}

/// Collects datagrams, gluing neighbours of one destination and one length into runs.
#[derive(Debug, Default)]
pub struct SendBatch {
    own: Vec<u8>,
    pieces: Vec<Piece>,
    messages: Vec<Message>,
    headers: SendHeaders,
}

impl SendBatch {
    /// Adds a datagram: `head`, which is copied, then a range of the receive ring, which is not, then zeros.
    /// `source_ip` is the local address it leaves from; `None` lets the routing table choose.
    pub fn push(
        &mut self,
        destination: SocketAddr,
        source_ip: Option<IpAddr>,
        head: &[u8],
        body: Range<u32>,
        zeros: usize,
    ) {
        let (head_len, body_len, zeros) = (head.len() as u32, body.end - body.start, zeros as u32);
        self.piece_of_own(head_len, |own| own.extend_from_slice(head));
        if body_len > 0 {
            self.pieces.push(Piece::Received(body.start, body_len));
        }
        self.piece_of_own(zeros, |own| own.resize(own.len() + zeros as usize, 0));
        let (len, pieces_end) = (head_len + body_len + zeros, self.pieces.len() as u32);
        match self.messages.last_mut() {
            Some(last) if last.destination == destination && last.source_ip == source_ip && last.takes(len) => {
                last.datagrams += 1;
                last.len += len;
                last.pieces_end = pieces_end;
            }
            _ => {
                self.messages.push(Message { destination, source_ip, datagrams: 1, segment_len: len, pieces_end, len });
            }
        }
    }

    fn piece_of_own(&mut self, len: u32, write: impl FnOnce(&mut Vec<u8>)) {
        if len > 0 {
            self.pieces.push(Piece::Own(self.own.len() as u32, len));
            write(&mut self.own);
        }
    }

    /// How many messages the kernel will be given; a run counts once.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Sends all and empties the batch. What the kernel does not take is lost, as datagrams are, and counted.
    pub fn flush(&mut self, socket: &impl AsFd, received: &[u8]) -> Sent {
        let mut sent = Sent::default();
        if !self.messages.is_empty() {
            sent = self.headers.send(socket.as_fd(), &self.messages, &self.pieces, received, &self.own);
            self.clear();
        }
        sent
    }

    /// Forgets what was pushed, unsent.
    pub fn clear(&mut self) {
        self.own.clear();
        self.pieces.clear();
        self.messages.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens(batch: &SendBatch) -> Vec<(u32, u32)> {
        batch.messages.iter().map(|m| (m.datagrams, m.segment_len)).collect()
    }

    #[test]
    fn neighbours_of_one_length_become_a_run_that_a_shorter_one_ends() {
        let (to, other) = ("192.0.2.1:1".parse().unwrap(), "192.0.2.1:2".parse().unwrap());
        let mut batch = SendBatch::default();
        for (to, len) in [(to, 10), (to, 10), (to, 4), (to, 10), (other, 10), (other, 11), (other, 0), (other, 0)] {
            batch.push(to, None, b"", 0..len, 0);
        }
        assert_eq!(lens(&batch), [(3, 10), (1, 10), (1, 10), (1, 11), (1, 0), (1, 0)]);
    }

    #[test]
    fn a_run_is_no_longer_than_the_kernel_takes() {
        let to = "192.0.2.1:1".parse().unwrap();
        let mut batch = SendBatch::default();
        for _ in 0..65 {
            batch.push(to, None, b"head", 0..96, 0);
        }
        for _ in 0..3 {
            batch.push(to, None, b"", 0..30_000, 0);
        }
        assert_eq!(lens(&batch), [(64, 100), (1, 100), (2, 30_000), (1, 30_000)]);
    }
}
