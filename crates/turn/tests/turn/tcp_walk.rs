//! Random walks over TCP relays: clients allocate, connect and bind, peers accept, refuse, come and go, in any order; a
//! small model says after each step which connections there are, and what each client must have been told.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use peerline_turn::{AllocationId, ConnectionId, FiveTuple, Quotas, Secret, Settings, Transport, TurnEvent};
use peerline_wire::stun::{Class, Method, kind};
use proptest::prelude::*;

use crate::answer::Answer;
use crate::client::Client;
use crate::tcp_world::{another, over, tcp_ann, tcp_bob, tcp_settings};
use crate::world::{Came, SECRET, World, guest};

const PEERS: [&str; 5] = ["8.8.8.8:5000", "8.8.8.8:5001", "1.1.1.1:5000", "10.0.0.1:5000", "8.8.8.8:22"];
/// Those that the policy does not like.
const DENIED: [&str; 2] = [PEERS[3], PEERS[4]];
const CLIENTS: usize = 4;
const LIMIT: u32 = 3;

#[derive(Debug, Clone)]
enum Step {
    Allocate(usize, bool),
    Release(usize),
    Gone(usize),
    Kick(usize),
    Permit(usize, usize),
    Connect(usize, usize),
    /// One of the connections there are, by its place: the peer accepts, or it ends.
    Accepted(usize),
    Ended(usize),
    Come(usize, usize),
    /// A new connection of this client asks for one of those there are.
    Bind(usize, usize),
    BindAnything(usize, u32),
    Switch(bool),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (who, peer) = (0..CLIENTS, 0..PEERS.len());
    let seconds = prop_oneof![0..4u64, 27..34u64, 290..310u64, 590..610u64];
    let step = prop_oneof![
        5 => (who.clone(), proptest::bool::weighted(0.9)).prop_map(|(who, is_tcp)| Step::Allocate(who, is_tcp)),
        1 => who.clone().prop_map(Step::Release),
        1 => who.clone().prop_map(Step::Gone),
        1 => who.clone().prop_map(Step::Kick),
        4 => (who.clone(), peer.clone()).prop_map(|(who, peer)| Step::Permit(who, peer)),
        9 => (who.clone(), peer.clone()).prop_map(|(who, peer)| Step::Connect(who, peer)),
        7 => any::<usize>().prop_map(Step::Accepted),
        3 => any::<usize>().prop_map(Step::Ended),
        5 => (who.clone(), peer).prop_map(|(who, peer)| Step::Come(who, peer)),
        8 => (who.clone(), any::<usize>()).prop_map(|(who, n)| Step::Bind(who, n)),
        1 => (who, any::<u32>()).prop_map(|(who, id)| Step::BindAnything(who, id)),
        1 => any::<bool>().prop_map(Step::Switch),
        4 => seconds.prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 1..150)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    Waiting,
    Joined,
}

#[derive(Debug, Clone)]
struct Model {
    who: usize,
    peer: SocketAddr,
    state: State,
    since_s: u64,
}

#[derive(Debug)]
struct Held {
    id: AllocationId,
    is_tcp: bool,
    ends_s: u64,
    permissions: HashMap<IpAddr, u64>,
}

/// To whom, what kind of message or which code, about which connection.
type Told = (u16, bool, u16, Option<u32>);

struct Walk {
    world: World,
    clients: Vec<Client>,
    held: Vec<Option<Held>>,
    connections: BTreeMap<ConnectionId, Model>,
    next_port: u16,
    is_on: bool,
}

fn walk_settings(is_on: bool) -> Settings {
    let secrets = vec![Secret(SECRET.to_vec())];
    let nonce_lifetime = std::time::Duration::from_secs(1_000_000);
    Settings {
        secrets,
        tcp_relays: is_on,
        tcp_connections: LIMIT,
        quotas: Quotas::UNLIMITED,
        nonce_lifetime,
        ..tcp_settings()
    }
}

impl Walk {
    fn new() -> Self {
        let carl = |port| over(Transport::Tls, guest("carl", &format!("198.51.100.3:{port}"), 1_000_000));
        let clients = vec![tcp_ann(), tcp_bob().modern(), carl(1), carl(2).modern()];
        assert_eq!(clients.len(), CLIENTS);
        Self {
            world: World::new(walk_settings(true)),
            held: clients.iter().map(|_| None).collect(),
            clients,
            connections: BTreeMap::new(),
            next_port: 10_000,
            is_on: true,
        }
    }

    fn now_s(&self) -> u64 {
        self.world.now.unix_s
    }

    /// Does it, and says what clients must have been told by it.
    fn step(&mut self, step: Step) -> BTreeSet<Told> {
        match step {
            Step::Allocate(who, is_tcp) => self.allocate(who, is_tcp),
            Step::Release(who) => {
                let code = self.world.refresh(&mut self.clients[who], 0).code();
                assert_eq!(code, if self.held[who].is_some() { 200 } else { 437 });
                self.forget(who);
            }
            Step::Gone(who) => {
                self.world.server.client_gone(self.clients[who].tuple, &mut self.world.host);
                self.forget(who);
            }
            Step::Kick(who) => {
                if let Some(Held { id, .. }) = self.held[who] {
                    assert!(self.world.server.kick(id, &mut self.world.host));
                }
                self.forget(who);
            }
            Step::Permit(who, peer) => {
                let peer: SocketAddr = PEERS[peer].parse().unwrap();
                let code = self.world.permit(&mut self.clients[who], &[&peer.to_string()]);
                let now_s = self.now_s();
                if code == 200 {
                    self.held[who].as_mut().unwrap().permissions.insert(peer.ip(), now_s + 300);
                }
            }
            Step::Connect(who, peer) => self.connect(who, PEERS[peer]),
            Step::Accepted(n) => return self.accepted(n),
            Step::Ended(n) => return self.ended(n),
            Step::Come(who, peer) => return self.come(who, PEERS[peer]),
            Step::Bind(who, n) => {
                let ids: Vec<ConnectionId> = self.connections.keys().copied().collect();
                if let Some(id) = n.checked_rem(ids.len()).map(|n| ids[n]) {
                    self.bind(who, id);
                }
            }
            Step::BindAnything(who, id) => self.bind(who, ConnectionId(id)),
            Step::Switch(is_on) => {
                self.is_on = is_on;
                self.world.reload(walk_settings(is_on));
            }
            Step::Pass(seconds) => {
                self.world.pass(seconds);
                return self.pass();
            }
        }
        BTreeSet::new()
    }

    fn allocate(&mut self, who: usize, is_tcp: bool) {
        let client = &mut self.clients[who];
        let answer =
            if is_tcp { self.world.allocate_tcp_with(client, &[]) } else { self.world.allocate_with(client, &[]) };
        let expected = match (&self.held[who], is_tcp && !self.is_on) {
            (Some(_), _) => 437,
            (None, true) => 442,
            (None, false) => 200,
        };
        assert_eq!(answer.code(), expected);
        if expected == 200 {
            let id = self.world.server.find(&self.clients[who].tuple).unwrap();
            let ends_s = self.now_s() + 600;
            self.held[who] = Some(Held { id, is_tcp, ends_s, permissions: HashMap::new() });
        }
    }

    fn connect(&mut self, who: usize, peer: &str) {
        if self.clients[who].nonce.is_empty() {
            self.world.introduce(&mut self.clients[who]);
        }
        let own = || self.connections.values().filter(|one| one.who == who);
        let is_there = own().any(|one| one.peer == peer.parse().unwrap());
        let expected = match &self.held[who] {
            None if !self.is_on => None,
            None => Some(437),
            Some(held) if !held.is_tcp && !self.is_on => None,
            Some(held) if !held.is_tcp => Some(403),
            Some(_) if is_there => Some(446),
            Some(_) if DENIED.contains(&peer) => Some(403),
            Some(_) if own().count() >= LIMIT as usize => Some(508),
            Some(_) => None,
        };
        let before: BTreeSet<ConnectionId> = self.world.host.connections.keys().copied().collect();
        match self.world.connect(&mut self.clients[who], peer) {
            Came::Answer(answer) => assert_eq!(Some(answer.code()), expected),
            Came::Nothing => assert_eq!(expected, None),
            other => panic!("{other:?}"),
        }
        let begun: Vec<_> = self.world.host.connections.keys().filter(|id| !before.contains(id)).copied().collect();
        let is_served = self.held[who].as_ref().is_some_and(|held| held.is_tcp);
        assert_eq!(begun.len(), usize::from(expected.is_none() && is_served));
        for id in begun {
            let (peer, since_s) = (peer.parse().unwrap(), self.now_s());
            self.connections.insert(id, Model { who, peer, state: State::Connecting, since_s });
        }
    }

    fn nth(&self, n: usize) -> Option<ConnectionId> {
        let place = n.checked_rem(self.connections.len())?;
        self.connections.keys().nth(place).copied()
    }

    fn accepted(&mut self, n: usize) -> BTreeSet<Told> {
        let Some(id) = self.nth(n) else { return BTreeSet::new() };
        self.world.server.peer_connected(self.world.now, id);
        let now_s = self.now_s();
        let one = self.connections.get_mut(&id).unwrap();
        if one.state != State::Connecting {
            return BTreeSet::new();
        }
        (one.state, one.since_s) = (State::Waiting, now_s);
        BTreeSet::from([(self.clients[one.who].tuple.client.port(), true, 200, Some(id.0))])
    }

    fn ended(&mut self, n: usize) -> BTreeSet<Told> {
        let Some(id) = self.nth(n) else { return BTreeSet::new() };
        self.world.end(id);
        let Model { who, state, .. } = self.connections.remove(&id).unwrap();
        match state {
            State::Connecting => BTreeSet::from([(self.clients[who].tuple.client.port(), true, 447, None)]),
            _ => BTreeSet::new(),
        }
    }

    fn come(&mut self, who: usize, peer: &str) -> BTreeSet<Told> {
        let Some(Held { id: allocation, is_tcp, permissions, .. }) = &self.held[who] else { return BTreeSet::new() };
        let peer: SocketAddr = peer.parse().unwrap();
        let is_permitted = permissions.get(&peer.ip()).is_some_and(|ends_s| *ends_s > self.now_s());
        let own = || self.connections.values().filter(|one| one.who == who);
        let has_room = own().count() < LIMIT as usize && own().all(|one| one.peer != peer);
        let came = self.world.come(*allocation, &peer.to_string());
        assert_eq!(came.is_some(), *is_tcp && is_permitted && has_room);
        let Some(id) = came else { return BTreeSet::new() };
        let since_s = self.now_s();
        self.connections.insert(id, Model { who, peer, state: State::Waiting, since_s });
        BTreeSet::from([(self.clients[who].tuple.client.port(), false, 0, Some(id.0))])
    }

    fn bind(&mut self, who: usize, id: ConnectionId) {
        self.next_port += 1;
        let mut data = another(&self.clients[who], self.next_port);
        let came = self.world.bind_connection(&mut data, id);
        let username = |who: usize| &self.clients[who].username;
        let can_join = self
            .connections
            .get(&id)
            .is_some_and(|one| one.state == State::Waiting && username(one.who) == username(who));
        match came {
            Came::Joined(joined, answer) => {
                assert!(can_join && joined == id);
                answer.assert_is_for(&data);
                self.connections.get_mut(&id).unwrap().state = State::Joined;
            }
            Came::Answer(answer) => assert_eq!((answer.code(), can_join), (400, false)),
            Came::Nothing => assert!(!self.is_on && !self.connections.contains_key(&id)),
            other => panic!("{other:?}"),
        }
    }

    /// Time is over for some.
    fn pass(&mut self) -> BTreeSet<Told> {
        let now_s = self.now_s();
        let mut told = BTreeSet::new();
        let (held, clients) = (&self.held, &self.clients);
        self.connections.retain(|_, one| {
            let due_s = match one.state {
                State::Connecting => one.since_s + 31,
                State::Waiting => one.since_s + 30,
                State::Joined => u64::MAX,
            };
            let lives_until_s = held[one.who].as_ref().unwrap().ends_s;
            if one.state == State::Connecting && due_s <= now_s && due_s < lives_until_s {
                told.insert((clients[one.who].tuple.client.port(), true, 447, None));
            }
            due_s > now_s
        });
        for who in 0..CLIENTS {
            if self.held[who].as_ref().is_some_and(|held| held.ends_s <= now_s) {
                self.forget(who);
            }
        }
        told
    }

    fn forget(&mut self, who: usize) {
        self.held[who] = None;
        self.connections.retain(|_, one| one.who != who);
    }

    fn check(&mut self, expected: &BTreeSet<Told>) {
        let told: Vec<Told> = self.world.messages().iter().map(told).collect();
        assert!(told.len() >= expected.len() && told.iter().collect::<BTreeSet<_>>() == expected.iter().collect());

        let is_there: Vec<ConnectionId> = self.world.host.connections.keys().copied().collect();
        assert_eq!(is_there, self.connections.keys().copied().collect::<Vec<_>>());
        assert_eq!(self.world.server.counters().connections, is_there.len() as u64);
        for (id, one) in &self.connections {
            let (relay, peer) = self.world.host.connections[id];
            let held = self.held[one.who].as_ref().unwrap();
            assert_eq!((peer, self.world.host.open[&relay.0].owner), (one.peer, Some(held.id)));
        }
        let views: HashMap<AllocationId, Option<u32>> =
            self.world.server.allocations().map(|view| (view.id, view.connections)).collect();
        assert_eq!(views.len(), self.held.iter().flatten().count());
        for (who, held) in self.held.iter().enumerate() {
            let Some(held) = held else { continue };
            let count = self.connections.values().filter(|one| one.who == who).count() as u32;
            assert_eq!(views[&held.id], held.is_tcp.then_some(count));
        }
        assert_eq!(self.world.host.open.len(), views.len());
        let (freed, allocated) = self.world.events().into_iter().partition::<Vec<_>, _>(is_freed);
        assert!(freed.len() <= CLIENTS && allocated.len() <= 1);
    }

    fn end(mut self) {
        self.world.pass(700);
        let told = self.pass();
        self.check(&told);
        assert_eq!((self.world.count(), self.world.host.open.len(), self.connections.len()), (0, 0, 0));
        assert_eq!(self.world.server.poll_timeout(), None);
    }
}

fn is_freed(event: &TurnEvent) -> bool {
    matches!(event, TurnEvent::Freed { .. })
}

fn told((tuple, answer): &(FiveTuple, Answer)) -> Told {
    let message = answer.message();
    let is_answer = message.class != Class::Indication;
    assert_eq!(message.method, if is_answer { Method::CONNECT } else { Method::CONNECTION_ATTEMPT });
    let code = if is_answer { answer.code() } else { 0 };
    (tuple.client.port(), is_answer, code, answer.number(kind::CONNECTION_ID))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_clients_and_peers_do_connections_are_whose_they_should_be(steps in steps()) {
        let mut walk = Walk::new();
        for step in steps {
            let expected = walk.step(step);
            walk.check(&expected);
        }
        walk.end();
    }
}
