//! What has been received and not yet been dealt with.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use crate::SLOT_LEN;
use crate::system::ReceiveHeaders;

/// One arrival: a datagram, or several equal ones of one source that GRO has glued together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    pub source: SocketAddr,
    /// The local address it was sent to; known on sockets that were prepared for it.
    pub local_ip: Option<IpAddr>,
    /// Where in the ring it begins, and how long it is.
    start: u32,
    len: u32,
    /// The length of each of the glued datagrams; the last may be shorter. Never 0.
    stride: u32,
}

impl Received {
    pub(crate) fn new(source: SocketAddr, local_ip: Option<IpAddr>, slot: usize, len: usize, stride: usize) -> Self {
        let start = (slot * SLOT_LEN) as u32;
        Self {
            source,
            local_ip,
            start,
            len: len as u32,
            stride: (if stride == 0 { len } else { stride }).max(1) as u32,
        }
    }

    /// The ranges of its datagrams in the ring, each with what GRO had glued undone.
    pub fn datagrams(&self) -> impl Iterator<Item = Range<u32>> + use<> {
        let Self { start, len, stride, .. } = *self;
        // An empty datagram is a datagram nevertheless.
        (0..len.div_ceil(stride).max(1)).map(move |n| start + n * stride..start + ((n + 1) * stride).min(len))
    }
}

/// Slots for datagrams, filled from any socket until cleared.
pub struct ReceiveRing {
    bytes: Vec<u8>,
    headers: ReceiveHeaders,
    received: Vec<Received>,
    used: usize,
}

impl std::fmt::Debug for ReceiveRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReceiveRing").field("used", &self.used).finish_non_exhaustive()
    }
}

impl ReceiveRing {
    /// Memory that no datagram reaches is never touched and costs nothing.
    pub fn new(slots: usize) -> Self {
        let mut bytes = vec![0; slots * SLOT_LEN];
        let headers = ReceiveHeaders::new(&mut bytes, slots);
        Self { bytes, headers, received: Vec::with_capacity(slots), used: 0 }
    }

    /// How many more arrivals fit.
    pub fn room(&self) -> usize {
        self.headers.slots() - self.used
    }

    /// Takes up to `max` arrivals of this socket. Fewer than that: it has no more for now. `WouldBlock`: it had none.
    pub fn receive(&mut self, socket: &impl std::os::fd::AsFd, max: usize) -> io::Result<usize> {
        let max = max.min(self.room());
        let count = self.headers.receive(socket.as_fd(), &mut self.bytes, self.used, max, &mut self.received)?;
        self.used += count;
        Ok(count)
    }

    /// Lends a slot to be filled from something else than a datagram socket. `fill` says how many bytes at its front are
    /// to stay; their place is given back. None: the slot is free again. To be called only while there is room.
    pub fn lend(&mut self, fill: impl FnOnce(&mut [u8]) -> usize) -> Range<u32> {
        let start = self.used * SLOT_LEN;
        let len = fill(&mut self.bytes[start..start + SLOT_LEN]);
        self.used += usize::from(len > 0);
        start as u32..(start + len) as u32
    }

    /// The arrivals since the last `clear`, oldest first.
    pub fn received(&self) -> &[Received] {
        &self.received
    }

    /// All slots; the ranges of [`Received`] point into it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets everything; the slots can be filled again.
    pub fn clear(&mut self) {
        self.received.clear();
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lent_slot_stays_only_if_something_is_in_it() {
        let mut ring = ReceiveRing::new(2);
        assert_eq!(ring.lend(|_| 0), 0..0);
        let range = ring.lend(|slot| {
            slot[..3].copy_from_slice(b"abc");
            3
        });
        assert_eq!(&ring.bytes()[range.start as usize..range.end as usize], b"abc");
        assert_eq!((ring.room(), ring.lend(|_| 1).start as usize), (1, SLOT_LEN));
        ring.clear();
        assert_eq!(ring.room(), 2);
    }

    #[test]
    fn glued_datagrams_come_apart() {
        let source = "192.0.2.1:1".parse().unwrap();
        let ranges = |slot, len, stride| {
            let received = Received::new(source, None, slot, len, stride);
            received.datagrams().map(|range| (range.start, range.end)).collect::<Vec<_>>()
        };
        assert_eq!(ranges(0, 5, 2), [(0, 2), (2, 4), (4, 5)]);
        assert_eq!(ranges(1, 4, 4), [(SLOT_LEN as u32, SLOT_LEN as u32 + 4)]);
        assert_eq!(ranges(0, 4, 0), [(0, 4)]);
        assert_eq!(ranges(0, 0, 0), [(0, 0)]);
    }
}
