//! The service: datagrams to the session and back, commands in, events out.
//!
//! Reading order: this file (the turn of the loop) → `obey` (commands) → `candidates` (where we can be reached, where they can).

mod candidates;
mod obey;

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use peerline_session::{Session, SessionEvent, SessionSettings};
use peerline_transport::data_channel::ChannelLimits;
use peerline_transport::ice::{Address, Gathering, IceEvent, IceSettings};
use peerline_transport::sctp::SctpSettings;
use peerline_wire::demux::Protocol;

use crate::event::Event;
use crate::peer::command::PeerCommand;
use crate::peer::event::PeerEvent;
use crate::peer::news::{Names, tell_media};
use crate::peer::relay::Relays;
use crate::peer::settings::PeerSettings;
use crate::peer::sockets::Sockets;
use crate::peer::traffic::Traffic;
use crate::service::{Io, Service, SocketId};
use crate::stun::count_failure;

/// Hundreds of idle connections wake the machine a few times a second together.
static BEATS_FROM: LazyLock<Instant> = LazyLock::new(Instant::now);
/// After so many arrivals the other sockets get their turn.
const ARRIVALS_PER_TURN: usize = 256;
/// While its owner has not taken so much, the session's news wait, and then the other side does.
const MAX_OWED: usize = 4 * 1024 * 1024;
/// And are looked at again after this.
const OWED_RETRY: Duration = Duration::from_millis(2);
/// What a DTLS record holds. Datagrams of this size leave where the path takes them whole: sockets forbid to cut them.
const LARGEST_PACKET: usize = 16 * 1024;

pub(crate) struct PeerService {
    settings: PeerSettings,
    session_settings: SessionSettings,
    session: Session,
    sockets: Sockets,
    relays: Relays,
    /// One for each server, of the generation under way.
    gatherings: Vec<(Gathering, String)>,
    /// `None`: there is nothing to gather, or it is done.
    gathering: Option<Asking>,
    ufrag: String,
    /// Lines of candidates by address, to name a pair by.
    local_lines: Vec<(SocketAddr, String)>,
    remote_lines: Vec<(SocketAddr, String)>,
    names: Names,
    news: Vec<PeerEvent>,
    is_controlling: bool,
    is_connecting: bool,
    due: Option<Instant>,
    traffic: Traffic,
    /// Its owner hears nothing more; relays are being given back.
    is_stopped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    /// More servers may be named.
    Open,
    All,
}

impl PeerService {
    pub(crate) fn new(settings: PeerSettings, now: Instant) -> Self {
        let session_settings = SessionSettings {
            ice: IceSettings {
                is_controlling: settings.is_controlling,
                is_relay_only: settings.is_relay_only,
                beats_from: Some(*BEATS_FROM),
            },
            sctp: SctpSettings {
                streams: settings.streams,
                largest_packet_bytes: LARGEST_PACKET,
                ..SctpSettings::default()
            },
            channels: ChannelLimits { max_message_bytes: settings.max_message_bytes, ..ChannelLimits::default() },
            is_sctp_later: true,
            ntp: ntp_now(),
        };
        let (certificate, credentials) = (settings.certificate.clone(), settings.credentials.clone());
        Self {
            ufrag: credentials.ufrag.clone(),
            session: Session::with_credentials(now, certificate, &session_settings, credentials),
            session_settings,
            sockets: Sockets::default(),
            relays: Relays::default(),
            gatherings: Vec::new(),
            gathering: None,
            local_lines: Vec::new(),
            remote_lines: Vec::new(),
            names: Names::new(),
            news: Vec::new(),
            is_controlling: settings.is_controlling,
            settings,
            is_connecting: false,
            due: None,
            traffic: Traffic::default(),
            is_stopped: false,
        }
    }

    fn pair(&self, address: Address) -> PeerEvent {
        let find = |lines: &[(SocketAddr, String)], at| lines.iter().rev().find(|(known, _)| *known == at).cloned();
        // One that no description told of was found by its packets (RFC 8445 §7.3.1.3).
        let reflexive = |at: SocketAddr| format!("candidate:0 1 udp 1853824767 {} {} typ prflx", at.ip(), at.port());
        let line = |lines, at| find(lines, at).map_or_else(|| reflexive(at), |(_, line)| line);
        PeerEvent::PairSelected {
            local: line(&self.local_lines, address.local),
            remote: line(&self.remote_lines, address.remote),
        }
    }

    fn on_session(&mut self, event: SessionEvent) {
        let news = match event {
            SessionEvent::Ice(IceEvent::StateChanged(state)) => PeerEvent::IceStateChanged(state),
            SessionEvent::Ice(IceEvent::SelectedPair(address)) => self.pair(address),
            SessionEvent::DtlsConnected { version, peer_certificate, srtp } => PeerEvent::DtlsConnected {
                version,
                srtp_profile: srtp.map(|keys| format!("{:?}", keys.profile)),
                certificate: peer_certificate,
            },
            SessionEvent::DtlsClosed => PeerEvent::DtlsClosed,
            SessionEvent::DtlsFailed(failure) => PeerEvent::DtlsFailed(failure),
            SessionEvent::Channel(event) => return self.names.tell(event, &mut self.news),
            SessionEvent::Media(event) => return tell_media(event, &mut self.news),
        };
        self.news.push(news);
    }

    fn stats(&mut self, now: Instant) -> Vec<(&'static str, u64)> {
        let mut numbers = self.traffic.numbers(now, self.session.ice().selected_pair());
        if let Some(pair) = self.session.ice().stats() {
            numbers.push(("responses_received", pair.responses_received));
            numbers.push(("total_round_trip_us", pair.total_round_trip.as_micros() as u64));
            numbers.extend(pair.round_trip.map(|rtt| ("round_trip_us", rtt.as_micros() as u64)));
        }
        numbers
    }

    /// The session's news, unless its owner has enough of them.
    fn poll_session(&mut self) {
        while self.names.credit.owed() <= MAX_OWED
            && let Some(event) = self.session.poll_event()
        {
            self.on_session(event);
        }
    }

    /// Moves everything on: events to the owner, datagrams to the sockets.
    fn run(&mut self, io: &mut Io<'_>) {
        self.poll_relays(io);
        self.poll_gathering(io.now);
        self.poll_session();
        for (gathering, _) in &mut self.gatherings {
            while let Some(transmit) = gathering.poll_transmit() {
                if let Some(socket) = self.sockets.of(transmit.address.local) {
                    socket.push(io, transmit.address, &transmit.bytes);
                }
            }
        }
        while let Some(transmit) = self.session.poll_transmit() {
            if let Some(socket) = self.sockets.of(transmit.address.local) {
                socket.push(io, transmit.address, &transmit.bytes);
            } else if !self.relays.send(io.now, transmit.address, &transmit.bytes) {
                continue;
            }
            let selected = self.session.ice().selected_pair();
            self.traffic.sent(io.now, transmit.address, &transmit.bytes, selected);
        }
        // What was sent has let queues fall.
        self.poll_session();
        self.relays.flush(io);
        io.counters.send_failed.add(self.sockets.flush(io.ring.bytes()));
        let (names, channels) = (&mut self.names, self.session.channels());
        let news = &mut self.news;
        let tell = |channel, amount| news.push(PeerEvent::BytesSent { channel, amount });
        names.sent(|key| channels.buffered_amount(key), tell);
        if self.session.is_connecting() && !std::mem::replace(&mut self.is_connecting, true) {
            self.news.push(PeerEvent::DtlsConnecting);
        }
        let is_controlling = self.session.ice().is_controlling();
        if std::mem::replace(&mut self.is_controlling, is_controlling) != is_controlling {
            self.news.push(PeerEvent::IceRoleChanged { is_controlling });
        }
        io.events.extend(self.news.drain(..).map(|event| Event::Peer { handle: io.handle, event }));
        let gathering = self.gatherings.iter().filter_map(|(gathering, _)| gathering.poll_timeout());
        let owed = (self.names.credit.owed() > MAX_OWED).then(|| io.now + OWED_RETRY);
        let due = gathering.chain(self.session.poll_timeout()).chain(self.relays.poll_timeout());
        self.due = due.chain(owed).min();
    }

    fn take_in(&mut self, io: &mut Io<'_>, local: SocketAddr, arrivals: Range<usize>) {
        for received in &io.ring.received()[arrivals] {
            let address = Address { local, remote: received.source };
            for range in received.datagrams() {
                let datagram = &io.ring.bytes()[range.start as usize..range.end as usize];
                self.traffic.received(io.now, datagram);
                let is_stun = Protocol::of(datagram) == Protocol::Stun;
                if is_stun && self.gatherings.iter_mut().any(|(gathering, _)| gathering.handle_input(address, datagram))
                {
                    continue;
                }
                if self.session.handle_input(io.now, address, datagram) && is_stun {
                    self.traffic.checked(address, datagram);
                    if self.settings.shared_port.is_some() {
                        io.ports.is_at(local, io.handle, address.remote);
                    }
                }
            }
        }
    }
}

/// The clock on the wall: seconds since 1900 and their fraction (RFC 5905 §6).
fn ntp_now() -> u64 {
    const UNIX_IN_NTP: u64 = 2_208_988_800;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    (since.as_secs() + UNIX_IN_NTP) << 32 | fraction
}

impl Service for PeerService {
    fn start(&mut self, _: &mut Io<'_>) -> io::Result<()> {
        Ok(())
    }

    fn handle_ready(&mut self, io: &mut Io<'_>, id: SocketId, _: bool) -> bool {
        if Relays::owns(id) {
            let Self { relays, session, traffic, .. } = self;
            let now = io.now;
            return relays.handle_ready(io, id, |address, datagram| {
                traffic.received(now, datagram);
                if session.handle_input(now, address, datagram) && Protocol::of(datagram) == Protocol::Stun {
                    traffic.checked(address, datagram);
                }
            });
        }
        let mut arrivals = 0;
        while arrivals < ARRIVALS_PER_TURN {
            let room = io.ring.room();
            let Some(socket) = self.sockets.at(id) else { return false };
            let local = socket.address;
            match io.ring.receive(socket.socket.socket(), room) {
                Ok(count) => {
                    arrivals += count;
                    self.take_in(io, local, 0..io.ring.received().len());
                    io.ring.clear();
                    if count < room {
                        return false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    count_failure(&error, io.counters);
                    return false;
                }
            }
        }
        true
    }

    fn handle_shared(&mut self, io: &mut Io<'_>, local: SocketAddr, arrivals: Range<usize>) {
        if !self.is_stopped {
            self.take_in(io, local, arrivals);
        }
    }

    fn finish_turn(&mut self, io: &mut Io<'_>) {
        if self.is_stopped {
            self.relays.advance(io, None);
            self.relays.flush(io);
            self.due = self.relays.poll_timeout();
        } else {
            self.run(io);
        }
    }

    fn handle_timeout(&mut self, io: &mut Io<'_>) {
        for (gathering, _) in &mut self.gatherings {
            gathering.handle_timeout(io.now);
        }
        self.session.handle_timeout(io.now);
        self.relays.handle_timeout(io.now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    fn handle_command(&mut self, io: &mut Io<'_>, command: Box<dyn Any + Send>) {
        if let Ok(command) = command.downcast::<PeerCommand>() {
            self.obey(io, *command);
        }
    }

    fn stop(&mut self, io: &mut Io<'_>) {
        self.session.close(io.now);
        self.run(io);
        self.sockets.close(io);
        self.relays.close(io);
        self.is_stopped = true;
        self.due = self.relays.poll_timeout();
    }

    fn lingers(&self) -> bool {
        !self.relays.is_empty()
    }
}
