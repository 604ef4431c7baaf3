//! The service: datagrams to the session and back, commands in, events out.

use std::any::Any;
use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use peerline_session::rtp::MediaEvent;
use peerline_session::{Session, SessionEvent, SessionSettings};
use peerline_transport::data_channel::{ChannelError, ChannelLimits};
use peerline_transport::dtls::DtlsSettings;
use peerline_transport::ice::{Address, Candidate, Gathering, GatheringEvent, IceEvent, IceSettings};
use peerline_transport::sctp::SctpSettings;
use peerline_wire::demux::Protocol;

use super::command::PeerCommand;
use super::event::PeerEvent;
use super::news::Names;
use super::related::with_related;
use super::relay::{RelayNews, Relays};
use super::settings::PeerSettings;
use super::sockets::Sockets;
use super::traffic::Traffic;
use crate::event::Event;
use crate::service::{Io, Service, SocketId};
use crate::stun::count_failure;

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
            ice: IceSettings { is_controlling: settings.is_controlling, is_relay_only: settings.is_relay_only },
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

    fn obey(&mut self, io: &mut Io<'_>, command: PeerCommand) {
        let now = io.now;
        match command {
            PeerCommand::Gather(addresses) => self.gather(io, &addresses),
            PeerCommand::AskStun { server, url } => {
                let bases: Vec<SocketAddr> = self.sockets.addresses().collect();
                self.gatherings.push((Gathering::start(now, &bases, &[server]), url));
            }
            PeerCommand::AskTurn(asked) => {
                let bases: Vec<SocketAddr> = self.sockets.addresses().collect();
                self.relays.ask(io, &bases, self.settings.ports.as_ref(), *asked);
            }
            PeerCommand::AskedAll => self.gathering = self.gathering.and(Some(Asking::All)),
            PeerCommand::SetRemoteCredentials(credentials) => {
                // Their letters were checked before.
                let _ = self.session.ice().set_remote_credentials(now, credentials);
            }
            PeerCommand::AddRemoteCandidate(line) => self.add_remote(now, line),
            PeerCommand::EndOfRemoteCandidates => self.session.ice().end_of_remote_candidates(now),
            PeerCommand::SetControlling(is_controlling) => {
                self.session.ice().set_controlling(is_controlling);
                self.is_controlling = is_controlling;
            }
            PeerCommand::Restart(credentials) => {
                self.ufrag.clone_from(&credentials.ufrag);
                io.ports.name(io.handle, &self.ufrag);
                self.session.ice().restart_with(now, credentials);
                self.relays.begin_generation();
                self.gatherings.clear();
                self.gathering = None;
            }
            PeerCommand::AbortRestart => {
                self.session.ice().abort_restart(now);
                self.relays.abort_generation();
                self.ufrag.clone_from(&self.session.ice().local_credentials().ufrag);
                io.ports.name(io.handle, &self.ufrag);
                self.gatherings.clear();
                self.gathering = None;
            }
            PeerCommand::StartDtls(role, fingerprints) => {
                let settings = DtlsSettings { versions: self.settings.versions, ..DtlsSettings::new(role) };
                // That there is one was checked before.
                let _ = self.session.start_dtls(now, settings, fingerprints);
            }
            PeerCommand::StartSctp { local_port, remote_port } => {
                self.session.start_sctp(now, &self.session_settings, local_port, remote_port);
            }
            PeerCommand::SetRemoteMaxMessageBytes(bytes) => self.session.channels().set_remote_max_message_size(bytes),
            PeerCommand::OpenChannel(asked) => {
                let channel = asked.channel;
                match self.session.channels().open(now, asked.settings) {
                    Ok(key) => self.names.insert(channel, key),
                    Err(_) => {
                        let error = Some(ChannelError::NoStream);
                        self.news.push(PeerEvent::ChannelClosed { channel, error });
                    }
                }
            }
            PeerCommand::Send { channel, kind, bytes } => {
                // One that the other side has closed meanwhile takes nothing, as W3C has it.
                if let Some(key) = self.names.key(channel) {
                    let len = bytes.len();
                    if self.session.channels().send(now, key, kind, bytes).is_ok() {
                        self.names.given(channel, len);
                    }
                }
            }
            PeerCommand::CloseChannel(channel) => match self.names.key(channel) {
                Some(key) => self.session.channels().close(now, key),
                None => self.news.push(PeerEvent::ChannelClosed { channel, error: None }),
            },
            PeerCommand::CommitMedia(plan) => self.session.commit_media(now, *plan),
            PeerCommand::SendFrames { section, frames } => {
                for frame in &frames {
                    // Before the path stands, and after the section's end, nobody would see it.
                    let _ = self.session.send_frame(now, section, frame);
                }
            }
            PeerCommand::Listen { section, is_listened_to } => {
                if let Some(media) = self.session.media() {
                    media.listen(section, is_listened_to);
                }
            }
            PeerCommand::RequestKeyFrame { section } => {
                if let Some(media) = self.session.media() {
                    media.request_key_frame(section);
                }
            }
            PeerCommand::Stats(token) => {
                let numbers = self.stats(now);
                let media = self.session.media().map(|media| Box::new(media.stats(now)));
                self.news.push(PeerEvent::Stats { token, numbers, channels: self.names.counts(), media });
            }
        }
    }

    fn gather(&mut self, io: &mut Io<'_>, addresses: &[IpAddr]) {
        if self.sockets.addresses().next().is_none() {
            for ip in addresses {
                let opened = match self.settings.shared_port {
                    Some(port) => self.sockets.share(io, *ip, port),
                    None => self.sockets.open(io, *ip, self.settings.ports.as_ref()),
                };
                // An address that has just gone, or whose ports are taken, is no reason to fail: the others are left.
                if let Err(error) = opened {
                    let base = SocketAddr::new(*ip, self.settings.shared_port.unwrap_or(0));
                    let reason = Cow::Owned(format!("no socket: {error}"));
                    self.news.push(PeerEvent::CandidateFailed { base, url: String::new(), code: 701, reason });
                }
            }
            io.ports.name(io.handle, &self.ufrag);
        }
        self.gathering = Some(Asking::Open);
        let bases: Vec<SocketAddr> = self.sockets.addresses().collect();
        for base in bases {
            if let Ok(candidate) = Candidate::host(base, "udp") {
                self.add_local(io.now, candidate, base, None);
            }
        }
    }

    fn add_local(&mut self, now: Instant, candidate: Candidate, address: SocketAddr, url: Option<String>) {
        self.add_local_related(now, candidate, address, url, None);
    }

    /// `related`: where our own end of it is seen, unless that is to be hidden.
    fn add_local_related(
        &mut self,
        now: Instant,
        candidate: Candidate,
        address: SocketAddr,
        url: Option<String>,
        related: Option<SocketAddr>,
    ) {
        let Some(line) = self.session.ice().add_local_candidate(now, candidate) else { return };
        let line = if url.is_none() { self.advertised(line, address) } else { line };
        let line = related.map_or_else(|| line.clone(), |related| with_related(&line, related));
        self.local_lines.push((address, line.clone()));
        self.news.push(PeerEvent::CandidateFound { ufrag: self.ufrag.clone(), line, url });
    }

    /// The line as others are to see it: the fifth word is the address (RFC 8839 §5.1).
    fn advertised(&self, line: String, address: SocketAddr) -> String {
        match self.settings.advertised {
            Some(ip) if ip.is_ipv4() == address.is_ipv4() => {
                let ip = ip.to_string();
                let word = |(at, word): (usize, &str)| if at == 4 { ip.clone() } else { word.to_owned() };
                line.split(' ').enumerate().map(word).collect::<Vec<_>>().join(" ")
            }
            _ => line,
        }
    }

    fn add_remote(&mut self, now: Instant, line: String) {
        let mut words = line.split(' ').skip(4);
        let address = words.next().and_then(|ip| ip.parse::<IpAddr>().ok());
        let port = words.next().and_then(|port| port.parse::<u16>().ok());
        if self.session.ice().add_remote_candidate(now, &line).is_ok()
            && let (Some(ip), Some(port)) = (address, port)
        {
            self.remote_lines.push((SocketAddr::new(ip, port), line));
        }
    }

    fn poll_gathering(&mut self, now: Instant) {
        let mut at = 0;
        while let Some((gathering, url)) = self.gatherings.get_mut(at) {
            let Some(event) = gathering.poll_event() else {
                at += 1;
                continue;
            };
            match event {
                GatheringEvent::Reflexive { base, mapped, .. } => {
                    let url = url.clone();
                    if let Ok(candidate) = Candidate::server_reflexive(mapped, base, "udp") {
                        self.add_local(now, candidate, mapped, Some(url));
                    }
                }
                GatheringEvent::Error { base, code, .. } => {
                    let reason = if code == 701 { "the server did not answer" } else { "the server refused" };
                    let reason = Cow::Borrowed(reason);
                    self.news.push(PeerEvent::CandidateFailed { base, url: url.clone(), code, reason });
                }
                GatheringEvent::Done => {
                    self.gatherings.remove(at);
                }
            }
        }
        if self.gathering == Some(Asking::All) && self.gatherings.is_empty() && !self.relays.is_asking() {
            self.gathering = None;
            self.session.ice().end_of_local_candidates(now);
            self.news.push(PeerEvent::GatheringFinished { ufrag: self.ufrag.clone() });
        }
    }

    fn poll_relays(&mut self, io: &Io<'_>) {
        if !self.session.ice().is_restarting() {
            self.relays.end_generation(io.now);
        }
        self.relays.advance(io, self.settings.ports.as_ref());
        while let Some(news) = self.relays.poll_news() {
            match news {
                RelayNews::Found { relayed, base, mapped, url } => {
                    if let Ok(candidate) = Candidate::relayed(relayed, base, "udp") {
                        // Who shows only relays hides where it is itself.
                        let related = mapped.filter(|_| !self.settings.is_relay_only);
                        self.add_local_related(io.now, candidate, relayed, Some(url), related);
                    }
                }
                RelayNews::Failed { base, url, code, reason } => {
                    let reason = Cow::Owned(reason);
                    self.news.push(PeerEvent::CandidateFailed { base, url, code, reason });
                }
                RelayNews::Gone { relayed } => self.session.ice().remove_local_address(io.now, relayed),
            }
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

/// Frames of a section join those before them.
fn tell_media(event: MediaEvent, news: &mut Vec<PeerEvent>) {
    let told = match event {
        MediaEvent::Frame { key, frame } => {
            if let Some(PeerEvent::FramesReceived { section, frames }) = news.last_mut()
                && *section == key
            {
                return frames.push(frame);
            }
            PeerEvent::FramesReceived { section: key, frames: vec![frame] }
        }
        MediaEvent::Started { key, ssrc } => PeerEvent::SourceStarted { section: key, ssrc },
        MediaEvent::Ended { key, ssrc } => PeerEvent::SourceEnded { section: key, ssrc },
        MediaEvent::KeyFrameWanted { key } => PeerEvent::KeyFrameWanted { section: key },
        MediaEvent::EstimateChanged { bitrate_bps } => PeerEvent::EstimateChanged { bitrate_bps },
    };
    news.push(told);
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
