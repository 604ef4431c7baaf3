//! ConnectionBind (RFC 6062 §5.4): the connection it comes on becomes one with a connection to a peer.

use peerline_wire::stun::{Class, Method, kind};

use crate::auth::Authenticated;
use crate::connections::State;
use crate::host::{AllocationId, ConnectionId};
use crate::reply;
use crate::request::Request;
use crate::server::{Context, Outcome, Server};
use crate::tuple::Transport;

const KNOWN: [u16; 1] = [kind::CONNECTION_ID];

impl Server {
    pub(crate) fn connection_bind(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        client: &Authenticated,
        existing: Option<AllocationId>,
    ) -> Outcome {
        let unknown = request.unknown(&KNOWN);
        if !unknown.is_empty() {
            return self.refuse_unknown(context, request, client, &unknown);
        }
        // Over an allocation's own connection its client's messages go, and datagrams are no stream.
        let can_join = existing.is_none() && context.tuple.transport != Transport::Udp;
        let waiting = named_connection(request).filter(|id| can_join && self.waits_for(*id, &client.username));
        let Some(connection) = waiting else { return self.refuse(context, request, client, 400) };
        self.connections.change(connection, State::Joined);
        reply::write(context.reply, request, Class::Success, Some(client.into()), |_| Ok(()));
        Outcome::Join(connection)
    }

    /// The allocation whose connection a ConnectionBind names.
    pub(crate) fn named_by_connection(&self, request: &Request<'_>) -> Option<AllocationId> {
        let id = named_connection(request).filter(|_| request.method() == Method::CONNECTION_BIND)?;
        Some(self.connections.get(id)?.allocation)
    }

    /// The shard that a ConnectionBind is for, if it is not this one.
    pub(crate) fn bound_elsewhere(&self, context: &Context<'_>, request: &Request<'_>) -> Option<u32> {
        let is_stream = context.tuple.transport != Transport::Udp;
        let id = named_connection(request).filter(|_| is_stream && request.method() == Method::CONNECTION_BIND)?;
        self.connections.elsewhere(id)
    }

    /// Whether this connection is of this user, and nobody has it yet.
    fn waits_for(&self, id: ConnectionId, username: &str) -> bool {
        self.connections.get(id).is_some_and(|connection| {
            let is_own = self.get(connection.allocation).is_some_and(|allocation| *allocation.username == *username);
            is_own && matches!(connection.state, State::Waiting { .. })
        })
    }
}

fn named_connection(request: &Request<'_>) -> Option<ConnectionId> {
    request.number(kind::CONNECTION_ID).map(ConnectionId)
}
