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
use crate::server::{Context, Outcome, Parked, Server};
use crate::settings::{Settings, is_reached};
use crate::tuple::Transport;

const UDP: u8 = 17;
const TCP: u8 = 6;
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

/// RFC 6062 §5.1
const NOT_FOR_TCP: [u16; 3] = [kind::EVEN_PORT, kind::RESERVATION_TOKEN, kind::DONT_FRAGMENT];

/// What a request asks for, once it makes sense.
struct Wanted<'m> {
    relays: WantedRelays<'m>,
    /// Relays for TCP (RFC 6062).
    is_tcp: bool,
    lifetime_s: u32,
    /// Whether it wants to be able to move.
    is_mobile: bool,
}

enum WantedRelays<'m> {
    One(Family, Parity),
    /// IPv4 with this parity, and IPv6.
    Both(Parity),
    Reserved(&'m [u8]),
}

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

/// Between what is too short to be worth it and what is too long to be forgotten.
pub(crate) fn lifetime_s(request: &Request<'_>, settings: &Settings) -> Result<u32, u16> {
    let limits = settings.lifetimes;
    match request.find(kind::LIFETIME) {
        None => Ok(limits.default_s),
        Some(_) => request.number(kind::LIFETIME).map(|s| s.max(limits.min_s).min(limits.max_s)).ok_or(400),
    }
}

fn wanted<'m>(request: &Request<'m>, settings: &Settings, context: &Context<'_>) -> Result<Wanted<'m>, u16> {
    let host = &*context.host;
    let is_tcp = match request.octet(kind::REQUESTED_TRANSPORT).ok_or(400u16)? {
        UDP => false,
        TCP if settings.tcp_relays => true,
        _ => return Err(442),
    };
    if is_tcp && (context.tuple.transport == Transport::Udp || NOT_FOR_TCP.iter().any(|kind| request.has(*kind))) {
        return Err(400);
    }
    let is_mobile = match request.find(kind::MOBILITY_TICKET) {
        None => false,
        // Connections do not move.
        Some(_) if !settings.mobility || is_tcp => return Err(405),
        Some(ticket) if ticket.value.is_empty() => true,
        Some(_) => return Err(400),
    };
    let relays = wanted_relays(request)?;
    let is_served = match relays {
        WantedRelays::One(family, _) => host.serves(family),
        WantedRelays::Both(_) => host.serves(Family::V4) || host.serves(Family::V6),
        WantedRelays::Reserved(_) => true,
    };
    if !is_served {
        return Err(440);
    }
    Ok(Wanted { relays, is_tcp, lifetime_s: lifetime_s(request, settings)?, is_mobile })
}

fn wanted_relays<'m>(request: &Request<'m>) -> Result<WantedRelays<'m>, u16> {
    let requested = request.find(kind::REQUESTED_ADDRESS_FAMILY);
    let additional = request.find(kind::ADDITIONAL_ADDRESS_FAMILY);
    let parity = match request.find(kind::EVEN_PORT).map(|even| even.value) {
        None => Parity::Any,
        Some([flags]) if flags & 0x80 != 0 => Parity::EvenWithNext,
        Some([_]) => Parity::Even,
        Some(_) => return Err(400),
    };
    if let Some(token) = request.find(kind::RESERVATION_TOKEN) {
        let is_alone = requested.is_none() && additional.is_none() && parity == Parity::Any;
        return if is_alone && token.value.len() == 8 { Ok(WantedRelays::Reserved(token.value)) } else { Err(400) };
    }
    if additional.is_some() {
        let family = request.octet(kind::ADDITIONAL_ADDRESS_FAMILY).and_then(Family::from_number);
        let makes_sense = requested.is_none() && parity != Parity::EvenWithNext && family == Some(Family::V6);
        return if makes_sense { Ok(WantedRelays::Both(parity)) } else { Err(400) };
    }
    let family = match requested {
        None => Family::V4,
        Some(_) => {
            let number = request.octet(kind::REQUESTED_ADDRESS_FAMILY).ok_or(400u16)?;
            Family::from_number(number).ok_or(440u16)?
        }
    };
    Ok(WantedRelays::One(family, parity))
}
