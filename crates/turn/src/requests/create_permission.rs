//! CreatePermission (RFC 8656 §9.2): these addresses may send to me, and I to them; all of them or none.

use std::net::IpAddr;

use peerline_wire::stun::{Class, kind};

use crate::auth::Authenticated;
use crate::host::{AllocationId, Family};
use crate::reply;
use crate::request::Request;
use crate::server::{Context, Outcome, Server};

const KNOWN: [u16; 1] = [kind::XOR_PEER_ADDRESS];

impl Server {
    pub(crate) fn create_permission(
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
        let Ok(peers) = request.peers() else { return self.refuse(context, request, client, 400) };
        if peers.is_empty() {
            return self.refuse(context, request, client, 400);
        }
        let Some(allocation) = self.get(id) else { return Outcome::Silence };
        if peers.iter().any(|peer| allocation.relay_of(Family::of(peer)).is_none()) {
            return self.refuse(context, request, client, 443);
        }
        if !peers.iter().all(|peer| self.settings.policy.permits_ip(peer.ip())) {
            return self.refuse(context, request, client, 403);
        }
        let ips: Vec<IpAddr> = peers.iter().map(|peer| peer.ip()).collect();
        if !self.make_room(context, id, &ips) {
            return self.refuse(context, request, client, 508);
        }
        self.permit(id, &ips);
        reply::write(context.reply, request, Class::Success, Some(client.into()), |_| Ok(()));
        Outcome::Reply
    }

    /// Whether so many more permissions are within the quota and do not come too fast.
    pub(crate) fn make_room(&mut self, context: &Context<'_>, id: AllocationId, ips: &[IpAddr]) -> bool {
        let now_ns = self.ns(context.now.instant);
        let Some(allocation) = self.get_mut(id) else { return false };
        let mut count = allocation.permissions.len();
        for (index, ip) in ips.iter().enumerate() {
            if allocation.permissions.contains(*ip) || ips[..index].contains(ip) {
                continue;
            }
            if !allocation.meter.has_room_for_permission(count) || !allocation.meter.admit_new_peer(now_ns) {
                return false;
            }
            count += 1;
        }
        true
    }

    pub(crate) fn permit(&mut self, id: AllocationId, ips: &[IpAddr]) {
        let now_s = self.now_s;
        if let Some(allocation) = self.get_mut(id) {
            for ip in ips {
                allocation.permit(*ip, now_s);
            }
        }
        self.schedule(id);
    }
}
