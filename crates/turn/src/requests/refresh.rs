//! Refresh (RFC 8656 §8.2): longer, or over; and from a new address with a ticket of the old one (RFC 8016 §3.2).

use peerline_wire::stun::{Class, Method, kind};

use crate::auth::Authenticated;
use crate::event::FreeReason;
use crate::host::{AllocationId, Family};
use crate::mobility::Ticket;
use crate::reply;
use crate::request::Request;
use crate::requests::wanted::lifetime_s;
use crate::server::{Context, Outcome, Server};

const KNOWN: [u16; 2] = [kind::LIFETIME, kind::REQUESTED_ADDRESS_FAMILY];

/// What a request asks for, once it makes sense.
struct Wanted {
    /// 0: no longer.
    lifetime_s: u32,
    /// Of two relays, the one that is meant.
    family: Option<Family>,
}

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
            return self.refuse_unknown(context, request, client, &unknown);
        }
        match self.wanted_of_refresh(request, id) {
            Ok(wanted) => self.prolong(context, request, client, id, &wanted),
            Err(code) => self.refuse(context, request, client, code),
        }
    }

    /// From a 5-tuple that has no allocation yet. The nonce has shown that the client can be reached there, the ticket
    /// which allocation it means, and the password that it is the same user's.
    pub(crate) fn resume(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        client: &Authenticated,
    ) -> Outcome {
        if !self.settings.mobility {
            return self.refuse(context, request, client, 405);
        }
        // A ticket that does not fit was used already, is another server's, or is made up.
        let Some(id) = self.named_by_ticket(request) else { return self.refuse(context, request, client, 400) };
        if self.get(id).is_none_or(|allocation| *allocation.username != *client.username) {
            return self.refuse(context, request, client, 441);
        }
        // A request that is refused moves nothing: its answer has no ticket for the way back.
        let unknown = request.unknown(&KNOWN);
        if !unknown.is_empty() {
            return self.refuse_unknown(context, request, client, &unknown);
        }
        let wanted = match self.wanted_of_refresh(request, id) {
            Ok(wanted) => wanted,
            Err(code) => return self.refuse(context, request, client, code),
        };
        let ticket = Box::new(Ticket::new(id, context.host));
        self.move_to(id, context.tuple);
        if let Some(allocation) = self.get_mut(id) {
            allocation.key = client.key.clone();
            allocation.ticket = Some(ticket);
        }
        self.prolong(context, request, client, id, &wanted)
    }

    /// The allocation that a Refresh shows the ticket of.
    pub(crate) fn named_by_ticket(&self, request: &Request<'_>) -> Option<AllocationId> {
        let shown = Ticket::of(request).filter(|_| request.method() == Method::REFRESH)?;
        self.get(shown.id())?.ticket.as_ref()?.is(&shown).then_some(shown.id())
    }

    fn wanted_of_refresh(&self, request: &Request<'_>, id: AllocationId) -> Result<Wanted, u16> {
        let family = match request.find(kind::REQUESTED_ADDRESS_FAMILY) {
            None => None,
            Some(_) => {
                let family = request.octet(kind::REQUESTED_ADDRESS_FAMILY).and_then(Family::from_number);
                let has = |family: &Family| self.get(id).is_some_and(|a| a.relay_of(*family).is_some());
                Some(family.filter(has).ok_or(443u16)?)
            }
        };
        let lifetime_s = match request.number(kind::LIFETIME) {
            Some(0) => 0,
            _ => lifetime_s(request, &self.settings)?,
        };
        Ok(Wanted { lifetime_s, family })
    }

    fn prolong(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        client: &Authenticated,
        id: AllocationId,
        wanted: &Wanted,
    ) -> Outcome {
        let Wanted { lifetime_s, family } = *wanted;
        match (lifetime_s, family) {
            (0, Some(family)) => self.close_family(context, id, family),
            (0, None) => {
                self.free_allocation(id, FreeReason::Released, context.host);
            }
            _ => {
                let expires_s = self.now_s.saturating_add(lifetime_s);
                if let Some(allocation) = self.get_mut(id) {
                    allocation.expires_s = expires_s;
                }
                self.schedule(id);
            }
        }
        let ticket = self.get(id).and_then(|a| a.ticket.as_deref()).filter(|_| request.has(kind::MOBILITY_TICKET));
        reply::write(context.reply, request, Class::Success, Some(client.into()), |writer| {
            writer.attribute(kind::LIFETIME, &lifetime_s.to_be_bytes())?;
            if let Some(ticket) = ticket {
                writer.attribute(kind::MOBILITY_TICKET, ticket.as_bytes())?;
            }
            Ok(())
        });
        Outcome::Reply
    }

    /// One of two relays goes; with the last one the allocation does.
    fn close_family(&mut self, context: &mut Context<'_>, id: AllocationId, family: Family) {
        let Some(allocation) = self.get_mut(id) else { return };
        if allocation.relays.iter().flatten().count() < 2 {
            self.free_allocation(id, FreeReason::Released, context.host);
        } else if let Some(gone) = allocation.remove_relay(family) {
            self.close_connections(id, gone.id, context.host);
            context.host.close_relay(gone.id);
        }
    }
}
