//! A TURN client over UDP, as far as these tests need one.

use std::net::{SocketAddr, UdpSocket};

use peerline_wire::stun::{Class, Message, Method, TransactionId, decode_xor_address, encode_xor_address, kind};

use crate::answer::Answer;
use crate::client::{Client, UDP};
use crate::draft::{Attribute, Draft, INDICATION};
use crate::place::{Place, udp_socket};

pub(crate) struct UdpClient {
    pub(crate) socket: UdpSocket,
    pub(crate) client: Client,
}

pub(crate) fn named(name: &str) -> Client {
    Client::new("127.0.0.1:1", name, &format!("pass of {name}"))
}

pub(crate) fn learn(client: &mut Client, challenge: &Answer) {
    assert_eq!(challenge.code(), 401);
    client.realm = String::from_utf8(challenge.value(kind::REALM).unwrap().to_vec()).unwrap();
    client.nonce = challenge.value(kind::NONCE).unwrap().to_vec();
}

pub(crate) fn lifetime(seconds: u32) -> Attribute {
    (kind::LIFETIME, seconds.to_be_bytes().to_vec())
}

impl UdpClient {
    pub(crate) fn new(place: &Place, name: &str) -> Self {
        let socket = udp_socket("127.0.0.1:0");
        socket.connect(place.udp).unwrap();
        Self { socket, client: named(name) }
    }

    pub(crate) fn receive(&self) -> Vec<u8> {
        let mut buffer = vec![0; 65_536];
        let len = self.socket.recv(&mut buffer).expect("something comes in time");
        buffer.truncate(len);
        buffer
    }

    /// The answer; data that comes in between is lost.
    fn exchange(&self, message: &[u8]) -> Answer {
        self.socket.send(message).unwrap();
        loop {
            let bytes = self.receive();
            if Message::parse(&bytes).is_ok_and(|found| found.transaction.0 == message[8..20]) {
                return Answer(bytes);
            }
        }
    }

    pub(crate) fn request(&mut self, method: Method, attributes: &[Attribute]) -> Answer {
        if self.client.nonce.is_empty() {
            let message = self.client.bare(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]);
            let challenge = self.exchange(&message);
            learn(&mut self.client, &challenge);
        }
        let message = self.client.sealed(method, attributes);
        let answer = self.exchange(&message);
        answer.assert_is_for(&self.client);
        answer
    }

    pub(crate) fn try_allocate(&mut self, attributes: &[Attribute]) -> Answer {
        let attributes = [&[(UDP.0, UDP.1.to_vec())], attributes].concat();
        self.request(Method::ALLOCATE, &attributes)
    }

    /// Its relayed address.
    pub(crate) fn allocate(&mut self) -> SocketAddr {
        let answer = self.try_allocate(&[]);
        assert_eq!(answer.code(), 200);
        answer.address(kind::XOR_RELAYED_ADDRESS).unwrap()
    }

    pub(crate) fn permit(&mut self, peer: SocketAddr) {
        // The request before it teaches the nonce, so that the address is hidden by the number it is sent with.
        let attributes = self.client.peers(&[&peer.to_string()]);
        assert_eq!(self.request(Method::CREATE_PERMISSION, &attributes).code(), 200);
    }

    pub(crate) fn bind(&mut self, number: u16, peer: SocketAddr) {
        let channel = (kind::CHANNEL_NUMBER, (u32::from(number) << 16).to_be_bytes().to_vec());
        let attributes = [vec![channel], self.client.peers(&[&peer.to_string()])].concat();
        assert_eq!(self.request(Method::CHANNEL_BIND, &attributes).code(), 200);
    }

    pub(crate) fn send_on(&self, number: u16, data: &[u8]) {
        self.socket.send(&channel_data(number, data)).unwrap();
    }

    pub(crate) fn send_to(&mut self, peer: SocketAddr, data: &[u8]) {
        let message = send_indication(&mut self.client, peer, data, false);
        self.socket.send(&message).unwrap();
    }
}

pub(crate) fn channel_data(number: u16, data: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes(), &(data.len() as u16).to_be_bytes(), data].concat()
}

pub(crate) fn send_indication(client: &mut Client, peer: SocketAddr, data: &[u8], is_whole: bool) -> Vec<u8> {
    let transaction = client.new_transaction();
    let (value, len) = encode_xor_address(peer, TransactionId(transaction));
    let mut draft = Draft::new(INDICATION, Method::SEND, transaction).with(kind::XOR_PEER_ADDRESS, &value[..len]);
    if is_whole {
        draft = draft.with(kind::DONT_FRAGMENT, []);
    }
    draft.with(kind::DATA, data).bytes()
}

/// From whom a Data indication is, and what it holds.
pub(crate) fn data_of(bytes: &[u8]) -> (SocketAddr, Vec<u8>) {
    let message = Message::parse(bytes).unwrap();
    assert_eq!((message.class, message.method), (Class::Indication, Method::DATA));
    let peer = decode_xor_address(message.attribute(kind::XOR_PEER_ADDRESS).unwrap().value, message.transaction);
    (peer.unwrap(), message.attribute(kind::DATA).unwrap().value.to_vec())
}
