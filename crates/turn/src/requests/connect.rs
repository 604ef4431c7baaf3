//! Connect (RFC 6062 §5.2): a TCP connection from the relay to a peer. The answer comes when the peer has accepted.

use peerline_wire::stun::kind;

use crate::auth::Authenticated;
use crate::connections::{CONNECT_S, Connection, Pending, State};
use crate::host::{AllocationId, ConnectionId, Family};
use crate::request::Request;
use crate::server::{Context, Outcome, Server};

const KNOWN: [u16; 1] = [kind::XOR_PEER_ADDRESS];

impl Server {
    pub(crate) fn connect(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        client: &Authenticated,
        id: AllocationId,
    ) -> Outcome {
        let unknown = request.unknown(&KNOWN);
        if !unknown.is_empty() {
            return self.refuse_unknown(context, request, client, &unknown);
        }
        match self.try_connect(context, request, client, id) {
            // Later, with `peer_connected` or `peer_gone`.
            Ok(_) => Outcome::Silence,
            Err(code) => self.refuse(context, request, client, code),
        }
    }

    fn try_connect(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        client: &Authenticated,
        id: AllocationId,
    ) -> Result<ConnectionId, u16> {
        let allocation = self.get(id).filter(|allocation| allocation.is_tcp()).ok_or(403u16)?;
        let Ok(&[peer]) = request.peers().as_deref() else { return Err(400) };
        let relay = allocation.relay_of(Family::of(&peer)).ok_or(443u16)?;
        if self.connection_with(id, peer).is_some() {
            return Err(446);
        }
        if !self.settings.policy.permits(peer) {
            return Err(403);
        }
        let now_ns = self.ns(context.now.instant);
        let may_more = self.has_room_for_connection(id);
        if !may_more || !self.get_mut(id).is_some_and(|allocation| allocation.meter.admit_new_peer(now_ns)) {
            return Err(508);
        }
        let connection = self.connections.new_id(context.host);
        context.host.connect(connection, relay.id, peer).map_err(|_| 447u16)?;
        let asked = Pending { asked: request.into(), key: client.key.clone(), integrity: client.integrity };
        let state = State::Connecting { asked, gives_up_s: self.now_s + CONNECT_S };
        self.add_connection(connection, Connection { allocation: id, relay: relay.id, peer, state });
        Ok(connection)
    }
}
