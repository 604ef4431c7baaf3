//! One server, its sockets and its clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use peerline_turn::{
    AllocationId, ConnectionId, FiveTuple, NonceKeys, Now, Outcome, PeerPolicy, Question, QuestionId, Secret, Server,
    Settings, TurnEvent, User, Verdict, rest_password,
};
use peerline_wire::stun::{Method, kind};

use crate::answer::Answer;
use crate::client::{Client, UDP};
use crate::draft::Attribute;
use crate::host::ToyHost;

pub(crate) const REALM: &str = "example.org";
pub(crate) const SECRET: &[u8] = b"a secret of the operator";
pub(crate) const START_UNIX_S: u64 = 1_800_000_000;
pub(crate) const PEER: &str = "8.8.8.8:5000";

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) host: ToyHost,
    pub(crate) now: Now,
}

/// What came of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Nothing,
    Answer(Answer),
    Forward {
        allocation: AllocationId,
        relay: u32,
        peer: String,
        data: Vec<u8>,
        dont_fragment: bool,
    },
    Question(Question),
    /// An answer that leaves from another address than was asked.
    AnswerFrom(String, Answer),
    Joined(ConnectionId, Answer),
    HandOver(u32),
}

pub(crate) fn settings() -> Settings {
    Settings {
        realm: REALM.to_owned(),
        users: vec![
            User { name: "ann".into(), password: "pass of ann".into() },
            User { name: "bob".into(), password: "pass of bob".into() },
        ],
        policy: PeerPolicy::default(),
        answers: None,
        ..Settings::default()
    }
}

/// With time-limited credentials, too.
pub(crate) fn rest_settings() -> Settings {
    Settings { secrets: vec![Secret(SECRET.to_vec())], ..settings() }
}

pub(crate) fn ann() -> Client {
    Client::new("198.51.100.1:4001", "ann", "pass of ann")
}

pub(crate) fn bob() -> Client {
    Client::new("198.51.100.2:4002", "bob", "pass of bob")
}

/// A user whose credentials are good for so long.
pub(crate) fn guest(name: &str, address: &str, good_for_s: u64) -> Client {
    let username = format!("{}:{name}", START_UNIX_S + good_for_s);
    Client::new(address, &username, &rest_password(SECRET, &username))
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        let now = Now { instant: Instant::now(), unix_s: START_UNIX_S };
        let server = Server::new(Arc::new(settings), NonceKeys::from_key(&[7; 32]), now);
        Self { server, host: ToyHost::default(), now }
    }

    /// Time goes on without anybody looking at the clock.
    pub(crate) fn skip(&mut self, seconds: u64) {
        self.now.instant += Duration::from_secs(seconds);
        self.now.unix_s += seconds;
    }

    /// Time goes on, and the server is woken whenever it has asked for it.
    pub(crate) fn pass(&mut self, seconds: u64) {
        let start = self.now;
        let end = start.instant + Duration::from_secs(seconds);
        while let Some(at) = self.server.poll_timeout().filter(|at| *at <= end) {
            assert!(at > self.now.instant || self.now.instant == start.instant, "asked twice for the same moment");
            self.now.instant = at.max(self.now.instant);
            self.now.unix_s = start.unix_s + (self.now.instant - start.instant).as_secs();
            self.server.handle_timeout(self.now, &mut self.host);
        }
        self.now = Now { instant: end, unix_s: start.unix_s + seconds };
    }

    pub(crate) fn send(&mut self, tuple: FiveTuple, message: &[u8]) -> Came {
        let mut reply = b"left over from before".to_vec();
        match self.server.handle_message(self.now, tuple, message, &mut self.host, &mut reply) {
            Outcome::Silence => Came::Nothing,
            Outcome::Reply => Came::Answer(Answer(reply)),
            Outcome::Ask(question) => Came::Question(question),
            Outcome::ReplyFrom(from) => Came::AnswerFrom(from.to_string(), Answer(reply)),
            Outcome::Join(connection) => Came::Joined(connection, Answer(reply)),
            Outcome::HandOver { shard } => Came::HandOver(shard),
            Outcome::Forward { allocation, relay, peer, data, dont_fragment } => Came::Forward {
                allocation,
                relay: relay.0,
                peer: peer.to_string(),
                data: message[data].to_vec(),
                dont_fragment,
            },
        }
    }

    pub(crate) fn answer(&mut self, tuple: FiveTuple, message: &[u8]) -> Answer {
        match self.send(tuple, message) {
            Came::Answer(answer) => answer,
            other => panic!("no answer but {other:?}"),
        }
    }

    /// As clients do it: ask without credentials, and learn realm and nonce.
    pub(crate) fn introduce(&mut self, client: &mut Client) {
        let message = client.bare(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]);
        let challenge = self.answer(client.tuple, &message);
        assert_eq!((challenge.code(), challenge.is_sealed()), (401, false));
        learn(client, &challenge);
    }

    /// A request with credentials. Whatever the answer says, it is sealed for this client.
    pub(crate) fn request(&mut self, client: &mut Client, method: Method, attributes: &[Attribute]) -> Answer {
        if client.nonce.is_empty() {
            // The attributes may hide an address by the number of the next transaction: take none for this.
            self.introduce(client);
        }
        let message = client.sealed(method, attributes);
        let answer = self.answer(client.tuple, &message);
        answer.assert_is_for(client);
        answer
    }

    pub(crate) fn allocate_with(&mut self, client: &mut Client, attributes: &[Attribute]) -> Answer {
        let attributes = [&[(UDP.0, UDP.1.to_vec())], attributes].concat();
        self.request(client, Method::ALLOCATE, &attributes)
    }

    pub(crate) fn allocate(&mut self, client: &mut Client) -> AllocationId {
        let answer = self.allocate_with(client, &[]);
        assert_eq!(answer.code(), 200);
        self.server.find(&client.tuple).unwrap()
    }

    pub(crate) fn refresh(&mut self, client: &mut Client, lifetime_s: u32) -> Answer {
        self.request(client, Method::REFRESH, &[(kind::LIFETIME, lifetime_s.to_be_bytes().to_vec())])
    }

    pub(crate) fn permit(&mut self, client: &mut Client, peers: &[&str]) -> u16 {
        let attributes = client.peers(peers);
        self.request(client, Method::CREATE_PERMISSION, &attributes).code()
    }

    pub(crate) fn bind(&mut self, client: &mut Client, number: u16, peer: &str) -> u16 {
        let channel = (kind::CHANNEL_NUMBER, (u32::from(number) << 16).to_be_bytes().to_vec());
        let attributes = [vec![channel], client.peers(&[peer])].concat();
        self.request(client, Method::CHANNEL_BIND, &attributes).code()
    }

    pub(crate) fn decide(&mut self, question: QuestionId, verdict: Verdict) -> Option<(FiveTuple, Answer)> {
        let mut reply = Vec::new();
        let tuple = self.server.decide(self.now, question, verdict, &mut self.host, &mut reply)?;
        Some((tuple, Answer(reply)))
    }

    /// What clients are told besides answers to the message in work.
    pub(crate) fn messages(&mut self) -> Vec<(FiveTuple, Answer)> {
        std::iter::from_fn(|| self.server.poll_message()).map(|(tuple, message)| (tuple, Answer(message))).collect()
    }

    pub(crate) fn events(&mut self) -> Vec<TurnEvent> {
        std::iter::from_fn(|| self.server.poll_event()).collect()
    }

    pub(crate) fn reload(&mut self, settings: Settings) {
        self.server.reload(Arc::new(settings));
    }

    pub(crate) fn count(&self) -> u64 {
        self.server.counters().allocations
    }
}

pub(crate) fn learn(client: &mut Client, challenge: &Answer) {
    client.realm = String::from_utf8(challenge.value(kind::REALM).unwrap().to_vec()).unwrap();
    client.nonce = challenge.value(kind::NONCE).unwrap().to_vec();
    client.offered = challenge.value(kind::PASSWORD_ALGORITHMS).map(<[u8]>::to_vec);
}
