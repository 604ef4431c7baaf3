//! ChannelBind (RFC 8656 §12.2): four bytes instead of thirty-six.

use peerline_wire::stun::{Class, kind};

use crate::auth::Authenticated;
use crate::channels::{Channel, FIRST_NUMBER, LAST_NUMBER, LIFETIME_S};
use crate::host::{AllocationId, Family};
use crate::reply;
use crate::request::Request;
use crate::server::{Context, Outcome, Server};

const KNOWN: [u16; 2] = [kind::CHANNEL_NUMBER, kind::XOR_PEER_ADDRESS];

impl Server {
    pub(crate) fn channel_bind(
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
        let number = request.number(kind::CHANNEL_NUMBER).map(|word| (word >> 16) as u16);
        let (Some(number), Ok(&[peer])) = (number, request.peers().as_deref()) else {
            return self.refuse(context, request, client, 400);
        };
        let Some(allocation) = self.get(id) else { return Outcome::Silence };
        if allocation.is_tcp() {
            return self.refuse(context, request, client, 403);
        }
        let Some(relay) = allocation.relay_of(Family::of(&peer)) else {
            return self.refuse(context, request, client, 443);
        };
        // A channel keeps its peer and a peer its channel for as long as they live.
        let of_number = allocation.channels.get(number);
        let of_peer = allocation.channels.of_peer(peer);
        let is_taken = of_number.is_some_and(|c| c.peer != peer) || of_peer.is_some_and(|c| c.number != number);
        if !(FIRST_NUMBER..=LAST_NUMBER).contains(&number) || is_taken {
            return self.refuse(context, request, client, 400);
        }
        let is_new = of_number.is_none();
        if is_new && !allocation.meter.has_room_for_channel(allocation.channels.len()) {
            return self.refuse(context, request, client, 508);
        }
        if !self.settings.policy.permits(peer) {
            return self.refuse(context, request, client, 403);
        }
        if !self.make_room(context, id, &[peer.ip()]) {
            return self.refuse(context, request, client, 508);
        }
        let expires_s = self.now_s + LIFETIME_S;
        if let Some(allocation) = self.get_mut(id) {
            allocation.channels.insert(Channel { number, relay: relay.id, peer, expires_s, is_open: true });
        }
        self.permit(id, &[peer.ip()]);
        reply::write(context.reply, request, Class::Success, Some(client.into()), |_| Ok(()));
        Outcome::Reply
    }
}
