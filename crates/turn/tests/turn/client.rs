//! A TURN client as far as its messages go (RFC 8489 §9.2, RFC 8656).

use std::net::SocketAddr;

use aws_lc_rs::digest;
use md5::{Digest, Md5};
use peerline_turn::{FiveTuple, Transport};
use peerline_wire::stun::{Method, TransactionId, encode_xor_address, kind};

use crate::draft::{Attribute, Draft, INDICATION};

pub(crate) const SERVER: &str = "192.0.2.1:3478";
pub(crate) const UDP: (u16, [u8; 4]) = (kind::REQUESTED_TRANSPORT, [17, 0, 0, 0]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Password {
    Md5,
    Sha256,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integrity {
    Sha1,
    Sha256,
}

#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) tuple: FiveTuple,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) password_algorithm: Password,
    pub(crate) integrity: Integrity,
    /// USERHASH instead of USERNAME.
    pub(crate) is_anonymous: bool,
    pub(crate) has_fingerprint: bool,
    /// What the server has said, once it has.
    pub(crate) realm: String,
    pub(crate) nonce: Vec<u8>,
    /// PASSWORD-ALGORITHMS; a client of RFC 5389 does not look at it.
    pub(crate) offered: Option<Vec<u8>>,
    pub(crate) transactions: u32,
}

impl Client {
    pub(crate) fn new(address: &str, username: &str, password: &str) -> Self {
        let (client, server) = (address.parse().unwrap(), SERVER.parse().unwrap());
        Self {
            tuple: FiveTuple { transport: Transport::Udp, client, server },
            username: username.to_owned(),
            password: password.to_owned(),
            password_algorithm: Password::Md5,
            integrity: Integrity::Sha1,
            is_anonymous: false,
            has_fingerprint: false,
            realm: String::new(),
            nonce: Vec::new(),
            offered: None,
            transactions: 0,
        }
    }

    /// A client of RFC 8489 that takes the strongest of everything.
    pub(crate) fn modern(self) -> Self {
        Self { password_algorithm: Password::Sha256, integrity: Integrity::Sha256, ..self }
    }

    pub(crate) fn is_modern(&self) -> bool {
        self.password_algorithm == Password::Sha256
    }

    pub(crate) fn new_transaction(&mut self) -> [u8; 12] {
        self.transactions += 1;
        let mut transaction = [0xa5; 12];
        transaction[..4].copy_from_slice(&self.transactions.to_be_bytes());
        transaction[4..6].copy_from_slice(&self.tuple.client.port().to_be_bytes());
        transaction
    }

    /// RFC 8489 §9.2.2, §18.5
    pub(crate) fn key(&self) -> Vec<u8> {
        let text = format!("{}:{}:{}", self.username, self.realm, self.password);
        match self.password_algorithm {
            Password::Md5 => Md5::digest(text).to_vec(),
            Password::Sha256 => digest::digest(&digest::SHA256, text.as_bytes()).as_ref().to_vec(),
        }
    }

    /// A request without credentials.
    pub(crate) fn bare(&mut self, method: Method, attributes: &[Attribute]) -> Vec<u8> {
        self.finish(Draft::request(method, self.clone().new_transaction()).with_all(attributes))
    }

    /// A request with credentials, up to its seal.
    pub(crate) fn signed(&mut self, method: Method, attributes: &[Attribute]) -> Draft {
        let transaction = self.new_transaction();
        self.signed_as(method, transaction, attributes)
    }

    pub(crate) fn signed_as(&self, method: Method, transaction: [u8; 12], attributes: &[Attribute]) -> Draft {
        let name = if self.is_anonymous {
            (kind::USERHASH, self.user_hash())
        } else {
            (kind::USERNAME, self.username.clone().into())
        };
        let draft = Draft::request(method, transaction)
            .with_all(attributes)
            .with(name.0, name.1)
            .with(kind::REALM, &self.realm)
            .with(kind::NONCE, &self.nonce);
        let Some(offered) = self.offered.as_ref().filter(|_| self.is_modern()) else { return draft };
        draft.with(kind::PASSWORD_ALGORITHMS, offered).with(kind::PASSWORD_ALGORITHM, [0, 2, 0, 0])
    }

    /// A request that the server will accept.
    pub(crate) fn sealed(&mut self, method: Method, attributes: &[Attribute]) -> Vec<u8> {
        let draft = self.signed(method, attributes);
        self.seal(draft)
    }

    pub(crate) fn seal(&self, draft: Draft) -> Vec<u8> {
        let sealed = match self.integrity {
            Integrity::Sha1 => draft.seal_sha1(&self.key()),
            Integrity::Sha256 => draft.seal_sha256(&self.key()),
        };
        self.finish(sealed)
    }

    pub(crate) fn send_indication(&mut self, peer: &str, data: &[u8]) -> Vec<u8> {
        let draft = Draft::new(INDICATION, Method::SEND, self.new_transaction());
        let transaction = TransactionId(self.last_transaction());
        self.finish(draft.with(kind::XOR_PEER_ADDRESS, xor(peer, transaction)).with(kind::DATA, data))
    }

    /// XOR-PEER-ADDRESS attributes for the next request. Those of IPv6 depend on its transaction.
    pub(crate) fn peers(&self, peers: &[&str]) -> Vec<Attribute> {
        let transaction = TransactionId(self.clone().new_transaction());
        peers.iter().map(|peer| (kind::XOR_PEER_ADDRESS, xor(peer, transaction))).collect()
    }

    fn last_transaction(&self) -> [u8; 12] {
        Self { transactions: self.transactions - 1, ..self.clone() }.new_transaction()
    }

    fn user_hash(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, format!("{}:{}", self.username, self.realm).as_bytes()).as_ref().to_vec()
    }

    fn finish(&self, draft: Draft) -> Vec<u8> {
        if self.has_fingerprint { draft.fingerprint().bytes() } else { draft.bytes() }
    }
}

fn xor(peer: &str, transaction: TransactionId) -> Vec<u8> {
    let (value, len) = encode_xor_address(peer.parse::<SocketAddr>().unwrap(), transaction);
    value[..len].to_vec()
}
