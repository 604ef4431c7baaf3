//! All relays of one data path, over generations of candidates.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::time::Instant;

use peerline_transport::ice::Address;
use peerline_transport::relay::RelayEvent;

use super::asked::RelayAsked;
use super::line::{Line, said};
use crate::service::{Io, SocketId};

/// Sockets of the data path itself have lower numbers.
const FIRST_ID: SocketId = 1024;
/// A configuration names as many servers as it likes.
const MAX_LINES: usize = 64;

/// What the data path hears.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::peer) enum RelayNews {
    /// Peers reach us at `relayed`, through a server that `base` talks to, and sees at `mapped`.
    Found {
        relayed: SocketAddr,
        base: SocketAddr,
        mapped: Option<SocketAddr>,
        url: String,
    },
    Failed {
        base: SocketAddr,
        url: String,
        code: u16,
        reason: String,
    },
    /// Nothing reaches this relayed address any more.
    Gone {
        relayed: SocketAddr,
    },
}

#[derive(Debug, Default)]
pub(in crate::peer) struct Relays {
    /// By the numbers of their sockets.
    lines: Vec<Option<Line>>,
    news: VecDeque<RelayNews>,
    /// What was read from a stream, in work.
    buffer: Vec<u8>,
    /// Something has broken since the news were asked for.
    broken: Option<Instant>,
}

impl Relays {
    /// Whether this is a socket of theirs.
    pub(in crate::peer) fn owns(id: SocketId) -> bool {
        id >= FIRST_ID
    }

    /// Asks a server for a relay from one of these addresses: from that towards which the system routes it, if it is one
    /// of them. A relay of an earlier generation will do.
    pub(in crate::peer) fn ask(
        &mut self,
        io: &Io<'_>,
        bases: &[SocketAddr],
        ports: Option<&RangeInclusive<u16>>,
        asked: RelayAsked,
    ) {
        let is_same = |line: &&mut Line| line.asked.is_same(&asked);
        if let Some(line) = self.lines.iter_mut().flatten().find(is_same) {
            line.is_wanted = true;
            self.news.extend(line.found());
            return;
        }
        // As with STUN servers: of one that no address of ours can reach there is nothing to say.
        let Some(from) = base_for(bases, asked.server) else { return };
        let (base, url) = (SocketAddr::new(from, 0), asked.url.clone());
        let failed = |reason| RelayNews::Failed { base, url, code: 701, reason };
        let at = self.lines.iter().position(Option::is_none).unwrap_or(self.lines.len());
        if at >= MAX_LINES {
            self.news.push_back(failed("there are too many servers".to_owned()));
            return;
        }
        match Line::open(io, FIRST_ID + at as SocketId, from, ports, asked) {
            Ok(line) if at < self.lines.len() => self.lines[at] = Some(line),
            Ok(line) => self.lines.push(Some(line)),
            Err(error) => self.news.push_back(failed(said(&error))),
        }
    }

    /// Those that are not asked for again will not be part of the new generation.
    pub(in crate::peer) fn begin_generation(&mut self) {
        self.lines.iter_mut().flatten().for_each(|line| line.is_wanted = false);
    }

    /// There will be no new generation.
    pub(in crate::peer) fn abort_generation(&mut self) {
        self.lines.iter_mut().flatten().for_each(|line| line.is_wanted = true);
    }

    /// The new generation is in use: those that it does not have are given back.
    pub(in crate::peer) fn end_generation(&mut self, now: Instant) {
        self.lines.iter_mut().flatten().filter(|line| !line.is_wanted).for_each(|line| line.relay.close(now));
    }

    /// Whether a server has not answered yet.
    pub(in crate::peer) fn is_asking(&self) -> bool {
        self.lines.iter().flatten().any(|line| line.is_wanted && line.relay.relayed().is_none())
    }

    pub(in crate::peer) fn poll_news(&mut self) -> Option<RelayNews> {
        self.news.pop_front()
    }

    /// Reads a fair share and gives what peers have sent to `take`. True: there may be more.
    pub(in crate::peer) fn handle_ready(
        &mut self,
        io: &mut Io<'_>,
        id: SocketId,
        mut take: impl FnMut(Address, &[u8]),
    ) -> bool {
        let Self { lines, buffer, .. } = self;
        let Some(Some(line)) = lines.get_mut((id - FIRST_ID) as usize) else { return false };
        // Data comes after the relayed address is known, and it does not change.
        let relayed = line.relay.relayed();
        line.receive(io, buffer, |remote, data| {
            if let Some(local) = relayed {
                take(Address { local, remote }, data);
            }
        })
    }

    /// Sends from a relayed address of ours. False: there is none like it, or it could not be sent.
    #[inline]
    pub(in crate::peer) fn send(&mut self, now: Instant, address: Address, data: &[u8]) -> bool {
        let is_it = |line: &&mut Line| line.relay.relayed() == Some(address.local);
        self.lines.iter_mut().flatten().find(is_it).is_some_and(|line| line.send(now, address.remote, data))
    }

    pub(in crate::peer) fn handle_timeout(&mut self, now: Instant) {
        self.lines.iter_mut().flatten().for_each(|line| line.handle_timeout(now));
    }

    pub(in crate::peer) fn poll_timeout(&self) -> Option<Instant> {
        self.lines.iter().flatten().filter_map(Line::poll_timeout).chain(self.broken).min()
    }

    /// Hears what became of the servers' answers.
    pub(in crate::peer) fn advance(&mut self, io: &Io<'_>, ports: Option<&RangeInclusive<u16>>) {
        self.broken = None;
        for slot in &mut self.lines {
            let Some(line) = slot else { continue };
            let mut is_over = false;
            while let Some(event) = line.relay.poll_event() {
                match event {
                    RelayEvent::Allocated { relayed, mapped } => {
                        line.allocated = Some((relayed, mapped));
                        self.news.extend(line.found().filter(|_| line.is_wanted));
                    }
                    RelayEvent::Redirected { server, domain } => {
                        if let Err(error) = line.reopen(io, ports, server, domain) {
                            line.relay.disconnected(&said(&error));
                        }
                    }
                    RelayEvent::Failed { code, reason } => {
                        is_over = true;
                        if line.is_wanted {
                            let (base, url) = (line.base, line.asked.url.clone());
                            self.news.push_back(RelayNews::Failed { base, url, code, reason });
                        }
                    }
                    RelayEvent::Lost { .. } => {
                        is_over = true;
                        self.news.extend(line.allocated.map(|(relayed, _)| RelayNews::Gone { relayed }));
                    }
                    RelayEvent::Closed => is_over = true,
                }
            }
            if is_over && let Some(line) = slot.take() {
                line.end(io);
            }
        }
    }

    /// Sends all that there is.
    pub(in crate::peer) fn flush(&mut self, io: &Io<'_>) {
        for line in self.lines.iter_mut().flatten() {
            if !line.flush(io) {
                self.broken = Some(io.now);
            }
        }
    }

    /// Gives all back. Those over UDP stay until their servers have said so, or are silent; with a connection goes what
    /// was reached over it.
    pub(in crate::peer) fn close(&mut self, io: &Io<'_>) {
        for slot in &mut self.lines {
            if let Some(mut line) = slot.take() {
                line.relay.close(io.now);
                if line.is_stream() { line.end(io) } else { *slot = Some(line) }
            }
        }
        self.advance(io, None);
        self.flush(io);
    }

    pub(in crate::peer) fn is_empty(&self) -> bool {
        self.lines.iter().flatten().next().is_none()
    }
}

/// The address of ours that is to talk to this server.
fn base_for(bases: &[SocketAddr], server: SocketAddr) -> Option<IpAddr> {
    let of_family = || bases.iter().map(SocketAddr::ip).filter(|ip| ip.is_ipv4() == server.is_ipv4());
    let routed = source_towards(server).filter(|ip| of_family().any(|base| base == *ip));
    routed.or_else(|| of_family().next())
}

/// Which address the system would send from. Nothing is sent.
fn source_towards(server: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(server).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
