//! One UDP port for many connections (single-port mode): whose is a datagram?
//!
//! A STUN request names its connection (the user fragment before the colon of USERNAME, RFC 8445 §7.2.2); a STUN response
//! belongs to who asked; everything else comes from where a request of that connection has come from, with its password.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use peerline_wire::demux::Protocol;
use peerline_wire::stun::{Class, Message, kind};

use crate::handle::Handle;
use crate::udp::bind;

/// Of the poll's tokens, those of such ports; services have slots below.
const SLOT: usize = (1 << 31) - 1;
const SLOT_SHIFT: u32 = 32;
/// Requests whose answers are awaited; older ones are answered in vain.
const MAX_ASKED: usize = 8192;
/// Addresses of one connection; a peer cannot make us keep more.
const MAX_REMOTES: usize = 64;

/// Those of one shard.
#[derive(Debug, Default)]
pub(crate) struct Ports(Vec<Option<Port>>);

#[derive(Debug)]
struct Port {
    socket: Rc<UdpSocket>,
    address: SocketAddr,
    members: HashMap<Handle, Member>,
    by_ufrag: HashMap<String, Handle>,
    by_remote: HashMap<SocketAddr, Handle>,
    asked: HashMap<[u8; 12], Handle>,
    asked_in_order: VecDeque<[u8; 12]>,
}

#[derive(Debug, Default)]
struct Member {
    ufrags: VecDeque<String>,
    remotes: Vec<SocketAddr>,
}

impl Ports {
    /// The socket of this port, for one connection more; the first one opens it.
    pub(crate) fn join(
        &mut self,
        registry: &Registry,
        ip: IpAddr,
        port: u16,
        handle: Handle,
    ) -> io::Result<(Rc<UdpSocket>, SocketAddr)> {
        let address = SocketAddr::new(ip, port);
        let at = match self.0.iter().position(|known| known.as_ref().is_some_and(|known| known.address == address)) {
            Some(at) => at,
            None => {
                let mut socket = bind(address)?;
                let at = self.0.iter().position(Option::is_none).unwrap_or_else(|| {
                    self.0.push(None);
                    self.0.len() - 1
                });
                registry.register(&mut socket, Token(SLOT << SLOT_SHIFT | at), Interest::READABLE)?;
                self.0[at] = Some(Port::new(socket, address));
                at
            }
        };
        let port = self.0[at].as_mut().expect("it was just made or found");
        port.members.entry(handle).or_default();
        Ok((port.socket.clone(), address))
    }

    /// The connection is known by this name, and still by the one before it.
    pub(crate) fn name(&mut self, handle: Handle, ufrag: &str) {
        for port in self.0.iter_mut().flatten() {
            let Some(member) = port.members.get_mut(&handle) else { continue };
            if member.ufrags.back().is_some_and(|known| known == ufrag) {
                continue;
            }
            member.ufrags.push_back(ufrag.to_owned());
            port.by_ufrag.insert(ufrag.to_owned(), handle);
            if member.ufrags.len() > 2
                && let Some(old) = member.ufrags.pop_front()
                && !member.ufrags.contains(&old)
            {
                port.by_ufrag.remove(&old);
            }
        }
    }

    /// The connection sends this: if it asks, the answer is its own.
    pub(crate) fn sends(&mut self, local: SocketAddr, handle: Handle, datagram: &[u8]) {
        if Protocol::of(datagram) != Protocol::Stun || datagram.len() < 20 || datagram[0] & 1 != 0 {
            return;
        }
        let Some(port) = self.at(local) else { return };
        let Ok(transaction) = <[u8; 12]>::try_from(&datagram[8..20]) else { return };
        if port.asked.insert(transaction, handle).is_none() {
            port.asked_in_order.push_back(transaction);
        }
        if port.asked_in_order.len() > MAX_ASKED
            && let Some(oldest) = port.asked_in_order.pop_front()
        {
            port.asked.remove(&oldest);
        }
    }

    /// What this address sends is the connection's: it has said so with its password.
    pub(crate) fn is_at(&mut self, local: SocketAddr, handle: Handle, remote: SocketAddr) {
        let Some(port) = self.at(local) else { return };
        if port.by_remote.get(&remote) == Some(&handle) {
            return;
        }
        let Some(member) = port.members.get_mut(&handle) else { return };
        if member.remotes.len() < MAX_REMOTES {
            member.remotes.push(remote);
            port.by_remote.insert(remote, handle);
        }
    }

    /// The connection is gone. The last one closes the sockets.
    pub(crate) fn leave(&mut self, registry: &Registry, handle: Handle) {
        for slot in &mut self.0 {
            let Some(port) = slot else { continue };
            let Some(member) = port.members.remove(&handle) else { continue };
            for ufrag in member.ufrags {
                port.by_ufrag.remove(&ufrag);
            }
            for remote in member.remotes {
                // It may be somebody else's meanwhile.
                if port.by_remote.get(&remote) == Some(&handle) {
                    port.by_remote.remove(&remote);
                }
            }
            if !port.members.is_empty() {
                continue;
            }
            let Some(Port { mut socket, .. }) = slot.take() else { continue };
            // Whoever left has dropped its own reference.
            if let Some(socket) = Rc::get_mut(&mut socket) {
                let _ = registry.deregister(socket);
            }
        }
    }

    /// Which port a token of the poll means.
    pub(crate) fn of_token(token: Token) -> Option<usize> {
        (token.0 >> SLOT_SHIFT == SLOT).then_some(token.0 & u32::MAX as usize)
    }

    pub(crate) fn socket(&self, at: usize) -> Option<(Rc<UdpSocket>, SocketAddr)> {
        self.0.get(at)?.as_ref().map(|port| (port.socket.clone(), port.address))
    }

    /// Whose this datagram is; `None`: nobody's.
    pub(crate) fn owner(&self, at: usize, remote: SocketAddr, datagram: &[u8]) -> Option<Handle> {
        self.0.get(at)?.as_ref()?.owner(remote, datagram)
    }

    fn at(&mut self, local: SocketAddr) -> Option<&mut Port> {
        self.0.iter_mut().flatten().find(|port| port.address == local)
    }
}

impl Port {
    fn new(socket: UdpSocket, address: SocketAddr) -> Self {
        Self {
            socket: Rc::new(socket),
            address,
            members: HashMap::new(),
            by_ufrag: HashMap::new(),
            by_remote: HashMap::new(),
            asked: HashMap::new(),
            asked_in_order: VecDeque::new(),
        }
    }

    fn owner(&self, remote: SocketAddr, datagram: &[u8]) -> Option<Handle> {
        if Protocol::of(datagram) == Protocol::Stun {
            let message = Message::parse(datagram).ok()?;
            if matches!(message.class, Class::Success | Class::Error) {
                return self.asked.get(&datagram[8..20]).copied();
            }
            if let Some(username) = message.attribute(kind::USERNAME) {
                let ufrag = username.value.split(|byte| *byte == b':').next()?;
                return self.by_ufrag.get(std::str::from_utf8(ufrag).ok()?).copied();
            }
        }
        self.by_remote.get(&remote).copied()
    }
}

#[cfg(test)]
mod tests {
    use mio::Poll;
    use peerline_wire::stun::{MessageWriter, Method, TransactionId};

    use super::*;

    const REMOTE: &str = "192.0.2.1:1000";

    fn handle(slot: usize) -> Handle {
        Handle::new(0, slot, 1)
    }

    fn stun(class: Class, transaction: [u8; 12], username: Option<&[u8]>) -> Vec<u8> {
        let mut buffer = [0; 200];
        let mut writer = MessageWriter::new(&mut buffer, class, Method::BINDING, TransactionId(transaction)).unwrap();
        if let Some(username) = username {
            writer.attribute(kind::USERNAME, username).unwrap();
        }
        let len = writer.finish();
        buffer[..len].to_vec()
    }

    /// Two connections on one port of this machine, with the names "ann" and "bob".
    fn two() -> (Poll, Ports, SocketAddr) {
        let poll = Poll::new().unwrap();
        let mut ports = Ports::default();
        let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for (slot, ufrag) in [(1, "ann"), (2, "bob")] {
            ports.join(poll.registry(), free.ip(), free.port(), handle(slot)).unwrap();
            ports.name(handle(slot), ufrag);
        }
        (poll, ports, free)
    }

    #[test]
    fn a_request_names_its_connection_and_data_comes_from_where_one_was_proven() {
        let (_poll, mut ports, local) = two();
        let remote = REMOTE.parse().unwrap();
        let asks = |name: &[u8]| stun(Class::Request, [7; 12], Some(name));
        assert_eq!(ports.owner(0, remote, &asks(b"bob:them")), Some(handle(2)));
        assert_eq!(ports.owner(0, remote, &asks(b"eve:them")), None);
        assert_eq!(ports.owner(0, remote, &asks(b"\xff:them")), None);
        assert_eq!(ports.owner(0, remote, &stun(Class::Request, [7; 12], None)), None);
        let dtls = [22, 254, 253];
        assert_eq!(ports.owner(0, remote, &dtls), None, "a request alone proves nothing");
        ports.is_at(local, handle(2), remote);
        assert_eq!(ports.owner(0, remote, &dtls), Some(handle(2)));
        assert_eq!(ports.owner(0, remote, &[]), Some(handle(2)));
        assert_eq!(ports.owner(0, "192.0.2.1:1001".parse().unwrap(), &dtls), None);
        ports.is_at(local, handle(1), remote);
        assert_eq!(ports.owner(0, remote, &dtls), Some(handle(1)), "a NAT may give a port to another");
    }

    #[test]
    fn an_answer_belongs_to_who_asked() {
        let (_poll, mut ports, local) = two();
        let remote = REMOTE.parse().unwrap();
        ports.sends(local, handle(1), &stun(Class::Request, [1; 12], None));
        ports.sends(local, handle(2), &stun(Class::Request, [2; 12], None));
        ports.sends(local, handle(2), &stun(Class::Success, [1; 12], None));
        for (transaction, owner) in [(1, Some(handle(1))), (2, Some(handle(2))), (3, None)] {
            for class in [Class::Success, Class::Error] {
                assert_eq!(ports.owner(0, remote, &stun(class, [transaction; 12], None)), owner);
            }
        }
        for number in 0..2 * MAX_ASKED as u32 {
            let mut transaction = [9; 12];
            transaction[..4].copy_from_slice(&number.to_be_bytes());
            ports.sends(local, handle(1), &stun(Class::Request, transaction, None));
        }
        assert_eq!(ports.0[0].as_ref().unwrap().asked.len(), MAX_ASKED);
    }

    #[test]
    fn a_restart_has_two_names_and_who_leaves_none() {
        let (poll, mut ports, local) = two();
        let remote: SocketAddr = REMOTE.parse().unwrap();
        let owner =
            |ports: &Ports, name: &str| ports.owner(0, remote, &stun(Class::Request, [0; 12], Some(name.as_bytes())));
        ports.name(handle(1), "anna");
        assert_eq!((owner(&ports, "ann:x"), owner(&ports, "anna:x")), (Some(handle(1)), Some(handle(1))));
        ports.name(handle(1), "anne");
        assert_eq!((owner(&ports, "ann:x"), owner(&ports, "anne:x")), (None, Some(handle(1))));
        ports.is_at(local, handle(1), remote);
        ports.leave(poll.registry(), handle(1));
        assert_eq!((owner(&ports, "anne:x"), ports.owner(0, remote, b"\x16")), (None, None));
        assert!(std::net::UdpSocket::bind(local).is_err(), "bob is still there");
        ports.leave(poll.registry(), handle(2));
        assert!(std::net::UdpSocket::bind(local).is_ok());
    }

    #[test]
    fn a_peer_that_proves_itself_from_everywhere_fills_no_memory() {
        let (_poll, mut ports, local) = two();
        for port in 1..1000 {
            ports.is_at(local, handle(1), SocketAddr::new([192, 0, 2, 1].into(), port));
        }
        assert_eq!(ports.0[0].as_ref().unwrap().by_remote.len(), MAX_REMOTES);
    }
}
