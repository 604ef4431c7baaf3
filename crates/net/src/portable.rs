//! One system call for each datagram, for systems without recvmmsg and sendmmsg. Slower, otherwise the same.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use socket2::SockRef;

use crate::SLOT_LEN;
use crate::receive::Received;
use crate::send::{Message, Piece, Sent};

/// Nothing to ask for: a socket of all addresses answers from the one the routing table chooses.
pub fn prepare(_socket: &impl AsFd, _is_ipv6: bool, _is_wildcard: bool) {}

/// Not to be had on every system, so on none of these.
pub const CAN_FORBID_FRAGMENTS: bool = false;

#[derive(Debug)]
pub struct FragmentsForbidden<'a>(std::marker::PhantomData<&'a ()>);

pub fn forbid_fragments(_socket: &impl AsFd, _is_ipv6: bool) -> io::Result<FragmentsForbidden<'_>> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) struct ReceiveHeaders(usize);

impl ReceiveHeaders {
    pub(crate) fn new(_bytes: &mut [u8], slots: usize) -> Self {
        Self(slots)
    }

    pub(crate) fn slots(&self) -> usize {
        self.0
    }

    pub(crate) fn receive(
        &mut self,
        fd: BorrowedFd<'_>,
        bytes: &mut [u8],
        first: usize,
        max: usize,
        received: &mut Vec<Received>,
    ) -> io::Result<usize> {
        let socket = SockRef::from(&fd);
        let mut buffer = vec![std::mem::MaybeUninit::uninit(); SLOT_LEN];
        for slot in first..first + max {
            let (len, source) = match socket.recv_from(&mut buffer) {
                Ok(arrival) => arrival,
                Err(error) if slot > first && error.kind() == io::ErrorKind::WouldBlock => return Ok(slot - first),
                Err(error) => return Err(error),
            };
            for (byte, arrived) in bytes[slot * SLOT_LEN..].iter_mut().zip(&buffer[..len]) {
                // SAFETY: `recv_from` has initialised the first `len` bytes.
                *byte = unsafe { arrived.assume_init() };
            }
            let Some(source) = source.as_socket() else { continue };
            received.push(Received::new(source, None, slot, len, 0));
        }
        Ok(max)
    }
}

#[derive(Debug, Default)]
pub(crate) struct SendHeaders(Vec<u8>);

impl SendHeaders {
    pub(crate) fn send(
        &mut self,
        fd: BorrowedFd<'_>,
        messages: &[Message],
        pieces: &[Piece],
        received: &[u8],
        own: &[u8],
    ) -> Sent {
        let socket = SockRef::from(&fd);
        let (mut sent, mut first_piece) = (Sent::default(), 0);
        for message in messages {
            let pieces = &pieces[first_piece..message.pieces_end as usize];
            first_piece = message.pieces_end as usize;
            let mut rest = message.datagrams;
            let mut of_message = pieces.iter();
            while rest > 0 {
                self.0.clear();
                while self.0.len() < message.segment_len as usize {
                    let Some(piece) = of_message.next() else { break };
                    self.0.extend_from_slice(piece.bytes(received, own));
                }
                rest -= 1;
                match socket.send_to(&self.0, &message.destination.into()) {
                    Ok(_) => sent.sent += 1,
                    Err(_) => sent.failed += 1,
                }
            }
        }
        sent
    }
}
