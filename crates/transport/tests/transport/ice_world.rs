//! Two ICE agents, their NATs, a STUN server, relays, and signaling that takes its time.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use peerline_transport::ice::{
    Address, Candidate, Gathering, GatheringEvent, Ice, IceEvent, IceSettings, IceState, Transmit,
};
use peerline_wire::stun::binding::{BindingRequest, MAX_ANSWER_LEN};

use crate::nat::{Nat, NatKind};
use crate::network::{Network, Path};

pub(crate) const STUN: &str = "192.0.2.250:3478";
pub(crate) const DEAD: &str = "192.0.2.251:3478";
const SERVER: usize = 2;

/// Who is said to have sent it, where it arrives, and what it is.
type Datagram = (SocketAddr, SocketAddr, Vec<u8>);

pub(crate) struct End {
    pub(crate) ice: Ice,
    pub(crate) gathering: Gathering,
    pub(crate) local: SocketAddr,
    pub(crate) relay: Option<SocketAddr>,
    pub(crate) nat: Option<Nat>,
    pub(crate) events: Vec<IceEvent>,
    pub(crate) gathered: Vec<GatheringEvent>,
    pub(crate) lines: Vec<String>,
    pub(crate) sent: usize,
}

pub(crate) struct World {
    pub(crate) ends: [End; 2],
    pub(crate) network: Network<Datagram>,
    pub(crate) signaling_delay: Duration,
    /// Lines on their way: when, to whom, which.
    signals: VecDeque<(Instant, usize, String)>,
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

impl World {
    pub(crate) fn new(seed: u64, path: Path, nats: [Option<NatKind>; 2], settings: [IceSettings; 2]) -> Self {
        let network = Network::new(seed, path);
        let end = |side: usize| {
            let public = IpAddr::from([198, 51, 100, side as u8 + 1]);
            let nat = nats[side].map(|kind| Nat::new(kind, public));
            let ip = if nat.is_some() { IpAddr::from([10, side as u8, 0, 2]) } else { public };
            End {
                ice: Ice::new(network.now, settings[side]),
                gathering: Gathering::default(),
                local: SocketAddr::new(ip, 5000 + side as u16),
                relay: None,
                nat,
                events: vec![],
                gathered: vec![],
                lines: vec![],
                sent: 0,
            }
        };
        let (ends, signals) = ([end(0), end(1)], VecDeque::new());
        Self { ends, network, signaling_delay: Duration::from_millis(5), signals }
    }

    /// Between two of us on the open Internet.
    pub(crate) fn open(seed: u64, path: Path) -> Self {
        Self::new(seed, path, [None, None], offerer_and_answerer())
    }

    pub(crate) fn now(&self) -> Instant {
        self.network.now
    }

    /// Both know each other's credentials and trickle what they have.
    pub(crate) fn start(&mut self, servers: &[&str]) {
        self.exchange_credentials();
        for side in 0..2 {
            self.gather(side, servers);
        }
    }

    pub(crate) fn exchange_credentials(&mut self) {
        let now = self.now();
        let credentials = [0, 1].map(|side| self.ends[side].ice.local_credentials().clone());
        for (side, own) in credentials.into_iter().enumerate() {
            self.ends[1 - side].ice.set_remote_credentials(now, own).unwrap();
        }
    }

    pub(crate) fn gather(&mut self, side: usize, servers: &[&str]) {
        let now = self.now();
        let servers: Vec<SocketAddr> = servers.iter().map(|text| address(text)).collect();
        let (local, relay) = (self.ends[side].local, self.ends[side].relay);
        self.trickle(side, Candidate::host(local, "udp").unwrap());
        if let Some(relay) = relay {
            self.trickle(side, Candidate::relayed(relay, local, "udp").unwrap());
        }
        self.ends[side].gathering = Gathering::start(now, &[local], &servers);
        self.flush();
    }

    fn trickle(&mut self, side: usize, candidate: Candidate) {
        let now = self.now();
        if let Some(line) = self.ends[side].ice.add_local_candidate(now, candidate) {
            self.ends[side].lines.push(line.clone());
            self.signals.push_back((now + self.signaling_delay, 1 - side, line));
        }
    }

    fn flush(&mut self) {
        for side in 0..2 {
            while let Some(event) = self.ends[side].gathering.poll_event() {
                self.on_gathered(side, event);
            }
            while let Some(event) = self.ends[side].ice.poll_event() {
                self.ends[side].events.push(event);
            }
            let end = &mut self.ends[side];
            while let Some(transmit) = end.gathering.poll_transmit().or_else(|| end.ice.poll_transmit()) {
                end.sent += 1;
                send(&mut self.network, end.nat.as_mut(), end.relay, transmit);
            }
        }
    }

    fn on_gathered(&mut self, side: usize, event: GatheringEvent) {
        if let GatheringEvent::Reflexive { base, mapped, .. } = event {
            self.trickle(side, Candidate::server_reflexive(mapped, base, "udp").unwrap());
        }
        if event == GatheringEvent::Done {
            let now = self.now();
            self.ends[side].ice.end_of_local_candidates(now);
            self.ends[1 - side].ice.end_of_remote_candidates(now);
        }
        self.ends[side].gathered.push(event);
    }

    pub(crate) fn step(&mut self) -> bool {
        self.flush();
        let mut due: Vec<Instant> =
            self.signals.iter().map(|(at, ..)| *at).chain(self.network.next_arrival()).collect();
        for end in &mut self.ends {
            due.extend(end.ice.poll_timeout());
            due.extend(end.gathering.poll_timeout());
        }
        let Some(next) = due.into_iter().min() else { return false };
        self.network.now = self.network.now.max(next);
        let now = self.now();
        while self.signals.front().is_some_and(|(at, ..)| *at <= now) {
            let (_, side, line) = self.signals.pop_front().unwrap();
            self.ends[side].ice.add_remote_candidate(now, &line).unwrap();
            self.flush();
        }
        while let Some((to, datagram)) = self.network.arrived() {
            self.deliver(to, datagram);
            self.flush();
        }
        for end in &mut self.ends {
            if end.gathering.poll_timeout().is_some_and(|due| due <= now) {
                end.gathering.handle_timeout(now);
            }
            if end.ice.poll_timeout().is_some_and(|due| due <= now) {
                end.ice.handle_timeout(now);
            }
        }
        self.flush();
        true
    }

    fn deliver(&mut self, to: usize, (from, at, bytes): Datagram) {
        if to == SERVER {
            if let Ok(request) = BindingRequest::parse(&bytes)
                && at == address(STUN)
            {
                let mut buffer = [0; MAX_ANSWER_LEN];
                let answer = request.answer(from, &mut buffer).bytes(&buffer).to_vec();
                send(
                    &mut self.network,
                    None,
                    None,
                    Transmit { address: Address { local: at, remote: from }, bytes: answer },
                );
            }
            return;
        }
        let now = self.now();
        let end = &mut self.ends[to];
        let local = match &end.nat {
            Some(nat) if nat.owns(at) => match nat.inside(from, at) {
                Some(inside) => inside,
                None => return,
            },
            Some(_) if Some(at) != end.relay => return,
            _ => at,
        };
        let address = Address { local, remote: from };
        if !end.gathering.handle_input(address, &bytes) {
            end.ice.handle_input(now, address, &bytes);
        }
    }

    #[track_caller]
    pub(crate) fn run_until(&mut self, what: &str, is_done: impl Fn(&Self) -> bool) -> Duration {
        let start = self.now();
        self.flush();
        while !is_done(self) {
            let took = self.now() - start;
            assert!(self.step() && took < Duration::from_secs(120), "never: {what}");
        }
        self.now() - start
    }

    #[track_caller]
    pub(crate) fn connect(&mut self) -> Duration {
        self.run_until("both are connected", |world| {
            world.ends.iter().all(|end| matches!(end.ice.state(), IceState::Connected | IceState::Completed))
        })
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now() + duration;
        while self.now() < end && self.step() {}
    }

    /// Each sends to where the other one receives, as seen from outside.
    pub(crate) fn selected(&self) -> [Address; 2] {
        [0, 1].map(|side| self.ends[side].ice.selected_pair().unwrap())
    }
}

pub(crate) fn offerer_and_answerer() -> [IceSettings; 2] {
    [true, false].map(|is_controlling| IceSettings { is_controlling, is_relay_only: false, beats_from: None })
}

/// From a socket or a relay of ours, through our NAT, to whoever has the address.
fn send(network: &mut Network<Datagram>, nat: Option<&mut Nat>, relay: Option<SocketAddr>, transmit: Transmit) {
    let Address { local, remote } = transmit.address;
    let from = match nat {
        Some(nat) if Some(local) != relay => nat.out(local, remote),
        _ => local,
    };
    let to = match remote.ip() {
        IpAddr::V4(ip) if ip.octets()[..3] == [198, 51, 100] => usize::from(ip.octets()[3]) - 1,
        // Relays have addresses of their own.
        IpAddr::V4(ip) if ip.octets()[..3] == [203, 0, 113] => usize::from(ip.octets()[3]) - 1,
        IpAddr::V4(ip) if ip.octets()[0] == 10 => return,
        _ => SERVER,
    };
    network.send(to, (from, remote, transmit.bytes));
}
