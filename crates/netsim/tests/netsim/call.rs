//! Two people, a STUN server, and the network between them.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::time::{Duration, Instant};

use peerline_netsim::{HostId, NatKind, Packet, Peer, Quality, RouterId, World};
use peerline_session::{Session, SessionSettings};
use peerline_transport::data_channel::{ChannelKey, ChannelSettings};
use peerline_transport::dtls::{Certificate, DtlsRole, DtlsSettings, HashKind};
use peerline_transport::ice::IceSettings;

use crate::person::Person;
use crate::signaling::Signaling;
use crate::stun_server::{STUN, StunServer};

pub(crate) const ANN: usize = 0;
pub(crate) const BOB: usize = 1;
const NOW_S: u64 = 1_790_000_000;
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) enum Node {
    Person(Box<Person>),
    Stun(StunServer),
}

/// Says its seed if the test fails.
pub(crate) struct Call {
    world: World<Node>,
    pub(crate) hosts: [HostId; 2],
    pub(crate) routers: [Option<RouterId>; 2],
    pub(crate) signaling: Rc<RefCell<Signaling>>,
}

impl Call {
    /// Both on the open internet, on links like this; they know each other's description, and no candidate yet.
    pub(crate) fn new(seed: u64, quality: Quality) -> Self {
        Self::behind(seed, quality, [None, None])
    }

    pub(crate) fn behind(seed: u64, quality: Quality, nats: [Option<NatKind>; 2]) -> Self {
        Self::with(seed, quality, nats, true)
    }

    /// `honest`: whether Bob is who his fingerprint says.
    pub(crate) fn with(seed: u64, quality: Quality, nats: [Option<NatKind>; 2], honest: bool) -> Self {
        fastrand::seed(seed);
        let (mut world, signaling) = (World::new(seed), Signaling::new());
        let now = world.now();
        let mut sessions = sessions(now, honest).into_iter().enumerate();
        let mut routers = [None; 2];
        let mut add = |world: &mut World<Node>| {
            let (side, session) = sessions.next().expect("there are two");
            let public = IpAddr::from([198, 51, 100, side as u8 + 1]);
            routers[side] = nats[side].map(|kind| world.network.add_router(kind, public));
            let inside = if nats[side].is_some() { IpAddr::from([10, side as u8, 0, 2]) } else { public };
            let mut person = Person::new(side, session, SocketAddr::new(inside, 5000), &signaling);
            if nats[side].is_some() {
                person.stun.push(STUN.parse().unwrap());
            }
            let host = world.add(inside, routers[side], Node::Person(Box::new(person)));
            // Each link shapes what its host sends: the way there and the way back are alike.
            *world.network.up(host) = quality;
            host
        };
        let hosts = [add(&mut world), add(&mut world)];
        world.add(STUN.parse::<SocketAddr>().unwrap().ip(), None, Node::Stun(StunServer::default()));
        Self { world, hosts, routers, signaling }
    }

    /// Connected, with one channel from Ann that is open on both sides.
    pub(crate) fn connected(seed: u64, quality: Quality) -> (Self, ChannelKey) {
        let mut call = Self::new(seed, quality);
        let channel = call.open(ANN, ChannelSettings::new("file"));
        call.gather();
        call.run_until("the channel is open", |call| call.is_open());
        (call, channel)
    }

    pub(crate) fn person(&mut self, side: usize) -> &mut Person {
        match self.world.peer(self.hosts[side]) {
            Node::Person(person) => person,
            Node::Stun(_) => unreachable!("hosts are people"),
        }
    }

    pub(crate) fn kill(&mut self, side: usize) {
        let host = self.hosts[side];
        self.world.kill(host);
    }

    pub(crate) fn gather(&mut self) {
        let now = self.now();
        (0..2).for_each(|side| self.person(side).gather(now));
    }

    pub(crate) fn open(&mut self, side: usize, settings: ChannelSettings) -> ChannelKey {
        let now = self.now();
        self.person(side).open(now, settings)
    }

    /// Both links are like this from now on.
    pub(crate) fn shape(&mut self, quality: Quality) {
        for host in self.hosts {
            *self.world.network.up(host) = quality;
        }
    }

    /// One person's address is another one from now on; the old one is gone.
    pub(crate) fn readdress(&mut self, side: usize, address: IpAddr) {
        let (now, host) = (self.now(), self.hosts[side]);
        self.world.network.set_addresses(host, &[address]);
        self.person(side).move_to(now, SocketAddr::new(address, 5000));
    }

    pub(crate) fn is_open(&mut self) -> bool {
        (0..2).all(|side| self.person(side).has_opened(1))
    }

    /// Two minutes at most.
    #[track_caller]
    pub(crate) fn run_until(&mut self, what: &str, is_so: impl FnMut(&mut Self) -> bool) -> Duration {
        self.run_within(PATIENCE, what, is_so)
    }

    #[track_caller]
    pub(crate) fn run_within(
        &mut self,
        limit: Duration,
        what: &str,
        mut is_so: impl FnMut(&mut Self) -> bool,
    ) -> Duration {
        let start = self.now();
        self.flush();
        while !is_so(self) {
            let goes_on = self.step();
            let took = self.now() - start;
            assert!(goes_on && took <= limit, "seed {}: not within {limit:?}: {what}", self.seed());
        }
        self.now() - start
    }
}

impl Deref for Call {
    type Target = World<Node>;

    fn deref(&self) -> &World<Node> {
        &self.world
    }
}

impl DerefMut for Call {
    fn deref_mut(&mut self) -> &mut World<Node> {
        &mut self.world
    }
}

impl Drop for Call {
    #[allow(clippy::print_stderr, reason = "which run it was is all that helps")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}, {:?} after the beginning: {:?}", self.seed(), self.age(), self.network.counters);
        }
    }
}

impl Peer for Node {
    fn handle_input(&mut self, now: Instant, packet: &Packet) {
        match self {
            Self::Person(person) => person.handle_input(now, packet),
            Self::Stun(server) => server.handle_input(now, packet),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        match self {
            Self::Person(person) => person.handle_timeout(now),
            Self::Stun(server) => server.handle_timeout(now),
        }
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Packet> {
        match self {
            Self::Person(person) => person.poll_transmit(now),
            Self::Stun(server) => server.poll_transmit(now),
        }
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        match self {
            Self::Person(person) => person.poll_timeout(),
            Self::Stun(server) => server.poll_timeout(),
        }
    }
}

/// Two that know of each other what descriptions say. Ann offers, Bob begins the handshake.
fn sessions(now: Instant, honest: bool) -> [Session; 2] {
    let certificates = [0, 1].map(|_| Certificate::generate(NOW_S, NOW_S + 1000).unwrap());
    let mut fingerprints = [0, 1].map(|side: usize| certificates[side].fingerprint(HashKind::Sha256));
    if !honest {
        fingerprints[BOB] = Certificate::generate(NOW_S, NOW_S + 1000).unwrap().fingerprint(HashKind::Sha256);
    }
    let mut side = 0;
    let mut sessions = certificates.map(|certificate| {
        let ice = IceSettings { is_controlling: side == ANN, is_relay_only: false, beats_from: None };
        side += 1;
        let mut session = Session::new(now, certificate, &SessionSettings { ice, ..SessionSettings::default() });
        session.channels().set_remote_max_message_size(256 * 1024);
        session
    });
    for (side, role) in [(ANN, DtlsRole::Server), (BOB, DtlsRole::Client)] {
        let credentials = sessions[1 - side].ice().local_credentials().clone();
        sessions[side].ice().set_remote_credentials(now, credentials).unwrap();
        let theirs = vec![fingerprints[1 - side].clone()];
        sessions[side].start_dtls(now, DtlsSettings::new(role), theirs).unwrap();
    }
    sessions
}
