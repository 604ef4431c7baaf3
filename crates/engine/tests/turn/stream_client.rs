//! A TURN client over TCP, with relays for TCP (RFC 6062).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use peerline_wire::stun::{Class, Method, kind};

use crate::answer::Answer;
use crate::client::{Client, UDP};
use crate::draft::Attribute;
use crate::place::{PATIENCE, Place};
use crate::udp_client::{learn, named};

pub(crate) struct StreamClient {
    pub(crate) socket: TcpStream,
    pub(crate) client: Client,
}

impl StreamClient {
    pub(crate) fn new(place: &Place, name: &str) -> Self {
        let socket = TcpStream::connect(place.tcp).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, client: named(name) }
    }

    /// The next message of the server, nothing that follows it.
    pub(crate) fn receive(&mut self) -> Answer {
        let mut bytes = vec![0; 20];
        self.socket.read_exact(&mut bytes).expect("a message comes in time");
        let len = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        bytes.resize(20 + len, 0);
        self.socket.read_exact(&mut bytes[20..]).unwrap();
        Answer(bytes)
    }

    pub(crate) fn introduce(&mut self) {
        if self.client.nonce.is_empty() {
            let message = self.client.bare(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]);
            self.socket.write_all(&message).unwrap();
            let challenge = self.receive();
            learn(&mut self.client, &challenge);
        }
    }

    pub(crate) fn request(&mut self, method: Method, attributes: &[Attribute]) -> Answer {
        self.introduce();
        let message = self.client.sealed(method, attributes);
        self.socket.write_all(&message).unwrap();
        let answer = self.receive();
        answer.assert_is_for(&self.client);
        assert_eq!(answer.message().method, method);
        answer
    }

    pub(crate) fn allocate_tcp(&mut self) -> SocketAddr {
        let answer = self.request(Method::ALLOCATE, &[(kind::REQUESTED_TRANSPORT, vec![6, 0, 0, 0])]);
        assert_eq!(answer.code(), 200);
        answer.address(kind::XOR_RELAYED_ADDRESS).unwrap()
    }

    pub(crate) fn permit(&mut self, peer: SocketAddr) {
        let attributes = self.client.peers(&[&peer.to_string()]);
        assert_eq!(self.request(Method::CREATE_PERMISSION, &attributes).code(), 200);
    }

    pub(crate) fn connect(&mut self, peer: SocketAddr) -> Answer {
        let attributes = self.client.peers(&[&peer.to_string()]);
        self.request(Method::CONNECT, &attributes)
    }

    /// What the server says when a peer has come: its address, and the number of its connection.
    pub(crate) fn attempt(&mut self) -> (SocketAddr, u32) {
        let attempt = self.receive();
        let message = attempt.message();
        assert_eq!((message.class, message.method), (Class::Indication, Method::CONNECTION_ATTEMPT));
        (attempt.address(kind::XOR_PEER_ADDRESS).unwrap(), attempt.number(kind::CONNECTION_ID).unwrap())
    }

    /// A new connection that is joined with this one of a peer.
    pub(crate) fn join(&self, place: &Place, connection: u32) -> TcpStream {
        let mut data = Self::new(place, &self.client.username);
        let answer = data.bind(connection);
        assert_eq!(answer.code(), 200);
        data.socket
    }

    /// ConnectionBind as clients do it: without credentials first, for a nonce of its own.
    pub(crate) fn bind(&mut self, connection: u32) -> Answer {
        let id = (kind::CONNECTION_ID, connection.to_be_bytes().to_vec());
        let message = self.client.bare(Method::CONNECTION_BIND, std::slice::from_ref(&id));
        self.socket.write_all(&message).unwrap();
        let challenge = self.receive();
        learn(&mut self.client, &challenge);
        self.request(Method::CONNECTION_BIND, &[id])
    }
}
