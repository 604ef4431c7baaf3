//! Behaviour discovery (RFC 5780 §6): two addresses with two ports each, and Binding answers that leave from another one
//! than was asked, so that a client learns what its NAT does.
//!
//! Not served are RESPONSE-PORT, by which one would be answered at a port that has not asked, and PADDING: both are 420.

use std::net::{IpAddr, SocketAddr};

use peerline_wire::stun::binding::BindingRequest;
use peerline_wire::stun::{BufferFull, MessageWriter, kind};

use crate::tuple::{FiveTuple, Transport};

const CHANGE_IP: u32 = 0x04;
const CHANGE_PORT: u32 = 0x02;

/// The four addresses of one family: each of the two with each of the ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discovery {
    pub ips: [OwnIp; 2],
    pub ports: [u16; 2],
}

/// One of the server's addresses, as itself knows it and as clients do: another one behind a one-to-one NAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnIp {
    pub bind: IpAddr,
    pub advertise: IpAddr,
}

impl From<IpAddr> for OwnIp {
    fn from(ip: IpAddr) -> Self {
        Self { bind: ip, advertise: ip }
    }
}

/// Where a request has come in, and from where its answer leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ways {
    /// As the sockets are bound.
    pub(crate) from: SocketAddr,
    /// The same as clients know it.
    origin: SocketAddr,
    /// Where neither address nor port are those that were asked.
    other: SocketAddr,
    /// Of the one who asked.
    source: SocketAddr,
}

/// CHANGE-REQUEST is not four bytes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadChange;

impl Discovery {
    /// `None`: this request did not come to one of the four, or came over a connection.
    pub(crate) fn ways(
        all: &[Self],
        tuple: &FiveTuple,
        request: &BindingRequest<'_>,
    ) -> Option<Result<Ways, BadChange>> {
        if tuple.transport != Transport::Udp {
            return None;
        }
        let place = |discovery: &Self| {
            let ip = discovery.ips.iter().position(|ip| ip.bind == tuple.server.ip())?;
            let port = discovery.ports.iter().position(|port| *port == tuple.server.port())?;
            Some((*discovery, ip, port))
        };
        let (Self { ips, ports }, ip, port) = all.iter().find_map(place)?;
        let flags = match request.attribute(kind::CHANGE_REQUEST).map(|change| change.value.try_into()) {
            None => 0,
            Some(Ok(flags)) => u32::from_be_bytes(flags),
            Some(Err(_)) => return Some(Err(BadChange)),
        };
        let from_ip = if flags & CHANGE_IP == 0 { ips[ip] } else { ips[1 - ip] };
        let from_port = if flags & CHANGE_PORT == 0 { ports[port] } else { ports[1 - port] };
        Some(Ok(Ways {
            from: SocketAddr::new(from_ip.bind, from_port),
            origin: SocketAddr::new(from_ip.advertise, from_port),
            other: SocketAddr::new(ips[1 - ip].advertise, ports[1 - port]),
            source: SocketAddr::new(tuple.client.ip().to_canonical(), tuple.client.port()),
        }))
    }
}

impl Ways {
    /// What a Binding success says besides XOR-MAPPED-ADDRESS (RFC 5780 §6.1).
    pub(crate) fn write(&self, writer: &mut MessageWriter<'_>) -> Result<(), BufferFull> {
        writer
            .address(kind::MAPPED_ADDRESS, self.source)?
            .address(kind::RESPONSE_ORIGIN, self.origin)?
            .address(kind::OTHER_ADDRESS, self.other)
            .map(drop)
    }
}
