//! Two sessions in virtual time: from nothing to messages, with candidates trickled, and back to nothing.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use peerline_session::{Session, SessionEvent, SessionSettings};
use peerline_transport::data_channel::{ChannelEvent, ChannelKey, ChannelSettings, Kind};
use peerline_transport::dtls::{Certificate, DtlsFailure, DtlsRole, DtlsSettings, HashKind};
use peerline_transport::ice::{Address, Candidate, IceSettings, IceState};

const DELAY: Duration = Duration::from_millis(1);
const NOW_S: u64 = 1_790_000_000;

struct World {
    now: Instant,
    sessions: [Session; 2],
    sockets: [SocketAddr; 2],
    under_way: VecDeque<(Instant, usize, Vec<u8>)>,
    events: [Vec<SessionEvent>; 2],
    is_cut: bool,
    sent: usize,
}

impl World {
    /// `honest`: whether the fingerprints are those of the certificates.
    fn new(honest: bool) -> Self {
        let now = Instant::now();
        let certificates = [0, 1].map(|_| Certificate::generate(NOW_S, NOW_S + 1000).unwrap());
        let mut fingerprints = [0, 1].map(|side: usize| certificates[side].fingerprint(HashKind::Sha256));
        if !honest {
            fingerprints[1] = Certificate::generate(NOW_S, NOW_S + 1000).unwrap().fingerprint(HashKind::Sha256);
        }
        let mut side = 0;
        let sessions = certificates.map(|certificate| {
            let ice = IceSettings { is_controlling: side == 0, is_relay_only: false };
            side += 1;
            let mut session = Session::new(now, certificate, &SessionSettings { ice, ..SessionSettings::default() });
            session.channels().set_remote_max_message_size(256 * 1024);
            session
        });
        let sockets = ["198.51.100.1:5000", "198.51.100.2:5000"].map(|text| text.parse().unwrap());
        let mut world = Self {
            now,
            sessions,
            sockets,
            under_way: VecDeque::new(),
            events: [vec![], vec![]],
            is_cut: false,
            sent: 0,
        };
        for (side, role) in [(0, DtlsRole::Server), (1, DtlsRole::Client)] {
            let credentials = world.sessions[1 - side].ice().local_credentials().clone();
            world.sessions[side].ice().set_remote_credentials(now, credentials).unwrap();
            let theirs = vec![fingerprints[1 - side].clone()];
            world.sessions[side].start_dtls(now, DtlsSettings::new(role), theirs).unwrap();
        }
        world
    }

    fn trickle(&mut self) {
        for side in 0..2 {
            let candidate = Candidate::host(self.sockets[side], "udp").unwrap();
            let line = self.sessions[side].ice().add_local_candidate(self.now, candidate).unwrap();
            self.sessions[1 - side].ice().add_remote_candidate(self.now, &line).unwrap();
        }
    }

    fn flush(&mut self) {
        for side in 0..2 {
            while let Some(event) = self.sessions[side].poll_event() {
                self.events[side].push(event);
            }
            while let Some(transmit) = self.sessions[side].poll_transmit() {
                assert_eq!(transmit.address, Address { local: self.sockets[side], remote: self.sockets[1 - side] });
                self.sent += 1;
                if !self.is_cut {
                    self.under_way.push_back((self.now + DELAY, 1 - side, transmit.bytes));
                }
            }
        }
    }

    fn step(&mut self) -> bool {
        self.flush();
        let timers = self.sessions.iter_mut().filter_map(Session::poll_timeout);
        let Some(next) = timers.chain(self.under_way.front().map(|(at, ..)| *at)).min() else { return false };
        self.now = self.now.max(next);
        while self.under_way.front().is_some_and(|(at, ..)| *at <= self.now) {
            let (_, side, datagram) = self.under_way.pop_front().unwrap();
            let address = Address { local: self.sockets[side], remote: self.sockets[1 - side] };
            assert!(self.sessions[side].handle_input(self.now, address, &datagram));
        }
        self.sessions.iter_mut().for_each(|session| session.handle_timeout(self.now));
        self.flush();
        true
    }

    #[track_caller]
    fn run_until(&mut self, what: &str, mut is_done: impl FnMut(&mut Self) -> bool) -> Duration {
        let start = self.now;
        while !is_done(self) {
            let took = self.now - start;
            assert!(self.step() && took < Duration::from_secs(120), "never: {what}");
        }
        self.now - start
    }

    fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end && self.step() {}
    }

    fn messages(&self, side: usize) -> Vec<&[u8]> {
        let events = self.events[side].iter();
        events
            .filter_map(|event| match event {
                SessionEvent::Channel(ChannelEvent::Received { payload, .. }) => Some(&payload.bytes[..]),
                _ => None,
            })
            .collect()
    }

    fn open(&mut self) -> ChannelKey {
        self.sessions[0].channels().open(self.now, ChannelSettings::new("chat")).unwrap()
    }

    fn is_open(&self, side: usize) -> bool {
        self.events[side].iter().any(|event| matches!(event, SessionEvent::Channel(ChannelEvent::Opened { .. })))
    }
}

#[test]
fn two_sessions_connect_and_exchange_messages() {
    let mut world = World::new(true);
    let channel = world.open();
    world.trickle();
    let took = world.run_until("the channel is open", |world| world.is_open(0) && world.is_open(1));
    assert!(took < Duration::from_millis(60), "{took:?}");
    let message = vec![7; 256 * 1024];
    let now = world.now;
    world.sessions[0].channels().send(now, channel, Kind::Binary, message.clone()).unwrap();
    world.run_until("the message is there", |world| world.messages(1) == [&message[..]]);
    assert_eq!(world.sessions[0].channels().stream(channel), Some(1), "the server of DTLS has the odd streams");
}

#[test]
fn a_handshake_that_comes_before_the_description_is_kept_for_it() {
    let mut world = World::new(true);
    let credentials = [0, 1].map(|side: usize| world.sessions[side].ice().local_credentials().clone());
    let certificate = Certificate::generate(NOW_S, NOW_S + 1000).unwrap();
    let fingerprint = certificate.fingerprint(HashKind::Sha256);
    // Side 0 anew: it knows the way, and not yet who the other one is.
    let ice = IceSettings { is_controlling: true, is_relay_only: false };
    let settings = SessionSettings { ice, ..SessionSettings::default() };
    let mut late = Session::new(world.now, certificate, &settings);
    let now = world.now;
    late.ice().set_remote_credentials(now, credentials[1].clone()).unwrap();
    let own = late.ice().local_credentials().clone();
    world.sessions[0] = late;
    let other = Certificate::generate(NOW_S, NOW_S + 1000).unwrap();
    let theirs = other.fingerprint(HashKind::Sha256);
    let mut client = Session::new(now, other, &SessionSettings::default());
    let name = client.ice().local_credentials().clone();
    client.ice().set_remote_credentials(now, own).unwrap();
    client.start_dtls(now, DtlsSettings::new(DtlsRole::Client), vec![fingerprint]).unwrap();
    world.sessions[1] = client;
    world.sessions[0].ice().set_remote_credentials(now, name).unwrap();
    world.trickle();
    world.run_for(Duration::from_millis(300));
    let now = world.now;
    world.sessions[0].start_dtls(now, DtlsSettings::new(DtlsRole::Server), vec![theirs]).unwrap();
    let took = world.run_until("both stand", |world| {
        (0..2).all(|side| world.events[side].iter().any(|event| matches!(event, SessionEvent::DtlsConnected { .. })))
    });
    assert!(took < Duration::from_millis(50), "{took:?}: nobody waits for a second ClientHello");
}

#[test]
fn a_wrong_fingerprint_opens_no_channel_and_delivers_nothing() {
    let mut world = World::new(false);
    world.open();
    world.trickle();
    world.run_for(Duration::from_secs(90));
    assert!(world.events[0].contains(&SessionEvent::DtlsFailed(DtlsFailure::WrongFingerprint)));
    assert!(!world.is_open(0) && !world.is_open(1));
    assert!(world.messages(0).is_empty() && world.messages(1).is_empty());
}

#[test]
fn closing_one_side_closes_the_other_at_once() {
    let mut world = World::new(true);
    world.open();
    world.trickle();
    world.run_until("the channel is open", |world| world.is_open(0) && world.is_open(1));
    let now = world.now;
    world.sessions[0].close(now);
    let took = world.run_until("the other side knows", |world| {
        world.events[1]
            .iter()
            .any(|event| matches!(event, SessionEvent::Channel(ChannelEvent::AssociationClosed { .. })))
    });
    assert!(took < Duration::from_millis(10), "{took:?}");
}

#[test]
fn messages_outlive_twenty_seconds_without_a_network() {
    let mut world = World::new(true);
    let channel = world.open();
    world.trickle();
    world.run_until("the channel is open", |world| world.is_open(0) && world.is_open(1));
    world.is_cut = true;
    let now = world.now;
    world.sessions[0].channels().send(now, channel, Kind::Text, b"patience".to_vec()).unwrap();
    world.run_for(Duration::from_secs(20));
    assert_eq!(world.sessions[0].ice().state(), IceState::Disconnected);
    world.is_cut = false;
    world.run_until("the message is there", |world| world.messages(1) == [b"patience"]);
}

#[test]
fn an_idle_session_sends_a_packet_a_second() {
    let mut world = World::new(true);
    world.open();
    world.trickle();
    world.run_for(Duration::from_secs(10));
    let sent = world.sent;
    world.run_for(Duration::from_secs(120));
    let sent = world.sent - sent;
    assert!(sent <= 2 * 130, "{sent} packets of both sides in two minutes");
}
