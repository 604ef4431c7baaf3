//! One walk: a few clients, a server, and a book of what has been opened.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;

use peerline_turn::{
    AllocationId, Direction, FiveTuple, NonceKeys, PeerRoute, QuestionId, Quotas, RelayId, Settings, Transport,
    TurnEvent, Verdict,
};
use peerline_wire::stun::{Class, Message, Method, decode_xor_address, kind};

use crate::answer::Answer;
use crate::client::{Client, Integrity, Password};
use crate::fuzzed::bytes::Bytes;
use crate::fuzzed::request;
use crate::world::{Came, World, ann, bob, guest, learn, rest_settings};

const QUOTAS: Quotas = Quotas { allocations: 2, permissions: 3, channels: 2, ..Quotas::UNLIMITED };
const TRANSPORTS: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];
const SECONDS: [u64; 8] = [0, 1, 5, 29, 31, 299, 601, 4000];
/// Of a walk; clients and peers come on few of them.
const PORTS: u16 = 4;
const NEVER: [&str; 5] = ["10.0.0.1", "127.0.0.1", "::1", "169.254.169.254", "64:ff9b::7f00:1"];
const LONG: u64 = 4000;

pub(crate) struct Walk {
    pub(crate) world: World,
    pub(crate) clients: Vec<Client>,
    tickets: Vec<Vec<u8>>,
    token: Vec<u8>,
    last: Vec<u8>,
    questions: Vec<QuestionId>,
    living: HashSet<AllocationId>,
    /// Sockets kept for later, and since when.
    waiting: BTreeMap<u32, u64>,
    /// The server has not yet been woken at the time it is now.
    is_late: bool,
}

fn settings(bits: u8) -> Settings {
    let flag = |bit: u8| bits >> bit & 1 != 0;
    let mut settings = Settings { quotas: QUOTAS, mobility: !flag(0), asks_owner: flag(1), ..rest_settings() };
    if flag(2) {
        settings.secrets.clear();
    }
    if flag(3) {
        settings.users.clear();
    }
    if flag(4) {
        settings.answers = Some(peerline_turn::RateLimit { per_second: 5, burst: 5 });
    }
    settings.tcp_relays = !flag(6);
    settings.tcp_connections = 3;
    if flag(5) {
        settings.max_allocations = 3;
    }
    settings
}

impl Walk {
    pub(crate) fn new() -> Self {
        let carl = |port| guest("carl", &format!("198.51.100.3:{port}"), 100_000);
        let clients = vec![ann(), bob().modern(), carl(1), carl(2), guest("dora", "[2600::99]:4000", 500)];
        Self {
            world: World::new(settings(0)),
            clients,
            tickets: Vec::new(),
            token: vec![0; 8],
            last: Vec::new(),
            questions: Vec::new(),
            living: HashSet::new(),
            waiting: BTreeMap::new(),
            is_late: false,
        }
    }

    pub(crate) fn step(&mut self, bytes: &mut Bytes<'_>) {
        let step = bytes.byte() % 25;
        let who = usize::from(bytes.byte()) % self.clients.len();
        match step {
            0 => {
                let attributes = request::allocate(bytes, &self.token);
                self.sealed(who, Method::ALLOCATE, |_| attributes);
            }
            1 => {
                let ticket = if bytes.flag() { self.tickets.get(usize::from(bytes.byte()) % 4) } else { None };
                let attributes = request::refresh(bytes, ticket);
                self.sealed(who, Method::REFRESH, |_| attributes);
            }
            2 => self.sealed(who, Method::CREATE_PERMISSION, |client| request::permission(bytes, client)),
            3 => self.sealed(who, Method::CHANNEL_BIND, |client| request::channel(bytes, client)),
            4 => {
                let peer = *bytes.one_of(&request::PEERS);
                let message = self.clients[who].send_indication(peer, bytes.some());
                self.send(who, message);
            }
            5 => {
                let message = request::free(bytes, &mut self.clients[who]);
                self.send(who, message);
            }
            6 => {
                let message = request::bare(bytes, &mut self.clients[who]);
                self.send(who, message);
            }
            7 => self.mutate(who, bytes),
            8 => self.send(who, bytes.some().to_vec()),
            9 => self.channel_data(who, bytes),
            10 => self.peer_datagram(bytes),
            11 => self.pass(*bytes.one_of(&SECONDS)),
            12 => {
                self.world.skip(*bytes.one_of(&SECONDS));
                self.is_late = true;
            }
            13 => self.kick(bytes),
            14 => self.world.server.client_gone(self.clients[who].tuple, &mut self.world.host),
            15 => self.decide(bytes),
            16 => self.world.reload(settings(bytes.byte())),
            17 => self.disturb(bytes),
            18 => self.change_place(who, bytes),
            19 => self.change_manner(who, bytes),
            _ => self.step_tcp(step - 20, who, bytes),
        }
    }

    pub(crate) fn sealed(&mut self, who: usize, method: Method, make: impl FnOnce(&Client) -> Vec<(u16, Vec<u8>)>) {
        if self.clients[who].nonce.is_empty() {
            self.introduce(who);
        }
        let attributes = make(&self.clients[who]);
        let message = self.clients[who].sealed(method, &attributes);
        self.send(who, message);
    }

    /// Learns realm and nonce, unless the server has nothing to say.
    pub(crate) fn introduce(&mut self, who: usize) {
        let message = self.clients[who].bare(Method::ALLOCATE, &[(kind::LIFETIME, vec![0; 4])]);
        if let Came::Answer(answer) = self.world.send(self.clients[who].tuple, &message)
            && answer.value(kind::NONCE).is_some()
        {
            learn(&mut self.clients[who], &answer);
        }
    }

    fn send(&mut self, who: usize, message: Vec<u8>) {
        let tuple = self.clients[who].tuple;
        let came = self.world.send(tuple, &message);
        self.judge(&message, &came);
        match &came {
            Came::Question(question) => self.questions.push(question.id),
            Came::Answer(answer) | Came::Joined(_, answer) => self.read(answer),
            _ => {}
        }
        self.last = message;
    }

    fn read(&mut self, answer: &Answer) {
        if let Some(ticket) = answer.value(kind::MOBILITY_TICKET) {
            self.tickets.push(ticket.to_vec());
        }
        if let Some(token) = answer.value(kind::RESERVATION_TOKEN) {
            self.token = token.to_vec();
        }
        let class = answer.message().class;
        assert!(matches!(class, Class::Success | Class::Error));
        assert!(answer.0.len() <= 1280);
    }

    fn judge(&self, message: &[u8], came: &Came) {
        match came {
            Came::Answer(answer) => {
                let (asked, said) = (Message::parse(message).expect("only messages are answered"), answer.message());
                assert_eq!((asked.class, asked.method), (Class::Request, said.method));
                assert_eq!(asked.transaction, said.transaction);
                let (asked_len, said_len) = (message.len(), answer.0.len());
                assert!(answer.is_sealed() || said_len * 10 <= asked_len * 36, "{said_len} to {asked_len}");
            }
            Came::Forward { allocation, relay, peer, data, .. } => {
                let peer: SocketAddr = peer.parse().unwrap();
                assert_open(peer);
                assert!(message.len() >= 20 + data.len() && self.living.contains(allocation));
                assert_eq!(self.world.host.open[relay].owner, Some(*allocation), "through its own relay");
            }
            Came::Joined(id, answer) => {
                assert!(answer.is_sealed() && answer.message().class == Class::Success);
                assert!(self.world.host.connections.contains_key(id), "with a peer that is there");
            }
            Came::Nothing | Came::Question(_) => {}
            other => panic!("nobody has asked for {other:?}"),
        }
    }

    /// The last message, changed at one place, cut, or continued; perhaps from somewhere else.
    fn mutate(&mut self, who: usize, bytes: &mut Bytes<'_>) {
        let mut message = self.last.clone();
        if message.is_empty() {
            return;
        }
        let at = usize::from(bytes.word()) % message.len();
        match bytes.byte() % 4 {
            0 => message[at] ^= bytes.byte().max(1),
            1 => message.truncate(at),
            2 => message.extend(bytes.some()),
            _ => {
                message.splice(at..at, bytes.some().iter().copied());
                let len = (message.len().saturating_sub(20) as u16).to_be_bytes();
                if message.len() >= 4 {
                    message[2..4].copy_from_slice(&len);
                }
            }
        }
        self.send(who, message);
    }

    fn channel_data(&mut self, who: usize, bytes: &mut Bytes<'_>) {
        let (number, count) = (request::number(bytes), u32::from(bytes.word()));
        let server = &mut self.world.server;
        let Some(id) = server.find(&self.clients[who].tuple) else { return };
        let Some(target) = server.channel(id, number) else { return };
        assert_open(target.peer);
        assert!((0x4000..0x8000).contains(&number));
        assert_eq!(self.world.host.open[&target.relay.0].owner, Some(id));
        if server.admit(self.world.now.instant, id, count, count.saturating_mul(1200)) {
            server.count_relayed(id, Direction::Up, count, count);
        }
    }

    fn peer_datagram(&mut self, bytes: &mut Bytes<'_>) {
        let peer: SocketAddr = bytes.one_of(&request::PEERS).parse().unwrap();
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let nth = usize::from(bytes.byte());
        let open = &self.world.host.open;
        let Some((relay, socket)) = open.iter().nth(nth % open.len().max(1)) else { return };
        let (relay, Some(owner)) = (RelayId(*relay), socket.owner) else { return };
        let len = usize::from(bytes.word());
        match self.world.server.peer(owner, relay, peer) {
            PeerRoute::Dropped => {}
            PeerRoute::Channel(number) => assert_eq!(self.world.server.channel(owner, number).unwrap().peer, peer),
            PeerRoute::Indication => {
                let len = len.min(65_000);
                let mut head = [0; 64];
                let head_len = self.world.server.write_data_indication(peer, len, &mut head);
                let whole = [&head[..head_len], &vec![7; len.next_multiple_of(4)]].concat();
                let message = Message::parse(&whole).unwrap();
                let from = message.attribute(kind::XOR_PEER_ADDRESS).unwrap();
                assert_eq!(decode_xor_address(from.value, message.transaction), Some(peer));
                assert_eq!(message.attribute(kind::DATA).unwrap().value.len(), len);
            }
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.world.skip(seconds);
        self.world.server.handle_timeout(self.world.now, &mut self.world.host);
        self.is_late = false;
    }

    fn kick(&mut self, bytes: &mut Bytes<'_>) {
        let rows: Vec<_> = self.world.server.allocations().map(|view| view.id).collect();
        let id = match rows.get(usize::from(bytes.byte())) {
            Some(id) => *id,
            None => AllocationId::from_bits(u64::from(bytes.word()) << 32 | u64::from(bytes.word())),
        };
        let is_there = rows.contains(&id);
        assert_eq!(self.world.server.kick(id, &mut self.world.host), is_there);
    }

    fn decide(&mut self, bytes: &mut Bytes<'_>) {
        let verdict = if bytes.flag() { Verdict::Allow } else { Verdict::Deny };
        let question = self.questions.pop().unwrap_or(QuestionId(bytes.byte().into()));
        if let Some((_, answer)) = self.world.decide(question, verdict) {
            self.read(&answer);
        }
    }

    /// What operator and host may do at any time.
    fn disturb(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.byte() % 4 {
            0 => self.world.server.rekey(NonceKeys::from_key(&[bytes.byte(); 32])),
            1 => self.world.host.limit = self.world.host.open.len() + usize::from(bytes.byte() % 4),
            2 if bytes.flag() => self.world.host.can_connect ^= true,
            2 => self.world.host.can_forbid_fragments ^= true,
            _ => self.world.server.drain(),
        }
    }

    fn change_place(&mut self, who: usize, bytes: &mut Bytes<'_>) {
        let tuple = &mut self.clients[who].tuple;
        tuple.transport = *bytes.one_of(&TRANSPORTS);
        tuple.client.set_port(4000 + bytes.word() % PORTS);
        self.introduce(who);
    }

    fn change_manner(&mut self, who: usize, bytes: &mut Bytes<'_>) {
        let bits = bytes.byte();
        let client = &mut self.clients[who];
        client.password_algorithm = if bits & 1 == 0 { Password::Md5 } else { Password::Sha256 };
        client.integrity = if bits & 2 == 0 { Integrity::Sha1 } else { Integrity::Sha256 };
        client.is_anonymous = bits & 4 != 0;
        client.has_fingerprint = bits & 8 != 0;
        if bits & 16 != 0 {
            client.password.push('x');
        }
        self.introduce(who);
    }

    pub(crate) fn check(&mut self) {
        self.check_tcp();
        for event in self.world.events() {
            match event {
                TurnEvent::Allocated { id, .. } => assert!(self.living.insert(id), "a name is given once"),
                TurnEvent::Freed { id, .. } => assert!(self.living.remove(&id), "what ends has lived"),
            }
        }
        let (server, host, now_s) = (&self.world.server, &self.world.host, self.world.now.unix_s);
        let views: HashMap<AllocationId, _> = server.allocations().map(|view| (view.id, view)).collect();
        assert_eq!(views.len() as u64, server.counters().allocations);
        assert_eq!(views.keys().copied().collect::<HashSet<_>>(), self.living);

        let mut sockets: HashMap<AllocationId, Vec<SocketAddr>> = HashMap::new();
        for socket in host.open.values() {
            if let Some(owner) = socket.owner {
                sockets.entry(owner).or_default().push(socket.address);
            }
        }
        assert_eq!(sockets.len(), views.len(), "each has a socket, and no socket is nobody's");
        let mut counts: HashMap<&str, u32> = HashMap::new();
        let mut places: HashSet<FiveTuple> = HashSet::new();
        for (id, view) in &views {
            let (open, told) = (sockets.get_mut(id).expect("each has a socket"), &mut view.relayed.clone());
            open.sort();
            told.sort();
            assert_eq!(open, told);
            assert!(self.is_late || view.left_s > 0, "it has ended");
            if server.find(&view.tuple) == Some(*id) {
                assert!(places.insert(view.tuple), "two at one place");
            }
            if let Some((_, name)) = view.username.split_once(':') {
                *counts.entry(name).or_default() += 1;
                assert!(view.permissions <= QUOTAS.permissions && view.channels <= QUOTAS.channels);
            }
        }
        assert!(counts.values().all(|count| *count <= QUOTAS.allocations), "{counts:?}");

        let is_kept = |id: &u32| host.open.get(id).is_some_and(|socket| socket.owner.is_none());
        self.waiting.retain(|id, _| is_kept(id));
        for id in host.open.keys().filter(|id| is_kept(id)) {
            let since_s = *self.waiting.entry(*id).or_insert(now_s);
            assert!(self.is_late || now_s < since_s + 30, "kept too long");
        }
    }

    /// After a long silence there is nothing, nothing to be woken for, and everybody has his quota again.
    pub(crate) fn end(mut self) {
        self.pass(LONG);
        self.pass(1);
        self.check();
        assert_eq!((self.living.len(), self.world.host.open.len()), (0, 0));
        assert_eq!(self.world.server.poll_timeout(), None);
    }
}

pub(crate) fn assert_open(peer: SocketAddr) {
    assert!(!NEVER.contains(&peer.ip().to_string().as_str()) && peer.port() >= 1024, "{peer} must not be reached");
}
