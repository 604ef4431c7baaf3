//! Random walks: several clients do what they like, right, wrong and mutilated, while time passes in steps and jumps;
//! a small model says what must be there after each step.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};

use peerline_turn::{AllocationId, FiveTuple, PeerRoute, QuestionId, Quotas, RelayId, Settings, TurnEvent, Verdict};
use peerline_wire::stun::{Class, Message, Method, kind};
use proptest::prelude::*;

use crate::client::{Client, UDP};
use crate::draft::Attribute;
use crate::world::{Came, World, ann, bob, guest, rest_settings};

const PEERS: [&str; 6] =
    ["8.8.8.8:5000", "8.8.8.8:5001", "1.1.1.1:5000", "[2606:4700::1]:5000", "10.0.0.1:5000", "[::ffff:8.8.4.4]:5000"];
const NUMBERS: [u16; 4] = [0x4000, 0x4001, 0x4fff, 0x3fff];
const BINDING: [u8; 2] = [0, 1];
const FINGERPRINT_LEN: usize = 8;
const CLIENTS: usize = 6;
const QUOTAS: Quotas = Quotas { allocations: 2, permissions: 3, channels: 2, ..Quotas::UNLIMITED };

#[derive(Debug, Clone)]
enum Step {
    Allocate(usize, usize),
    Refresh(usize, u32, u8),
    Permit(usize, Vec<usize>),
    Bind(usize, usize, usize),
    Send(usize, usize),
    Move(usize, u16),
    Gone(usize),
    Kick(usize),
    Introduce(usize),
    Again,
    Mutilated { from: usize, at: usize, xor: u8, cut: usize },
    Noise(usize, Vec<u8>),
    Ask(bool),
    Decide(bool),
    Pass(u64),
    Jump(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..CLIENTS;
    let lifetime = prop_oneof![Just(0), Just(0), Just(600), Just(3600), any::<u32>()];
    let seconds = prop_oneof![0..5u64, 25..35u64, 290..310u64, 590..610u64, 3000..5000u64];
    let peers = proptest::collection::vec(0..PEERS.len(), 0..4);
    let step = prop_oneof![
        6 => (who.clone(), 0..8usize).prop_map(|(who, how)| Step::Allocate(who, how)),
        3 => (who.clone(), lifetime, 0..4u8).prop_map(|(who, lifetime, family)| Step::Refresh(who, lifetime, family)),
        4 => (who.clone(), peers).prop_map(|(who, peers)| Step::Permit(who, peers)),
        4 => (who.clone(), 0..NUMBERS.len(), 0..PEERS.len()).prop_map(|(who, n, peer)| Step::Bind(who, n, peer)),
        2 => (who.clone(), 0..PEERS.len()).prop_map(|(who, peer)| Step::Send(who, peer)),
        2 => (who.clone(), 1..4u16).prop_map(|(who, port)| Step::Move(who, port)),
        1 => who.clone().prop_map(Step::Gone),
        1 => who.clone().prop_map(Step::Kick),
        2 => who.clone().prop_map(Step::Introduce),
        2 => Just(Step::Again),
        4 => (who.clone(), any::<usize>(), any::<u8>(), any::<usize>())
            .prop_map(|(from, at, xor, cut)| Step::Mutilated { from, at, xor, cut }),
        1 => (who, proptest::collection::vec(any::<u8>(), 0..60)).prop_map(|(who, bytes)| Step::Noise(who, bytes)),
        1 => any::<bool>().prop_map(Step::Ask),
        3 => any::<bool>().prop_map(Step::Decide),
        3 => seconds.clone().prop_map(Step::Pass),
        1 => seconds.prop_map(Step::Jump),
    ];
    proptest::collection::vec(step, 1..120)
}

/// What a request does if it is granted.
#[derive(Debug, Clone)]
enum Effect {
    Nothing,
    Lifetime,
    Permit(Vec<SocketAddr>),
    Bind(u16, SocketAddr),
    CloseFamily(bool),
}

#[derive(Debug, Default)]
struct Held {
    ends_s: u64,
    permissions: BTreeMap<IpAddr, u64>,
    channels: BTreeMap<u16, (SocketAddr, u64)>,
}

struct Walk {
    world: World,
    clients: Vec<Client>,
    /// Every 5-tuple that was ever used.
    places: Vec<FiveTuple>,
    tickets: HashMap<usize, Vec<u8>>,
    token: Vec<u8>,
    last: Option<(FiveTuple, Vec<u8>, Effect)>,
    questions: Vec<(QuestionId, Effect)>,
    living: HashMap<AllocationId, Held>,
    /// Sockets kept for later, and since when.
    waiting: BTreeMap<u32, u64>,
}

fn walk_settings(asks_owner: bool) -> Settings {
    Settings { quotas: QUOTAS, mobility: true, asks_owner, ..rest_settings() }
}

impl Walk {
    fn new() -> Self {
        let carl = |port| guest("carl", &format!("198.51.100.3:{port}"), 100_000);
        let clients = vec![ann(), bob().modern(), carl(1), carl(2).modern(), carl(3), {
            let mut dora = guest("dora", "[2600::99]:4000", 1000);
            dora.has_fingerprint = true;
            dora
        }];
        assert_eq!(clients.len(), CLIENTS);
        Self {
            world: World::new(walk_settings(false)),
            places: clients.iter().map(|client| client.tuple).collect(),
            clients,
            tickets: HashMap::new(),
            token: vec![0; 8],
            last: None,
            questions: Vec::new(),
            living: HashMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    fn now_s(&self) -> u64 {
        self.world.now.unix_s
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Allocate(who, how) => self.allocate(who, how),
            Step::Refresh(who, lifetime, family) => {
                let mut attributes = vec![(kind::LIFETIME, lifetime.to_be_bytes().to_vec())];
                if (1..4).contains(&family) {
                    attributes.push((kind::REQUESTED_ADDRESS_FAMILY, vec![family, 0, 0, 0]));
                }
                let effect = match (lifetime, family) {
                    (0, 1 | 2) => Effect::CloseFamily(family == 1),
                    (0, _) => Effect::Nothing,
                    _ => Effect::Lifetime,
                };
                self.request(who, Method::REFRESH, &attributes, effect);
            }
            Step::Permit(who, peers) => {
                let peers: Vec<&str> = peers.into_iter().map(|peer| PEERS[peer]).collect();
                let attributes = self.clients[who].peers(&peers);
                let effect = Effect::Permit(peers.iter().map(|peer| canonical(peer)).collect());
                self.request(who, Method::CREATE_PERMISSION, &attributes, effect);
            }
            Step::Bind(who, number, peer) => {
                let (number, peer) = (NUMBERS[number], PEERS[peer]);
                let channel = (kind::CHANNEL_NUMBER, (u32::from(number) << 16).to_be_bytes().to_vec());
                let attributes = [vec![channel], self.clients[who].peers(&[peer])].concat();
                self.request(who, Method::CHANNEL_BIND, &attributes, Effect::Bind(number, canonical(peer)));
            }
            Step::Send(who, peer) => {
                let message = self.clients[who].send_indication(PEERS[peer], b"hello");
                self.send(self.clients[who].tuple, message, Effect::Nothing);
            }
            Step::Move(who, port) => {
                let Some(ticket) = self.tickets.get(&who).cloned() else { return };
                let client = &mut self.clients[who];
                client.tuple.client.set_port(9000 + port * 10 + who as u16);
                client.nonce.clear();
                self.places.push(client.tuple);
                let answer = self.request(who, Method::REFRESH, &[(kind::MOBILITY_TICKET, ticket)], Effect::Lifetime);
                self.remember_ticket(who, answer);
            }
            Step::Gone(who) => self.world.server.client_gone(self.clients[who].tuple, &mut self.world.host),
            Step::Kick(who) => {
                if let Some(id) = self.world.server.find(&self.clients[who].tuple) {
                    assert!(self.world.server.kick(id, &mut self.world.host));
                }
            }
            Step::Introduce(who) => self.world.introduce(&mut self.clients[who]),
            Step::Again => {
                if let Some((tuple, message, effect)) = self.last.clone() {
                    self.send(tuple, message, effect);
                }
            }
            Step::Mutilated { from, at, xor, cut } => {
                let Some((_, mut message, effect)) = self.last.clone() else { return };
                let (at, tuple) = (at % message.len(), self.clients[from].tuple);
                let is_behind_the_seal = at + FINGERPRINT_LEN >= message.len();
                message[at] ^= xor.max(1);
                if cut % 4 == 0 {
                    message.truncate(cut / 4 % message.len());
                }
                let came = self.world.send(tuple, &message);
                self.judge(&message, &came);
                if granted(&came).is_some() && !message.starts_with(&BINDING) {
                    assert!(is_behind_the_seal, "of what is sealed nothing can be changed");
                    self.apply(tuple, effect, &came);
                }
            }
            Step::Noise(who, bytes) => {
                let came = self.world.send(self.clients[who].tuple, &bytes);
                self.judge(&bytes, &came);
            }
            Step::Ask(asks_owner) => self.world.reload(walk_settings(asks_owner)),
            Step::Decide(is_allowed) => {
                let Some((question, effect)) = self.questions.pop() else { return };
                let verdict = if is_allowed { Verdict::Allow } else { Verdict::Deny };
                if let Some((tuple, answer)) = self.world.decide(question, verdict) {
                    self.apply(tuple, effect, &Came::Answer(answer));
                }
            }
            Step::Pass(seconds) => self.world.pass(seconds),
            Step::Jump(seconds) => {
                self.world.skip(seconds);
                self.world.server.handle_timeout(self.world.now, &mut self.world.host);
            }
        }
    }

    fn allocate(&mut self, who: usize, how: usize) {
        let mut attributes: Vec<Attribute> = vec![(UDP.0, UDP.1.to_vec())];
        match how {
            1 => attributes.push((kind::EVEN_PORT, vec![0])),
            2 => attributes.push((kind::EVEN_PORT, vec![0x80])),
            3 => attributes.push((kind::RESERVATION_TOKEN, self.token.clone())),
            4 => attributes.push((kind::ADDITIONAL_ADDRESS_FAMILY, vec![2, 0, 0, 0])),
            5 => attributes.push((kind::REQUESTED_ADDRESS_FAMILY, vec![2, 0, 0, 0])),
            6 | 7 => attributes.push((kind::MOBILITY_TICKET, vec![])),
            _ => {}
        }
        let came = self.request(who, Method::ALLOCATE, &attributes, Effect::Lifetime);
        if let Some(token) = granted(&came).and_then(|message| message.attribute(kind::RESERVATION_TOKEN)) {
            self.token = token.value.to_vec();
        }
        self.remember_ticket(who, came);
    }

    fn remember_ticket(&mut self, who: usize, came: Came) {
        if let Some(ticket) = granted(&came).and_then(|message| message.attribute(kind::MOBILITY_TICKET)) {
            self.tickets.insert(who, ticket.value.to_vec());
        }
    }

    fn request(&mut self, who: usize, method: Method, attributes: &[Attribute], effect: Effect) -> Came {
        if self.clients[who].nonce.is_empty() {
            self.world.introduce(&mut self.clients[who]);
        }
        let message = self.clients[who].sealed(method, attributes);
        self.send(self.clients[who].tuple, message, effect)
    }

    fn send(&mut self, tuple: FiveTuple, message: Vec<u8>, effect: Effect) -> Came {
        let came = self.world.send(tuple, &message);
        self.judge(&message, &came);
        if let Came::Question(question) = &came {
            self.questions.push((question.id, effect.clone()));
        }
        self.apply(tuple, effect.clone(), &came);
        self.last = Some((tuple, message, effect));
        came
    }

    /// Of every answer, whatever was asked.
    fn judge(&self, message: &[u8], came: &Came) {
        match came {
            Came::Answer(answer) => {
                let (asked, said) = (Message::parse(message).unwrap(), answer.message());
                assert_eq!((asked.class, asked.method), (Class::Request, said.method));
                assert_eq!(asked.transaction, said.transaction);
                assert!(matches!(said.class, Class::Success | Class::Error));
                assert!(answer.is_sealed() || answer.0.len() * 10 <= message.len() * 36);
                assert!(answer.0.len() <= 1280);
            }
            Came::Forward { allocation, peer, .. } => {
                let held = &self.living[allocation];
                let permitted = held.permissions.get(&peer.parse::<SocketAddr>().unwrap().ip());
                assert!(permitted.is_some_and(|ends_s| *ends_s > self.now_s()), "{peer}");
            }
            Came::Nothing | Came::Question(_) => {}
            other => panic!("nobody has asked for {other:?}"),
        }
    }

    fn apply(&mut self, tuple: FiveTuple, effect: Effect, came: &Came) {
        let Some(answer) = granted(came) else { return };
        self.replay_events();
        let now_s = self.now_s();
        let Some(held) = self.world.server.find(&tuple).and_then(|id| self.living.get_mut(&id)) else { return };
        let lifetime = answer.attribute(kind::LIFETIME).map(|a| u32::from_be_bytes(a.value.try_into().unwrap()));
        match effect {
            Effect::Nothing => {}
            Effect::Lifetime => held.ends_s = now_s + u64::from(lifetime.unwrap()),
            Effect::Permit(peers) => {
                held.permissions.extend(peers.iter().map(|peer| (peer.ip(), now_s + 300)));
            }
            Effect::Bind(number, peer) => {
                held.channels.insert(number, (peer, now_s + 600));
                held.permissions.insert(peer.ip(), now_s + 300);
            }
            Effect::CloseFamily(is_v4) => {
                held.channels.retain(|_, (peer, _)| peer.is_ipv4() != is_v4);
                held.permissions.retain(|ip, _| ip.is_ipv4() != is_v4);
            }
        }
    }

    fn replay_events(&mut self) {
        for event in self.world.events() {
            match event {
                TurnEvent::Allocated { id, .. } => {
                    assert!(self.living.insert(id, Held::default()).is_none(), "a name is given once");
                }
                TurnEvent::Freed { id, .. } => assert!(self.living.remove(&id).is_some(), "what ends has lived"),
            }
        }
    }

    fn check(&mut self) {
        self.replay_events();
        let now_s = self.now_s();
        let (server, host) = (&self.world.server, &self.world.host);
        let views: HashMap<AllocationId, _> = server.allocations().map(|view| (view.id, view)).collect();
        assert_eq!(views.len() as u64, server.counters().allocations);
        assert_eq!(views.len(), self.living.len());

        // No socket without an allocation, none missing; those kept for later wait for half a minute.
        let mut sockets: HashMap<AllocationId, Vec<SocketAddr>> = HashMap::new();
        for socket in host.open.values() {
            if let Some(owner) = socket.owner {
                sockets.entry(owner).or_default().push(socket.address);
            }
        }
        assert_eq!(sockets.len(), views.len());
        let is_kept = |id: &u32| host.open.get(id).is_some_and(|socket| socket.owner.is_none());
        self.waiting.retain(|id, _| is_kept(id));
        for id in host.open.keys().filter(|id| is_kept(id)) {
            let since_s = *self.waiting.entry(*id).or_insert(now_s);
            assert!(now_s < since_s + 30, "kept too long");
        }

        let mut counts: HashMap<String, u32> = HashMap::new();
        for (id, view) in &views {
            let held = &self.living[id];
            assert!(held.ends_s > now_s, "it has ended");
            assert_eq!(u64::from(view.left_s), held.ends_s - now_s);
            let (mut open, mut told) = (sockets[id].clone(), view.relayed.clone());
            open.sort();
            told.sort();
            assert_eq!(open, told);
            let holder = server.find(&view.tuple);
            assert!(holder.is_none_or(|other| views.contains_key(&other)));
            let client = (holder == Some(*id)).then_some(view.tuple);
            assert_eq!(server.client(*id), client, "what comes for one goes to nobody else");
            if let Some((_, name)) = view.username.split_once(':') {
                *counts.entry(name.to_owned()).or_default() += 1;
                assert!(view.permissions <= QUOTAS.permissions && view.channels <= QUOTAS.channels);
            }
            self.check_paths(*id, held);
        }
        assert!(counts.values().all(|count| *count <= QUOTAS.allocations), "{counts:?}");
        for tuple in &self.places {
            if let Some(id) = server.find(tuple) {
                assert_eq!(views[&id].tuple, *tuple, "found where it is no longer");
            }
        }
    }

    /// What passes is what was permitted, and not a second longer.
    fn check_paths(&self, id: AllocationId, held: &Held) {
        let (server, now_s) = (&self.world.server, self.now_s());
        let is_permitted = |peer: &SocketAddr| held.permissions.get(&peer.ip()).is_some_and(|ends_s| *ends_s > now_s);
        let channel_of = |number: u16| held.channels.get(&number).filter(|(_, ends_s)| *ends_s > now_s);
        for number in NUMBERS {
            let expected = channel_of(number).map(|(peer, _)| *peer).filter(is_permitted);
            assert_eq!(server.channel(id, number).map(|target| target.peer), expected, "{number:#x}");
        }
        for peer in PEERS.map(canonical) {
            let relays = self.world.host.open.iter().filter(|(_, socket)| socket.owner == Some(id));
            let relay = relays.clone().find(|(_, socket)| socket.address.is_ipv4() == peer.is_ipv4());
            let Some((relay, _)) = relay else { continue };
            let number =
                NUMBERS.into_iter().find(|number| channel_of(*number).is_some_and(|(bound, _)| *bound == peer));
            let expected = match number {
                _ if !is_permitted(&peer) => PeerRoute::Dropped,
                Some(number) => PeerRoute::Channel(number),
                None => PeerRoute::Indication,
            };
            assert_eq!(server.peer(id, RelayId(*relay), peer), expected, "{peer}");
        }
    }

    /// After an hour without a refresh there is nothing, and quotas are as they were.
    fn end(mut self) {
        self.world.pass(3601);
        self.check();
        assert_eq!((self.world.count(), self.world.host.open.len()), (0, 0));
        assert_eq!(self.world.server.poll_timeout(), None);
        self.world.reload(walk_settings(false));
        let codes = [11, 12, 13].map(|port| {
            let mut carl = guest("carl", &format!("198.51.100.3:{port}"), 10_000_000);
            self.world.allocate_with(&mut carl, &[]).code()
        });
        assert_eq!(codes, [200, 200, 486]);
    }
}

fn canonical(peer: &str) -> SocketAddr {
    let peer: SocketAddr = peer.parse().unwrap();
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}

fn granted(came: &Came) -> Option<Message<'_>> {
    match came {
        Came::Answer(answer) => Some(answer.message()).filter(|message| message.class == Class::Success),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_clients_do_what_is_there_is_what_was_granted(steps in steps()) {
        let mut walk = Walk::new();
        for step in steps {
            walk.step(step);
            walk.check();
        }
        walk.end();
    }
}
