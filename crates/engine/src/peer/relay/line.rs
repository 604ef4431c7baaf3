//! One relay: the machine that asks for it and keeps it, and the link to its server.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use mio::Interest;
use peerline_transport::relay::{Relay, RelayFamily, RelayInput, RelaySettings};

use super::asked::{RelayAsked, RelayTransport};
use super::datagrams::Datagrams;
use super::relays::RelayNews;
use super::stream::{Standing, Stream};
use super::tls::Tls;
use crate::service::{Io, SocketId};

/// After so many arrivals the other sockets get their turn.
const ARRIVALS_PER_TURN: usize = 256;
/// A connection that does not stand by then is given up; as long as a server is asked over UDP.
const CONNECTED_WITHIN: Duration = Duration::from_millis(9_500);

#[derive(Debug)]
pub(super) struct Line {
    pub(super) asked: RelayAsked,
    pub(super) relay: Relay,
    /// Of this host, towards the server.
    pub(super) base: SocketAddr,
    /// The relayed address, and where the server sees us if it says so.
    pub(super) allocated: Option<(SocketAddr, Option<SocketAddr>)>,
    /// Whether the newest generation of candidates is to have it.
    pub(super) is_wanted: bool,
    id: SocketId,
    link: Link,
    /// When the stream has to stand.
    deadline: Option<Instant>,
}

#[derive(Debug)]
enum Link {
    Datagrams(Box<Datagrams>),
    Stream(Box<Stream>),
}

impl Link {
    fn open(
        from: IpAddr,
        ports: Option<&RangeInclusive<u16>>,
        server: SocketAddr,
        transport: &RelayTransport,
    ) -> io::Result<Self> {
        let tls = match transport {
            RelayTransport::Udp => return Ok(Self::Datagrams(Box::new(Datagrams::open(from, ports, server)?))),
            RelayTransport::Tcp => None,
            RelayTransport::Tls { name, trust } => {
                Some(Box::new(Tls::new(trust, name).map_err(|error| io::Error::other(error.to_string()))?))
            }
        };
        Ok(Self::Stream(Box::new(Stream::begin(from, server, tls)?)))
    }

    fn register(&mut self, io: &Io<'_>, id: SocketId) -> io::Result<SocketAddr> {
        match self {
            Self::Datagrams(link) => {
                io.register(&mut link.socket, id, Interest::READABLE)?;
                link.socket.local_addr()
            }
            Self::Stream(link) => {
                io.register(&mut link.socket, id, Interest::READABLE | Interest::WRITABLE)?;
                link.socket.local_addr()
            }
        }
    }

    fn deregister(&mut self, io: &Io<'_>) {
        match self {
            Self::Datagrams(link) => io.deregister(&mut link.socket),
            Self::Stream(link) => io.deregister(&mut link.socket),
        }
    }
}

impl Line {
    pub(super) fn open(
        io: &Io<'_>,
        id: SocketId,
        from: IpAddr,
        ports: Option<&RangeInclusive<u16>>,
        asked: RelayAsked,
    ) -> io::Result<Self> {
        let mut link = Link::open(from, ports, asked.server, &asked.transport)?;
        let base = link.register(io, id)?;
        let is_stream = matches!(link, Link::Stream(_));
        let settings = RelaySettings {
            server: asked.server,
            is_stream,
            family: RelayFamily::of(&asked.server),
            username: asked.username.clone(),
            password: asked.password.clone(),
        };
        let relay = Relay::new(io.now, settings);
        let deadline = is_stream.then(|| io.now + CONNECTED_WITHIN);
        Ok(Self { asked, relay, base, allocated: None, is_wanted: true, id, link, deadline })
    }

    /// The server has sent us to another one, which for TLS may have another name.
    pub(super) fn reopen(
        &mut self,
        io: &Io<'_>,
        ports: Option<&RangeInclusive<u16>>,
        server: SocketAddr,
        domain: Option<String>,
    ) -> io::Result<()> {
        self.link.deregister(io);
        let mut transport = self.asked.transport.clone();
        if let (RelayTransport::Tls { name, .. }, Some(domain)) = (&mut transport, domain) {
            *name = domain;
        }
        self.link = Link::open(self.base.ip(), ports, server, &transport)?;
        self.base = self.link.register(io, self.id)?;
        if self.is_stream() {
            self.deadline = Some(io.now + CONNECTED_WITHIN);
        }
        Ok(())
    }

    /// Reads a fair share and gives data of peers to `take`. True: there may be more.
    pub(super) fn receive(
        &mut self,
        io: &mut Io<'_>,
        buffer: &mut Vec<u8>,
        mut take: impl FnMut(SocketAddr, &[u8]),
    ) -> bool {
        let Self { relay, link, deadline, .. } = self;
        let now = io.now;
        let mut handle = |relay: &mut Relay, packet: &[u8]| {
            if let RelayInput::Data { peer, at } = relay.handle_input(now, packet) {
                take(peer, &packet[at]);
            }
        };
        let outcome = match link {
            Link::Datagrams(link) => receive_datagrams(link, io, |packet| handle(relay, packet)),
            Link::Stream(link) => link.standing().and_then(|_| {
                let is_more = link.receive(buffer, |message| handle(relay, message))?;
                if deadline.is_some() && link.standing()? == Standing::Up {
                    *deadline = None;
                    relay.connected(now);
                }
                Ok(is_more)
            }),
        };
        outcome.unwrap_or_else(|error| {
            // That nobody listens at the server's port anybody may say; who has heard the server knows better.
            let is_end = self.is_stream() || self.relay.relayed().is_none();
            if is_end {
                self.relay.disconnected(&said(&error));
            } else {
                io.counters.receive_failed.add(1);
            }
            false
        })
    }

    /// Takes what is to reach this peer from the relayed address.
    #[inline]
    pub(super) fn send(&mut self, now: Instant, peer: SocketAddr, data: &[u8]) -> bool {
        let Self { relay, link, .. } = self;
        match link {
            Link::Datagrams(link) => link.push_with(|packet| relay.send(now, peer, data, packet)),
            Link::Stream(link) => link.room_for_data(data.len()).is_some_and(|room| relay.send(now, peer, data, room)),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.deadline = None;
            self.relay.disconnected("the server could not be reached");
        }
        if self.relay.poll_timeout().is_some_and(|due| due <= now) {
            self.relay.handle_timeout(now);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [self.relay.poll_timeout(), self.deadline].into_iter().flatten().min()
    }

    pub(super) fn is_stream(&self) -> bool {
        matches!(self.link, Link::Stream(_))
    }

    /// What its owner is told of it, once it is there.
    pub(super) fn found(&self) -> Option<RelayNews> {
        let (relayed, mapped) = self.allocated?;
        Some(RelayNews::Found { relayed, base: self.base, mapped, url: self.asked.url.clone() })
    }

    /// Sends all that there is. False: it has broken over that.
    pub(super) fn flush(&mut self, io: &Io<'_>) -> bool {
        let mut is_whole = true;
        while let Some(packet) = self.relay.poll_transmit() {
            match &mut self.link {
                Link::Datagrams(link) => link.push(&packet),
                Link::Stream(link) => {
                    if !link.push(&packet) {
                        is_whole = false;
                        self.relay.disconnected("the server does not read what it is asked");
                    }
                }
            }
        }
        match &mut self.link {
            Link::Datagrams(link) => io.counters.send_failed.add(link.flush()),
            Link::Stream(link) => {
                if let Err(error) = link.flush() {
                    is_whole = false;
                    self.relay.disconnected(&said(&error));
                }
            }
        }
        is_whole
    }

    /// Nobody looks at it any more.
    pub(super) fn end(mut self, io: &Io<'_>) {
        self.flush(io);
        if let Link::Stream(link) = &mut self.link {
            link.end();
        }
        self.link.deregister(io);
    }
}

fn receive_datagrams(link: &Datagrams, io: &mut Io<'_>, mut take: impl FnMut(&[u8])) -> io::Result<bool> {
    let mut arrivals = 0;
    while arrivals < ARRIVALS_PER_TURN {
        let room = io.ring.room();
        match link.receive(io.ring, room, &mut take) {
            Ok(count) if count < room => return Ok(false),
            Ok(count) => arrivals += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// For people; without numbers of the system.
pub(super) fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::Other => error.to_string(),
        io::ErrorKind::UnexpectedEof => "the server has closed the connection".to_owned(),
        kind => kind.to_string(),
    }
}
