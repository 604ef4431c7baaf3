//! Refresh (RFC 8656 §8.2): longer, or over.

use peerline_wire::stun::{Class, kind};

use crate::auth::Authenticated;
use crate::event::FreeReason;
use crate::host::{AllocationId, Family};
use crate::reply;
use crate::request::Request;
use crate::requests::allocate::lifetime_s;
use crate::server::{Context, Outcome, Server, family_of};

const KNOWN: [u16; 2] = [kind::LIFETIME, kind::REQUESTED_ADDRESS_FAMILY];

impl Server {
    pub(crate) fn refresh(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        client: &Authenticated,
        id: AllocationId,
    ) -> Outcome {
        let unknown = request.unknown(&KNOWN);
        if !unknown.is_empty() {
            reply::unknown_attributes(context.reply, request, &unknown, Some(client.into()));
            return Outcome::Reply;
        }
        let family = match request.find(kind::REQUESTED_ADDRESS_FAMILY) {
            None => None,
            Some(_) => match request.octet(kind::REQUESTED_ADDRESS_FAMILY).and_then(family_of) {
                Some(family) if self.get(id).is_some_and(|a| a.relay_of(family).is_some()) => Some(family),
                _ => return self.refuse(context, request, client, 443),
            },
        };
        let lifetime = match request.number(kind::LIFETIME) {
            Some(0) => 0,
            _ => match lifetime_s(request) {
                Ok(lifetime_s) => lifetime_s,
                Err(code) => return self.refuse(context, request, client, code),
            },
        };
        match (lifetime, family) {
            (0, Some(family)) => self.close_family(context, id, family),
            (0, None) => {
                self.free_allocation(id, FreeReason::Released, context.host);
            }
            _ => {
                let expires_s = self.now_s + lifetime;
                if let Some(allocation) = self.get_mut(id) {
                    allocation.expires_s = expires_s;
                }
                self.schedule(id);
            }
        }
        reply::write(context.reply, request, Class::Success, Some(client.into()), |writer| {
            writer.attribute(kind::LIFETIME, &lifetime.to_be_bytes()).map(drop)
        });
        Outcome::Reply
    }

    /// One of two relays goes; with the last one the allocation does.
    fn close_family(&mut self, context: &mut Context<'_>, id: AllocationId, family: Family) {
        let Some(allocation) = self.get_mut(id) else { return };
        if allocation.relays.iter().flatten().count() < 2 {
            self.free_allocation(id, FreeReason::Released, context.host);
            return;
        }
        let of_family = |r: &mut crate::allocation::OpenRelay| Family::of(&r.address) == family;
        let gone = allocation.relays.iter_mut().find_map(|relay| relay.take_if(of_family));
        if let Some(gone) = gone {
            allocation.channels.retain(|channel| channel.relay != gone.id);
            context.host.close_relay(gone.id);
        }
    }
}
