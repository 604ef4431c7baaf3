//! A TURN server on loopback.

use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use peerline_engine::{
    Engine, EngineConfig, Event, PeerPolicy, RelayAddress, RelayConfig, Settings, Transport, TurnConfig, TurnListener,
    User,
};

/// Longer than anything takes here: who waits this long waits in vain.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const ALL_PORTS: RangeInclusive<u16> = 20_000..=65_535;

pub(crate) struct Place {
    pub(crate) engine: Engine,
    pub(crate) turn: TurnListener,
    pub(crate) udp: SocketAddr,
    pub(crate) tcp: SocketAddr,
}

pub(crate) fn settings() -> Settings {
    let user = |name: &str| User { name: name.into(), password: format!("pass of {name}") };
    let allow = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap()).to_vec();
    Settings {
        realm: "example.org".to_owned(),
        users: vec![user("ann"), user("bob")],
        policy: PeerPolicy { allow, ..PeerPolicy::default() },
        answers: None,
        tcp_relays: true,
        ..Settings::default()
    }
}

impl Place {
    pub(crate) fn new(shards: usize, settings: Settings) -> Self {
        Self::with_ports(shards, settings, ALL_PORTS)
    }

    pub(crate) fn with_ports(shards: usize, settings: Settings, ports: RangeInclusive<u16>) -> Self {
        let any = "127.0.0.1:0".parse().unwrap();
        Self::on(shards, settings, ports, &[any])
    }

    /// With UDP on these addresses, and TCP on loopback.
    pub(crate) fn on(shards: usize, settings: Settings, ports: RangeInclusive<u16>, udp: &[SocketAddr]) -> Self {
        let engine = Engine::new(EngineConfig { shards: Some(shards) }).unwrap();
        let of_udp = udp.iter().map(|address| (Transport::Udp, *address));
        let tcp = [(Transport::Tcp, "127.0.0.1:0".parse().unwrap())];
        let relay = |ip: IpAddr| RelayAddress { bind: ip, advertise: ip };
        let config = TurnConfig {
            listen: of_udp.chain(tcp).collect(),
            certificate: None,
            relay: RelayConfig { addresses: vec![relay([127, 0, 0, 1].into()), relay("::1".parse().unwrap())], ports },
            settings: Arc::new(settings),
        };
        let turn = engine.turn_listen(config).unwrap();
        let (udp, tcp) = (turn.addresses[0].1, turn.addresses.last().unwrap().1);
        Self { engine, turn, udp, tcp }
    }

    /// The next events that `wanted` says something about.
    pub(crate) fn event<T>(&self, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            for event in self.engine.drain(1024).unwrap() {
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
            assert!(Instant::now() < deadline, "no such event");
            std::thread::yield_now();
        }
    }

    /// Asks again and again until it is so.
    pub(crate) fn until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < deadline, "{what}");
            std::thread::yield_now();
        }
    }

    pub(crate) fn allocations(&self) -> u64 {
        self.engine.stats().unwrap().totals.turn.allocations
    }
}

/// A UDP socket that does not wait for ever.
pub(crate) fn udp_socket(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// So many ports in a row that nobody has, for UDP and TCP on all these addresses.
pub(crate) fn free_ports(count: u16, hosts: &[&str]) -> RangeInclusive<u16> {
    let is_free = |port: u16| {
        hosts.iter().all(|host| {
            UdpSocket::bind(format!("{host}:{port}")).is_ok() && TcpListener::bind(format!("{host}:{port}")).is_ok()
        })
    };
    let seed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let first = |n: u16| 20_000 + (seed.wrapping_add(n.wrapping_mul(97))) % 40_000;
    let found = (0..500).map(first).find(|first| (*first..first + count).all(is_free)).expect("there are free ports");
    found..=found + count - 1
}
