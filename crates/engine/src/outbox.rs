//! Datagrams a service wants sent, collected over one batch in memory that is used again for the next.

use std::net::{IpAddr, SocketAddr};

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    destination: SocketAddr,
    source_ip: Option<IpAddr>,
    end: usize,
}

/// One datagram to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Transmit<'a> {
    pub(crate) destination: SocketAddr,
    /// The local address it should leave from; `None` lets the routing table choose.
    pub(crate) source_ip: Option<IpAddr>,
    pub(crate) payload: &'a [u8],
}

impl Outbox {
    pub(crate) fn push(&mut self, destination: SocketAddr, source_ip: Option<IpAddr>, payload: &[u8]) {
        self.bytes.extend_from_slice(payload);
        self.entries.push(Entry { destination, source_ip, end: self.bytes.len() });
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Transmit<'_>> {
        let mut start = 0;
        self.entries.iter().map(move |entry| {
            let payload = &self.bytes[start..entry.end];
            start = entry.end;
            Transmit { destination: entry.destination, source_ip: entry.source_ip, payload }
        })
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }
}
