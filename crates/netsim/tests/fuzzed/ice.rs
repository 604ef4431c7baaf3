//! What a fuzzer's bytes make an honest peer, a liar who knows the password, strangers, the owner and the clock do to ICE.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use peerline_transport::ice::{Address, Candidate, Credentials, Ice, IceSettings, IceState};
use peerline_wire::stun::{Message, Method, kind};

use crate::bytes::Bytes;
use crate::draft::{Attribute, Draft, INDICATION, REQUEST};
use crate::mutation::mutate;

/// A longer walk finds what two shorter ones find.
const MAX_STEPS: usize = 120;
const SUCCESS: u16 = 0x100;
const ERROR: u16 = 0x110;
const VICTIM: usize = 0;
const FRIEND: usize = 1;
const MILLISECONDS: [u64; 8] = [0, 1, 20, 250, 2_000, 5_000, 31_000, 4_000_000];
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const ICE_CONTROLLED: u16 = 0x8029;
const ICE_CONTROLLING: u16 = 0x802a;
const KINDS: [u16; 16] = [
    PRIORITY,
    USE_CANDIDATE,
    ICE_CONTROLLED,
    ICE_CONTROLLING,
    0xc057,
    kind::USERNAME,
    kind::XOR_MAPPED_ADDRESS,
    kind::MAPPED_ADDRESS,
    kind::ERROR_CODE,
    kind::SOFTWARE,
    kind::REALM,
    kind::NONCE,
    kind::UNKNOWN_ATTRIBUTES,
    kind::MESSAGE_INTEGRITY,
    kind::FINGERPRINT,
    0x7fff,
];
const ADDRESSES: [&str; 8] = [
    "198.51.100.2:5000",
    "198.51.100.2:5001",
    "203.0.113.9:1",
    "[2001:db8::2]:5000",
    "127.0.0.1:5000",
    "0.0.0.0:0",
    "[::ffff:198.51.100.2]:5000",
    "198.51.100.1:5000",
];
const OURS: [&str; 4] = ["198.51.100.1:5000", "198.51.100.1:5001", "[2001:db8::1]:5000", "10.0.0.2:5000"];
const WORDS: [&str; 24] = [
    "candidate:",
    "candidate:1 1 udp 2130706431 198.51.100.2 5000 typ host",
    "candidate:1 1 tcp 1 198.51.100.2 9 typ host tcptype active",
    " typ srflx raddr 10.0.0.1 rport 9",
    " typ relay",
    " typ prflx",
    " generation 0",
    " ufrag abcd",
    " network-cost 999",
    "a=",
    "\r\n",
    " ",
    "udp",
    "UDP",
    "1",
    "0",
    "256",
    "4294967296",
    "18446744073709551616",
    "-1",
    "::1",
    "fe80::1%eth0",
    "host.local",
    "é",
];

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Panics if something does not hold.
pub(crate) fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let mut walk = Walk::new(bytes.byte());
    for _ in 0..MAX_STEPS {
        if bytes.is_empty() {
            break;
        }
        walk.step(&mut bytes);
        walk.check();
    }
    walk.end();
}

struct Walk {
    now: Instant,
    agents: [Ice; 2],
    /// For whom, on which way as he sees it, and what.
    under_way: VecDeque<(usize, Address, Vec<u8>)>,
    last: Vec<u8>,
    ours: Vec<SocketAddr>,
}

impl Walk {
    fn new(bits: u8) -> Self {
        fastrand::seed(1);
        let now = Instant::now();
        let settings = |bit: u8| IceSettings {
            is_controlling: bits >> bit & 1 != 0,
            is_relay_only: false,
            beats_from: (bits > 99).then_some(now),
        };
        let mut agents = [Ice::new(now, settings(0)), Ice::new(now, settings(1))];
        let credentials = [VICTIM, FRIEND].map(|side| agents[side].local_credentials().clone());
        let [victim, friend] = credentials;
        // Half of all walks begin before the description has come.
        if bits & 4 == 0 {
            agents[VICTIM].set_remote_credentials(now, friend).unwrap();
        }
        agents[FRIEND].set_remote_credentials(now, victim).unwrap();
        let mut walk = Self { now, agents, under_way: VecDeque::new(), last: Vec::new(), ours: Vec::new() };
        walk.add_ours(OURS[0]);
        if bits & 8 == 0 {
            let theirs = Candidate::host(address(ADDRESSES[0]), "udp").unwrap();
            let line = walk.agents[FRIEND].add_local_candidate(now, theirs).unwrap();
            walk.agents[VICTIM].add_remote_candidate(now, &line).unwrap();
        }
        walk
    }

    fn add_ours(&mut self, text: &str) {
        let own = Candidate::host(address(text), "udp").unwrap();
        self.ours.push(address(text));
        if let Some(line) = self.agents[VICTIM].add_local_candidate(self.now, own) {
            let _ = self.agents[FRIEND].add_remote_candidate(self.now, &line);
        }
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let now = self.now;
        match bytes.byte() % 19 {
            0..=2 => self.deliver(|_, packet| packet),
            3 => self.deliver(|last, packet| mutate(bytes, packet, last, 0)),
            4 => drop(self.under_way.pop_front()),
            5 => {
                let (from, packet) = (*bytes.one_of(&ADDRESSES), self.last.clone());
                self.hand_in(from, &packet);
            }
            6 => {
                let from = *bytes.one_of(&ADDRESSES);
                self.hand_in(from, bytes.some());
            }
            7 | 8 => {
                let packet = self.lie(bytes, REQUEST);
                let from = *bytes.one_of(&ADDRESSES);
                self.hand_in(from, &packet);
            }
            9 => {
                let class = *bytes.one_of(&[SUCCESS, ERROR, SUCCESS, INDICATION]);
                let packet = self.lie(bytes, class);
                let from = *bytes.one_of(&ADDRESSES);
                self.hand_in(from, &packet);
            }
            10 => {
                let line = line(bytes);
                let _ = self.agents[VICTIM].add_remote_candidate(now, &line);
            }
            11 => self.pass(*bytes.one_of(&MILLISECONDS)),
            12 | 13 => self.tick(),
            14 => {
                self.agents[VICTIM].restart(now);
                if bytes.flag() {
                    self.agents[FRIEND].restart(now);
                }
            }
            15 => self.agents[VICTIM].abort_restart(now),
            16 => self.introduce(bytes),
            17 => {
                let text = *bytes.one_of(&OURS);
                if bytes.flag() {
                    self.add_ours(text);
                } else {
                    self.agents[VICTIM].remove_local_address(now, address(text));
                }
            }
            _ => match bytes.byte() % 4 {
                0 => self.agents[VICTIM].end_of_local_candidates(now),
                1 => self.agents[VICTIM].end_of_remote_candidates(now),
                2 => self.agents[VICTIM].set_controlling(bytes.flag()),
                _ => self.agents[FRIEND].set_controlling(bytes.flag()),
            },
        }
    }

    fn deliver(&mut self, change: impl FnOnce(&[u8], Vec<u8>) -> Vec<u8>) {
        let Some((to, way, packet)) = self.under_way.pop_front() else { return };
        let packet = change(&self.last, packet);
        self.agents[to].handle_input(self.now, way, &packet);
        if to == VICTIM {
            self.last = packet;
        }
    }

    fn hand_in(&mut self, from: &str, packet: &[u8]) {
        let way = Address { local: address(OURS[0]), remote: address(from) };
        self.agents[VICTIM].handle_input(self.now, way, packet);
    }

    /// Anything, signed as the friend would: who offers a connection may mean harm.
    fn lie(&mut self, bytes: &mut Bytes<'_>, class: u16) -> Vec<u8> {
        let asked = self.under_way.iter().rev().find(|(to, ..)| *to == FRIEND);
        let asked = asked.and_then(|(.., packet)| Message::parse(packet).ok());
        let transaction = match (class, asked) {
            (SUCCESS | ERROR, Some(message)) => message.transaction.0,
            _ => [bytes.byte(); 12],
        };
        let [ours, theirs] = [VICTIM, FRIEND].map(|side| self.agents[side].local_credentials().clone());
        // What we ask is signed with their password, and so is the answer.
        let key = if class == REQUEST { ours.password } else { theirs.password };
        let mut draft = Draft::new(class, Method::BINDING, transaction);
        if class == REQUEST {
            draft = draft
                .with(kind::USERNAME, format!("{}:{}", ours.ufrag, theirs.ufrag))
                .with(PRIORITY, [bytes.byte(), bytes.byte(), 0xff, 0xff])
                .with(*bytes.one_of(&[ICE_CONTROLLED, ICE_CONTROLLING, 0x7fff]), [bytes.byte(); 8]);
        }
        draft = draft.with_all(&attributes(bytes));
        if bytes.byte() % 8 != 7 {
            draft = draft.seal_sha1(key.as_bytes());
        }
        if bytes.byte() % 8 == 7 {
            draft = draft.with_all(&attributes(bytes));
        }
        draft.fingerprint().bytes()
    }

    fn introduce(&mut self, bytes: &mut Bytes<'_>) {
        let text = |bytes: &mut Bytes<'_>| String::from_utf8_lossy(bytes.some()).into_owned();
        let theirs = match bytes.byte() % 4 {
            0 => Credentials { ufrag: text(bytes), password: text(bytes) },
            1 => Credentials { ufrag: "abcd".into(), password: "x".repeat(22) },
            _ => self.agents[FRIEND].local_credentials().clone(),
        };
        let _ = self.agents[VICTIM].set_remote_credentials(self.now, theirs);
        let ours = self.agents[VICTIM].local_credentials().clone();
        self.agents[FRIEND].set_remote_credentials(self.now, ours).unwrap();
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
        self.settle();
    }

    /// To when something is due.
    fn tick(&mut self) {
        let due = self.agents.iter_mut().filter_map(Ice::poll_timeout).min();
        self.now = self.now.max(due.unwrap_or(self.now));
        self.settle();
    }

    /// Nobody is due any more. An agent that is never done would keep a processor busy.
    fn settle(&mut self) {
        for side in [VICTIM, FRIEND] {
            let mut times = 0;
            while self.agents[side].poll_timeout().is_some_and(|due| due <= self.now) {
                self.agents[side].handle_timeout(self.now);
                self.collect(side);
                times += 1;
                assert!(times < 1000, "it is due again and again without time passing");
            }
        }
    }

    fn collect(&mut self, side: usize) -> usize {
        while self.agents[side].poll_event().is_some() {}
        let mut sent = 0;
        while let Some(transmit) = self.agents[side].poll_transmit() {
            assert!(transmit.bytes.len() <= 1280);
            let Address { local, remote } = transmit.address;
            let way = Address { local: remote, remote: local };
            self.under_way.push_back((1 - side, way, transmit.bytes));
            sent += 1;
        }
        self.under_way.truncate(400);
        sent
    }

    fn check(&mut self) {
        self.collect(FRIEND);
        let sent = self.collect(VICTIM);
        assert!(sent <= 200, "{sent} packets in one step");
        let victim = &mut self.agents[VICTIM];
        let pair = victim.selected_pair();
        assert!(pair.is_none_or(|pair| self.ours.contains(&pair.local)), "through an address that is not ours");
        let is_usable = matches!(victim.state(), IceState::Connected | IceState::Completed | IceState::Disconnected);
        assert!(pair.is_some() || !is_usable, "connected to nowhere");
    }

    /// Nobody says anything any more: there is an end to it.
    fn end(mut self) {
        self.agents[VICTIM].abort_restart(self.now);
        let end = self.now + Duration::from_secs(300);
        let mut wakes = 0;
        while let Some(due) = self.agents[VICTIM].poll_timeout().filter(|due| *due < end) {
            self.now = self.now.max(due);
            self.agents[VICTIM].handle_timeout(self.now);
            self.collect(VICTIM);
            wakes += 1;
            assert!(wakes < 100_000, "it is woken without end");
        }
        self.now = end;
        self.agents[VICTIM].handle_timeout(end);
        let state = self.agents[VICTIM].state();
        assert!(matches!(state, IceState::New | IceState::Failed), "{state:?} after five minutes of silence");
        assert_eq!(self.agents[VICTIM].selected_pair(), None);
    }
}

fn attributes(bytes: &mut Bytes<'_>) -> Vec<Attribute> {
    let count = bytes.byte() % 4;
    (0..count).map(|_| (*bytes.one_of(&KINDS), bytes.some().to_vec())).collect()
}

/// A candidate line out of pieces of such lines, and of anything.
fn line(bytes: &mut Bytes<'_>) -> String {
    let mut line = String::new();
    for _ in 0..=bytes.byte() % 10 {
        match bytes.byte() {
            200.. => line.push_str(&String::from_utf8_lossy(bytes.some())),
            at => line.push_str(WORDS[usize::from(at) % WORDS.len()]),
        }
    }
    line
}
