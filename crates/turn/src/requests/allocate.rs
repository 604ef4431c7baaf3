//! Allocate (RFC 8656 §7.2): a relay address, or two.

use std::net::SocketAddr;
use std::sync::Arc;

use peerline_wire::stun::{Class, kind};

use crate::allocation::{Allocation, Missing, OpenRelay, Usage};
use crate::auth::Authenticated;
use crate::channels::Channels;
use crate::credentials::{Account, account};
use crate::event::{Question, QuestionId};
use crate::host::{AllocationId, Family, Host, NoRelay, Parity, Relay};
use crate::mobility::Ticket;
use crate::permissions::Permissions;
use crate::quota::Meter;
use crate::reply;
use crate::request::Request;
use crate::requests::wanted::{Wanted, WantedRelays, wanted};
use crate::server::{Context, Outcome, Parked, Server};
use crate::settings::is_reached;

/// How long the owner may think, how many clients may wait for it, and how long what they have asked may be.
const DECISION_S: u32 = 5;
const MAX_PARKED: usize = 1024;
const MAX_PARKED_LEN: usize = 2048;

const KNOWN: [u16; 6] = [
    kind::REQUESTED_TRANSPORT,
    kind::LIFETIME,
    kind::REQUESTED_ADDRESS_FAMILY,
    kind::EVEN_PORT,
    kind::RESERVATION_TOKEN,
    kind::DONT_FRAGMENT,
];

/// What it gets.
struct Granted {
    relays: [Option<OpenRelay>; 2],
    reservation: Option<[u8; 8]>,
    missing: Option<Missing>,
}

impl Server {
    pub(crate) fn allocate(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        message: &[u8],
        client: &Authenticated,
        existing: Option<AllocationId>,
        is_decided: bool,
    ) -> Outcome {
        if let Some(id) = existing {
            // The same request again means that our answer was lost.
            let is_again = |a: &Allocation| a.transaction == request.transaction() && *a.username == *client.username;
            return match self.get(id).is_some_and(is_again) {
                true => self.confirm(context, request, client, id),
                false => self.refuse(context, request, client, 437),
            };
        }
        let served = if context.host.can_forbid_fragments() { &KNOWN[..] } else { &KNOWN[..5] };
        let unknown = request.unknown(served);
        if !unknown.is_empty() {
            return self.refuse_unknown(context, request, client, &unknown);
        }
        let wanted = match wanted(request, &self.settings, context) {
            Ok(wanted) => wanted,
            Err(code) => return self.refuse(context, request, client, code),
        };
        let Account { name, quotas } = account(&self.settings, &client.username);
        if self.is_draining || is_reached(self.settings.max_allocations, self.allocation_count()) {
            return self.refuse_capacity(context, request, client);
        }
        if is_reached(quotas.allocations, self.accounts.count(&name) as usize) {
            return self.refuse(context, request, client, 486);
        }
        if self.settings.asks_owner && !is_decided {
            return self.ask(context, message, &client.username);
        }
        let id = self.next_id();
        if !self.accounts.try_add(&name, quotas.allocations) {
            return self.refuse(context, request, client, 486); // another shard was faster
        }
        let granted = match self.grant(context.host, id, &wanted) {
            Ok(granted) => granted,
            Err(NoRelay) => {
                self.accounts.subtract(&name);
                return self.refuse_capacity(context, request, client);
            }
        };
        let ticket = wanted.is_mobile.then(|| Box::new(Ticket::new(id, context.host)));
        let now_s = self.now_s;
        self.insert(
            id,
            Allocation {
                tuple: context.tuple,
                is_left: false,
                relays: granted.relays,
                username: client.username.as_str().into(),
                account: name,
                key: client.key.clone(),
                transaction: request.transaction(),
                reservation: granted.reservation,
                missing: granted.missing,
                ticket,
                created_s: now_s,
                expires_s: now_s.saturating_add(wanted.lifetime_s),
                due_s: None,
                permissions: Permissions::default(),
                channels: Channels::default(),
                connections: wanted.is_tcp.then(Vec::new),
                meter: Meter::new(quotas),
                usage: Usage::default(),
            },
        );
        self.confirm(context, request, client, id)
    }

    fn grant(&mut self, host: &mut dyn Host, id: AllocationId, wanted: &Wanted<'_>) -> Result<Granted, NoRelay> {
        let open = |host: &mut dyn Host, family, parity| match wanted.is_tcp {
            true => host.open_tcp_relay(id, family),
            false => host.open_relay(id, family, parity),
        };
        let (first, second) = match wanted.relays {
            WantedRelays::Reserved(token) => {
                let kept = self.reservations.take(token).ok_or(NoRelay)?;
                (host.adopt_relay(kept, id), None)
            }
            WantedRelays::One(_, Parity::EvenWithNext) if !self.reservations.has_room() => return Err(NoRelay),
            WantedRelays::One(family, parity) => (open(host, family, parity), None),
            WantedRelays::Both(parity) => (open(host, Family::V4, parity), Some(open(host, Family::V6, Parity::Any))),
        };
        let opened =
            |relay: Result<Relay, NoRelay>| relay.ok().map(|Relay { id, address, .. }| OpenRelay { id, address });
        let next = first.ok().and_then(|relay| relay.next);
        let relays = [opened(first), second.and_then(opened)];
        if relays == [None, None] {
            return Err(NoRelay);
        }
        let missing = match (second, relays) {
            (Some(_), [None, _]) => Some(Family::V4),
            (Some(_), [_, None]) => Some(Family::V6),
            _ => None,
        };
        let missing = missing.map(|family| Missing { family, code: if host.serves(family) { 508 } else { 440 } });
        let reservation = next.map(|next| self.reservations.keep(next, self.now(), host));
        Ok(Granted { relays, reservation, missing })
    }

    fn confirm(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        client: &Authenticated,
        id: AllocationId,
    ) -> Outcome {
        let now_s = self.now_s;
        let Some(allocation) = self.get(id) else { return Outcome::Silence };
        let client_ip = context.tuple.client.ip().to_canonical();
        let mapped = SocketAddr::new(client_ip, context.tuple.client.port());
        reply::write(context.reply, request, Class::Success, Some(client.into()), |writer| {
            for relay in allocation.relays.iter().flatten() {
                writer.xor_address(kind::XOR_RELAYED_ADDRESS, relay.address)?;
            }
            writer.attribute(kind::LIFETIME, &allocation.expires_s.saturating_sub(now_s).to_be_bytes())?;
            writer.xor_mapped_address(mapped)?;
            if let Some(token) = allocation.reservation {
                writer.attribute(kind::RESERVATION_TOKEN, &token)?;
            }
            if let Some(Missing { family, code }) = allocation.missing {
                let value = [family.number(), 0, (code / 100) as u8, (code % 100) as u8];
                writer.attribute(kind::ADDRESS_ERROR_CODE, &value)?;
            }
            if let Some(ticket) = &allocation.ticket {
                writer.attribute(kind::MOBILITY_TICKET, ticket.as_bytes())?;
            }
            Ok(())
        });
        Outcome::Reply
    }

    /// No room here; elsewhere perhaps.
    fn refuse_capacity(&mut self, context: &mut Context<'_>, request: &Request<'_>, client: &Authenticated) -> Outcome {
        let Some(alternate) = self.settings.alternate.filter(|_| self.is_draining) else {
            return self.refuse(context, request, client, 508);
        };
        self.counters.refused += 1;
        reply::write(context.reply, request, Class::Error, Some(client.into()), |writer| {
            writer.error_code(300)?.address(kind::ALTERNATE_SERVER, alternate).map(drop)
        });
        Outcome::Reply
    }

    fn ask(&mut self, context: &Context<'_>, message: &[u8], username: &str) -> Outcome {
        let is_waiting = self.parked.iter().any(|parked| parked.tuple == context.tuple);
        if is_waiting || self.parked.len() >= MAX_PARKED || message.len() > MAX_PARKED_LEN {
            return Outcome::Silence; // it asks again by itself
        }
        let id = QuestionId(self.next_question);
        self.next_question += 1;
        let gives_up_s = self.now_s + DECISION_S;
        self.parked.push(Parked { id, tuple: context.tuple, message: message.to_vec(), gives_up_s });
        Outcome::Ask(Question { id, username: Arc::from(username) })
    }
}
