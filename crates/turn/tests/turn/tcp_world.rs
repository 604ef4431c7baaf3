//! Clients of TCP relays (RFC 6062), and what tests do with them again and again.

use peerline_turn::{AllocationId, ConnectionId, Settings, Transport};
use peerline_wire::stun::{Class, Method, kind};

use crate::answer::Answer;
use crate::client::Client;
use crate::draft::Attribute;
use crate::world::{Came, World, ann, bob, settings};

pub(crate) const TCP: (u16, [u8; 4]) = (kind::REQUESTED_TRANSPORT, [6, 0, 0, 0]);
pub(crate) const PEER_IP: &str = "8.8.8.8";

pub(crate) fn tcp_settings() -> Settings {
    Settings { tcp_relays: true, ..settings() }
}

/// The same over another transport.
pub(crate) fn over(transport: Transport, mut client: Client) -> Client {
    client.tuple.transport = transport;
    client
}

pub(crate) fn tcp_ann() -> Client {
    over(Transport::Tcp, ann())
}

pub(crate) fn tcp_bob() -> Client {
    over(Transport::Tls, bob())
}

/// Another connection of the same user, which has not said anything yet.
pub(crate) fn another(client: &Client, port: u16) -> Client {
    let mut other = Client { nonce: Vec::new(), ..client.clone() };
    other.tuple.client.set_port(port);
    other
}

impl World {
    pub(crate) fn allocate_tcp_with(&mut self, client: &mut Client, attributes: &[Attribute]) -> Answer {
        let attributes = [&[(TCP.0, TCP.1.to_vec())], attributes].concat();
        self.request(client, Method::ALLOCATE, &attributes)
    }

    pub(crate) fn allocate_tcp(&mut self, client: &mut Client) -> AllocationId {
        assert_eq!(self.allocate_tcp_with(client, &[]).code(), 200);
        self.server.find(&client.tuple).unwrap()
    }

    /// What comes at once of a Connect: nothing if it is in work.
    pub(crate) fn connect(&mut self, client: &mut Client, peer: &str) -> Came {
        let attributes = client.peers(&[peer]);
        let message = client.sealed(Method::CONNECT, &attributes);
        self.send(client.tuple, &message)
    }

    pub(crate) fn refusal(&mut self, client: &mut Client, peer: &str) -> u16 {
        match self.connect(client, peer) {
            Came::Answer(answer) => {
                answer.assert_is_for(client);
                answer.code()
            }
            other => panic!("no refusal but {other:?}"),
        }
    }

    /// The host's name of the connection that a Connect has begun.
    pub(crate) fn begin(&mut self, client: &mut Client, peer: &str) -> ConnectionId {
        let before: Vec<ConnectionId> = self.host.connections.keys().copied().collect();
        assert_eq!(self.connect(client, peer), Came::Nothing);
        let begun: Vec<_> = self.host.connections.iter().filter(|(id, _)| !before.contains(id)).collect();
        let [(id, (_, to))] = begun[..] else { panic!("{begun:?}") };
        assert_eq!(to.to_string(), peer);
        *id
    }

    /// The one message that a client is told now.
    pub(crate) fn told(&mut self, client: &Client) -> Answer {
        let mut messages = self.messages();
        assert_eq!(messages.len(), 1, "{messages:?}");
        let (tuple, message) = messages.remove(0);
        assert_eq!(tuple, client.tuple);
        if message.message().class != Class::Indication {
            message.assert_is_for(client);
        }
        message
    }

    /// A connection to this peer which waits for its client.
    pub(crate) fn connected(&mut self, client: &mut Client, peer: &str) -> ConnectionId {
        let id = self.begin(client, peer);
        self.server.peer_connected(self.now, id);
        let answer = self.told(client);
        assert_eq!((answer.code(), answer.number(kind::CONNECTION_ID)), (200, Some(id.0)));
        id
    }

    /// A peer connects to the only relay of this allocation; the host keeps the connection if it is to.
    pub(crate) fn come(&mut self, allocation: AllocationId, peer: &str) -> Option<ConnectionId> {
        let (number, _) = self.host.open.iter().find(|(_, socket)| socket.owner == Some(allocation)).unwrap();
        let (relay, peer) = (peerline_turn::RelayId(*number), peer.parse().unwrap());
        let id = self.server.peer_came(self.now, allocation, relay, peer, &mut self.host)?;
        assert_eq!(self.host.connections.insert(id, (relay, peer)), None);
        Some(id)
    }

    pub(crate) fn bind_connection(&mut self, client: &mut Client, id: ConnectionId) -> Came {
        if client.nonce.is_empty() {
            self.introduce(client);
        }
        let message = client.sealed(Method::CONNECTION_BIND, &[(kind::CONNECTION_ID, id.0.to_be_bytes().to_vec())]);
        self.send(client.tuple, &message)
    }

    /// The connection ends by itself.
    pub(crate) fn end(&mut self, id: ConnectionId) {
        self.host.connections.remove(&id).unwrap();
        self.server.peer_gone(self.now, id);
    }
}
