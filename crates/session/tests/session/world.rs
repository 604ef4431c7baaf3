//! Two sessions with a network between them, in virtual time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use peerline_session::{Session, SessionEvent, SessionSettings};
use peerline_transport::data_channel::{ChannelEvent, ChannelKey, ChannelSettings};
use peerline_transport::dtls::{Certificate, DtlsRole, DtlsSettings, HashKind};
use peerline_transport::ice::{Address, Candidate, IceSettings};

const DELAY: Duration = Duration::from_millis(1);
pub(crate) const NOW_S: u64 = 1_790_000_000;

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) sessions: [Session; 2],
    pub(crate) sockets: [SocketAddr; 2],
    pub(crate) under_way: VecDeque<(Instant, usize, Vec<u8>)>,
    pub(crate) events: [Vec<SessionEvent>; 2],
    pub(crate) is_cut: bool,
    pub(crate) sent: usize,
}

impl World {
    /// `honest`: whether the fingerprints are those of the certificates.
    pub(crate) fn new(honest: bool) -> Self {
        let now = Instant::now();
        let certificates = [0, 1].map(|_| Certificate::generate(NOW_S, NOW_S + 1000).unwrap());
        let mut fingerprints = [0, 1].map(|side: usize| certificates[side].fingerprint(HashKind::Sha256));
        if !honest {
            fingerprints[1] = Certificate::generate(NOW_S, NOW_S + 1000).unwrap().fingerprint(HashKind::Sha256);
        }
        let mut side = 0;
        let sessions = certificates.map(|certificate| {
            let ice = IceSettings { is_controlling: side == 0, is_relay_only: false, beats_from: None };
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

    pub(crate) fn trickle(&mut self) {
        for side in 0..2 {
            let candidate = Candidate::host(self.sockets[side], "udp").unwrap();
            let line = self.sessions[side].ice().add_local_candidate(self.now, candidate).unwrap();
            self.sessions[1 - side].ice().add_remote_candidate(self.now, &line).unwrap();
        }
    }

    pub(crate) fn flush(&mut self) {
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

    pub(crate) fn step(&mut self) -> bool {
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
    pub(crate) fn run_until(&mut self, what: &str, mut is_done: impl FnMut(&mut Self) -> bool) -> Duration {
        let start = self.now;
        while !is_done(self) {
            let took = self.now - start;
            assert!(self.step() && took < Duration::from_secs(120), "never: {what}");
        }
        self.now - start
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end && self.step() {}
    }

    pub(crate) fn messages(&self, side: usize) -> Vec<&[u8]> {
        let events = self.events[side].iter();
        events
            .filter_map(|event| match event {
                SessionEvent::Channel(ChannelEvent::Received { payload, .. }) => Some(&payload.bytes[..]),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn open(&mut self) -> ChannelKey {
        self.sessions[0].channels().open(self.now, ChannelSettings::new("chat")).unwrap()
    }

    pub(crate) fn is_open(&self, side: usize) -> bool {
        self.events[side].iter().any(|event| matches!(event, SessionEvent::Channel(ChannelEvent::Opened { .. })))
    }
}
