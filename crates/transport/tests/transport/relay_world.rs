//! A relay of ours, the real TURN server as a machine, peers on the open Internet, and what is between them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use peerline_transport::relay::{Relay, RelayEvent, RelayFamily, RelayInput, RelaySettings, RelayStream};
use peerline_turn::{
    AllocationId, Family, FiveTuple, Host, KeptId, NoRelay, NonceKeys, Now, Outcome, Parity, PeerRoute, RelayId,
    Secret, Server, Settings, Transport, User,
};
use peerline_wire::channel_data;
use peerline_wire::frame::Frame;

use crate::network::{Network, Path};

pub(crate) const SERVER: &str = "192.0.2.1:3478";
pub(crate) const CLIENT: &str = "198.51.100.1:4001";
pub(crate) const PEER: &str = "8.8.8.8:5000";
pub(crate) const OTHER: &str = "9.9.9.9:6000";
pub(crate) const SECRET: &[u8] = b"a secret of the operator";
const START_UNIX_S: u64 = 1_800_000_000;
const TO_CLIENT: usize = 0;
const TO_SERVER: usize = 1;

/// Relay sockets that exist only as a count of ports.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) families: Vec<Family>,
    next: u16,
}

impl Host for Ports {
    fn serves(&self, family: Family) -> bool {
        self.families.contains(&family)
    }

    fn open_relay(&mut self, _: AllocationId, family: Family, _: Parity) -> Result<peerline_turn::Relay, NoRelay> {
        if !self.serves(family) {
            return Err(NoRelay);
        }
        self.next += 1;
        let ip = match family {
            Family::V4 => address("198.18.0.1:0").ip(),
            Family::V6 => address("[2600::1]:0").ip(),
        };
        let id = RelayId(self.next.into());
        Ok(peerline_turn::Relay { id, address: SocketAddr::new(ip, self.next), next: None })
    }

    fn adopt_relay(&mut self, _: KeptId, _: AllocationId) -> Result<peerline_turn::Relay, NoRelay> {
        Err(NoRelay)
    }

    fn close_kept(&mut self, _: KeptId) {}

    fn close_relay(&mut self, _: RelayId) {}

    fn random(&mut self, bytes: &mut [u8]) {
        bytes.fill(4);
    }
}

pub(crate) struct World {
    pub(crate) relay: Relay,
    stream: RelayStream,
    pub(crate) server: Server,
    pub(crate) ports: Ports,
    settings: Settings,
    tuple: FiveTuple,
    pub(crate) network: Network<Vec<u8>>,
    start: Instant,
    /// Whether the server answers and relays at all.
    pub(crate) is_server_up: bool,
    pub(crate) events: Vec<RelayEvent>,
    /// What peers have got from the relay: who, and what.
    pub(crate) at_peers: Vec<(SocketAddr, Vec<u8>)>,
    /// What we have got from peers.
    pub(crate) received: Vec<(SocketAddr, Vec<u8>)>,
    /// All packets to the server.
    pub(crate) sent: VecDeque<Vec<u8>>,
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// One static user, without limits.
pub(crate) fn server_settings() -> Settings {
    Settings {
        realm: "example.org".to_owned(),
        users: vec![User { name: "ann".into(), password: "pass of ann".into() }],
        answers: None,
        ..Settings::default()
    }
}

/// With time-limited users, too.
pub(crate) fn rest_settings() -> Settings {
    Settings { secrets: vec![Secret(SECRET.to_vec())], ..server_settings() }
}

pub(crate) fn ann() -> RelaySettings {
    RelaySettings {
        server: address(SERVER),
        is_stream: false,
        family: RelayFamily::V4,
        username: "ann".to_owned(),
        password: "pass of ann".to_owned(),
    }
}

/// A time-limited user.
pub(crate) fn guest(good_for_s: u64) -> RelaySettings {
    let username = format!("{}:guest", START_UNIX_S + good_for_s);
    let password = peerline_turn::rest_password(SECRET, &username);
    RelaySettings { username, password, ..ann() }
}

impl World {
    pub(crate) fn new(seed: u64, path: Path, client: RelaySettings, settings: Settings) -> Self {
        let network = Network::new(seed, path);
        let start = network.now;
        let transport = if client.is_stream { Transport::Tcp } else { Transport::Udp };
        let tuple = FiveTuple { transport, client: address(CLIENT), server: address(SERVER) };
        let keys = NonceKeys::from_key(&[7; 32]);
        let now = Now { instant: start, unix_s: START_UNIX_S };
        Self {
            relay: Relay::new(start, client),
            stream: RelayStream::default(),
            server: Server::new(Arc::new(settings.clone()), keys, now),
            ports: Ports { families: vec![Family::V4, Family::V6], next: 49_151 },
            settings,
            tuple,
            network,
            start,
            is_server_up: true,
            events: vec![],
            at_peers: vec![],
            received: vec![],
            sent: VecDeque::new(),
        }
    }

    pub(crate) fn clean(client: RelaySettings) -> Self {
        Self::new(1, Path::CLEAN, client, rest_settings())
    }

    pub(crate) fn now(&self) -> Instant {
        self.network.now
    }

    fn both_clocks(&self) -> Now {
        let since = self.now() - self.start;
        Now { instant: self.now(), unix_s: START_UNIX_S + since.as_secs() }
    }

    /// All its memory is gone.
    pub(crate) fn restart_server(&mut self) {
        let keys = NonceKeys::from_key(&[8; 32]);
        self.server = Server::new(Arc::new(self.settings.clone()), keys, self.both_clocks());
    }

    /// We send to a peer.
    pub(crate) fn send(&mut self, peer: &str, data: &[u8]) {
        let mut packet = vec![];
        let now = self.now();
        if self.relay.send(now, address(peer), data, &mut packet) {
            assert!(!packet.is_empty());
            self.post(packet);
        } else {
            assert_eq!(packet, [], "what is not sent leaves nothing behind");
        }
        self.flush();
    }

    /// A peer sends to our relayed address.
    pub(crate) fn peer_sends(&mut self, peer: &str, data: &[u8]) {
        let (peer, Some(id)) = (address(peer), self.server.find(&self.tuple)) else { return };
        let relay = self.server.allocations().next().unwrap().relayed[0].port();
        let packet = match self.server.peer(id, RelayId(relay.into()), peer) {
            PeerRoute::Channel(number) => {
                let mut packet = [&channel_data::header(number, data.len() as u16)[..], data].concat();
                if self.tuple.transport != Transport::Udp {
                    packet.resize(packet.len().next_multiple_of(4), 0);
                }
                packet
            }
            PeerRoute::Indication => {
                let mut head = [0; 64];
                let len = self.server.write_data_indication(peer, data.len(), &mut head);
                let mut packet = [&head[..len], data].concat();
                packet.resize(packet.len().next_multiple_of(4), 0);
                packet
            }
            PeerRoute::Dropped => return,
        };
        self.network.send(TO_CLIENT, packet);
    }

    fn post(&mut self, packet: Vec<u8>) {
        self.sent.push_back(packet.clone());
        self.network.send(TO_SERVER, packet);
    }

    pub(crate) fn flush(&mut self) {
        while let Some(event) = self.relay.poll_event() {
            self.events.push(event);
        }
        while let Some(packet) = self.relay.poll_transmit() {
            self.post(packet);
        }
    }

    /// Something that is said to be from the server.
    pub(crate) fn inject(&mut self, packet: &[u8]) -> RelayInput {
        let now = self.now();
        let input = self.relay.handle_input(now, packet);
        self.flush();
        input
    }

    fn step(&mut self, until: Instant) {
        self.flush();
        let due = [self.relay.poll_timeout(), self.server.poll_timeout(), self.network.next_arrival()];
        let next = due.into_iter().flatten().min().unwrap_or(until).min(until);
        self.network.now = self.network.now.max(next);
        let now = self.now();
        while let Some((to, packet)) = self.network.arrived() {
            if to == TO_SERVER {
                self.at_server(&packet)
            } else {
                self.at_client(&packet)
            }
            self.flush();
        }
        if self.relay.poll_timeout().is_some_and(|due| due <= now) {
            self.relay.handle_timeout(now);
            assert!(self.relay.poll_timeout().is_none_or(|due| due > now), "asked twice for the same moment");
        }
        self.server.handle_timeout(self.both_clocks(), &mut self.ports);
        self.flush();
    }

    fn at_client(&mut self, packet: &[u8]) {
        let now = self.now();
        if self.tuple.transport == Transport::Udp {
            take(&mut self.relay, &mut self.received, now, packet);
            return;
        }
        self.stream.push(packet);
        while let Some(message) = self.stream.next_message().unwrap() {
            take(&mut self.relay, &mut self.received, now, message);
        }
    }

    fn at_server(&mut self, packet: &[u8]) {
        if !self.is_server_up {
            return;
        }
        if self.tuple.transport == Transport::Udp {
            return self.message_at_server(packet);
        }
        let mut rest = packet;
        while !rest.is_empty() {
            let (len, used) = match Frame::first(rest) {
                Frame::Message { len } => (len, len),
                Frame::ChannelData { len, used } => (len, used),
                other => panic!("what we send is whole: {other:?}"),
            };
            self.message_at_server(&rest[..len]);
            rest = &rest[used..];
        }
    }

    fn message_at_server(&mut self, packet: &[u8]) {
        if let Some((number, at)) = channel_data::parse(packet) {
            let target = self.server.find(&self.tuple).and_then(|id| self.server.channel(id, number));
            self.at_peers.extend(target.map(|target| (target.peer, packet[at].to_vec())));
            return;
        }
        let (now, tuple) = (self.both_clocks(), self.tuple);
        let mut reply = vec![];
        match self.server.handle_message(now, tuple, packet, &mut self.ports, &mut reply) {
            Outcome::Reply => self.network.send(TO_CLIENT, reply),
            Outcome::Forward { peer, data, .. } => self.at_peers.push((peer, packet[data].to_vec())),
            _ => {}
        }
    }

    pub(crate) fn run_for(&mut self, seconds: u64) {
        let end = self.now() + Duration::from_secs(seconds);
        self.flush();
        while self.now() < end {
            self.step(end);
        }
    }

    #[track_caller]
    pub(crate) fn run_until(&mut self, what: &str, is_done: impl Fn(&Self) -> bool) -> Duration {
        let start = self.now();
        self.flush();
        while !is_done(self) {
            assert!(self.now() - start < Duration::from_secs(7200), "never: {what}; {:?}", self.events);
            self.step(start + Duration::from_secs(7200));
        }
        self.now() - start
    }

    #[track_caller]
    pub(crate) fn allocate(&mut self) -> SocketAddr {
        self.run_until("there is a relay", |world| !world.events.is_empty());
        match &self.events[..] {
            [RelayEvent::Allocated { relayed, mapped }] => {
                assert_eq!(*mapped, Some(address(CLIENT)));
                *relayed
            }
            other => panic!("{other:?}"),
        }
    }

    /// What ended it.
    #[track_caller]
    pub(crate) fn end(&mut self) -> (u16, String) {
        self.run_until("it ends", |world| {
            matches!(world.events.last(), Some(RelayEvent::Failed { .. } | RelayEvent::Lost { .. }))
        });
        match self.events.last() {
            Some(RelayEvent::Failed { code, reason } | RelayEvent::Lost { code, reason }) => (*code, reason.clone()),
            _ => unreachable!("it has ended"),
        }
    }

    pub(crate) fn allocations(&self) -> u64 {
        self.server.counters().allocations
    }
}

fn take(relay: &mut Relay, received: &mut Vec<(SocketAddr, Vec<u8>)>, now: Instant, packet: &[u8]) {
    match relay.handle_input(now, packet) {
        RelayInput::Data { peer, at } => received.push((peer, packet[at].to_vec())),
        RelayInput::Taken => {}
        // An answer to a request that was answered already.
        RelayInput::Foreign => assert!(packet[0] < 4, "the server sends nothing else"),
    }
}
