//! The way to a client: over which socket, and from which of our addresses.

use std::net::{IpAddr, SocketAddr};

use peerline_turn::{AllocationId, FiveTuple, Transport};

use crate::service::Io;
use crate::turn::plane::{Listener, TurnPlane};
use crate::udp::asked;

/// The way to a client.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Route {
    Datagram { listener: usize, client: SocketAddr, source_ip: Option<IpAddr> },
    Stream(usize),
}

impl TurnPlane {
    /// The machine's answer, to whoever has this 5-tuple.
    pub(crate) fn send_reply(&mut self, io: &Io<'_>, tuple: FiveTuple) {
        let reply = std::mem::take(&mut self.reply);
        match self.route_of(tuple) {
            Some(Route::Datagram { listener, client, source_ip }) => {
                self.listeners[listener].outgoing.push(client, source_ip, &reply, 0..0, 0);
            }
            Some(Route::Stream(index)) => self.answer_stream(io, index, &reply),
            None => {}
        }
        self.reply = reply;
    }

    pub(crate) fn tuple(&self, listener: usize, client: SocketAddr, local_ip: Option<IpAddr>) -> FiveTuple {
        FiveTuple { transport: Transport::Udp, client, server: asked(self.listeners[listener].address, local_ip) }
    }

    /// The way to this allocation's client.
    pub(crate) fn route(&mut self, allocation: AllocationId) -> Option<Route> {
        if let Some((last, route)) = self.last_route
            && last == allocation
        {
            return Some(route);
        }
        let tuple = self.machine.client(allocation)?;
        let route = self.route_of(tuple)?;
        self.last_route = Some((allocation, route));
        Some(route)
    }

    fn route_of(&self, tuple: FiveTuple) -> Option<Route> {
        if tuple.transport != Transport::Udp {
            return self.streams.find(&tuple).map(Route::Stream);
        }
        let serves = |l: &Listener| {
            l.address.port() == tuple.server.port()
                && l.address.is_ipv4() == tuple.server.is_ipv4()
                && (l.address.ip().is_unspecified() || l.address.ip() == tuple.server.ip())
        };
        let listener = self.listeners.iter().position(serves)?;
        let is_wildcard = self.listeners[listener].address.ip().is_unspecified();
        Some(Route::Datagram { listener, client: tuple.client, source_ip: is_wildcard.then_some(tuple.server.ip()) })
    }
}
