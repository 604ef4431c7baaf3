//! Allocate (RFC 8656 §7.2): a relay address, or two.

use std::sync::Arc;

use peerline_wire::stun::{Class, kind};

use crate::allocation::{Allocation, OpenRelay, Usage};
use crate::auth::Authenticated;
use crate::channels::Channels;
use crate::credentials::{Account, account};
use crate::event::{Question, QuestionId};
use crate::host::{AllocationId, Family, Host, NoRelay, Parity, Relay};
use crate::quota::Meter;
use crate::reply;
use crate::request::Request;
use crate::server::{Context, Outcome, Parked, Server, family_of};
use crate::settings::is_reached;

pub(crate) const MIN_LIFETIME_S: u32 = 600;
pub(crate) const MAX_LIFETIME_S: u32 = 3600;
const UDP: u8 = 17;
/// How long the owner may think, and how many clients may wait for it.
const DECISION_S: u32 = 5;
const MAX_PARKED: usize = 1024;

const KNOWN: [u16; 6] = [
    kind::REQUESTED_TRANSPORT,
    kind::LIFETIME,
    kind::REQUESTED_ADDRESS_FAMILY,
    kind::EVEN_PORT,
    kind::DONT_FRAGMENT,
    kind::RESERVATION_TOKEN,
];

/// What a request asks for, once it makes sense.
struct Wanted<'m> {
    family: Family,
    /// A second relay, of IPv6.
    also_v6: bool,
    parity: Parity,
    reserved: Option<&'m [u8]>,
    lifetime_s: u32,
}

/// What it gets.
struct Granted {
    relays: [Option<OpenRelay>; 2],
    reservation: Option<[u8; 8]>,
    /// Why there is no second relay.
    v6_error: Option<u16>,
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
            return match self.get(id).is_some_and(|a| a.transaction == request.transaction()) {
                true => self.confirm(context, request, client, id, None),
                false => self.refuse(context, request, client, 437),
            };
        }
        let unknown = request.unknown(&KNOWN);
        if !unknown.is_empty() {
            reply::unknown_attributes(context.reply, request, &unknown, Some(client.into()));
            return Outcome::Reply;
        }
        let wanted = match wanted(request, context.host) {
            Ok(wanted) => wanted,
            Err(code) => return self.refuse(context, request, client, code),
        };
        let Account { name, quotas } = account(&self.settings, &client.username);
        if is_reached(quotas.allocations, self.accounts.get(&name).copied().unwrap_or(0) as usize) {
            return self.refuse(context, request, client, 486);
        }
        if self.is_draining || self.allocation_count() >= self.settings.max_allocations as usize {
            return self.refuse_capacity(context, request, client);
        }
        if self.settings.asks_owner && !is_decided {
            return self.ask(context, message, &client.username);
        }
        let id = self.next_id();
        let granted = match self.grant(context.host, id, &wanted) {
            Ok(granted) => granted,
            Err(NoRelay) => return self.refuse_capacity(context, request, client),
        };
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
                created_s: now_s,
                expires_s: now_s + wanted.lifetime_s,
                due_s: 0,
                permissions: Vec::new(),
                channels: Channels::default(),
                meter: Meter::new(quotas),
                usage: Usage::default(),
            },
        );
        self.confirm(context, request, client, id, granted.v6_error)
    }

    fn grant(&mut self, host: &mut dyn Host, id: AllocationId, wanted: &Wanted<'_>) -> Result<Granted, NoRelay> {
        let Relay { id: relay, address, next } = match wanted.reserved {
            Some(token) => host.adopt_relay(self.reservations.take(token).ok_or(NoRelay)?, id)?,
            None if wanted.parity == Parity::EvenWithNext && !self.reservations.has_room() => return Err(NoRelay),
            None => host.open_relay(id, wanted.family, wanted.parity)?,
        };
        let reservation = next.map(|next| self.reservations.keep(next, self.now_s, host));
        let mut granted =
            Granted { relays: [Some(OpenRelay { id: relay, address }), None], reservation, v6_error: None };
        if wanted.also_v6 {
            match host.open_relay(id, Family::V6, Parity::Any) {
                Ok(Relay { id, address, .. }) => granted.relays[1] = Some(OpenRelay { id, address }),
                Err(NoRelay) => granted.v6_error = Some(if host.serves(Family::V6) { 508 } else { 440 }),
            }
        }
        Ok(granted)
    }

    fn confirm(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        client: &Authenticated,
        id: AllocationId,
        v6_error: Option<u16>,
    ) -> Outcome {
        let now_s = self.now_s;
        let Some(allocation) = self.get(id) else { return Outcome::Silence };
        let mapped = context.tuple.client;
        reply::write(context.reply, request, Class::Success, Some(client.into()), |writer| {
            for relay in allocation.relays.iter().flatten() {
                writer.xor_address(kind::XOR_RELAYED_ADDRESS, relay.address)?;
            }
            writer.attribute(kind::LIFETIME, &allocation.expires_s.saturating_sub(now_s).to_be_bytes())?;
            writer.xor_mapped_address(mapped)?;
            if let Some(token) = allocation.reservation {
                writer.attribute(kind::RESERVATION_TOKEN, &token)?;
            }
            if let Some(code) = v6_error {
                // Family, then the code as in ERROR-CODE (RFC 8656 §18.12)
                writer.attribute(kind::ADDRESS_ERROR_CODE, &[2, 0, (code / 100) as u8, (code % 100) as u8])?;
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
        reply::write(context.reply, request, Class::Error, Some(client.into()), |writer| {
            writer.error_code(300)?.alternate_server(alternate).map(drop)
        });
        Outcome::Reply
    }

    fn ask(&mut self, context: &Context<'_>, message: &[u8], username: &str) -> Outcome {
        let is_waiting = self.parked.iter().any(|parked| parked.tuple == context.tuple);
        if is_waiting || self.parked.len() >= MAX_PARKED {
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
pub(crate) fn lifetime_s(request: &Request<'_>) -> Result<u32, u16> {
    match request.find(kind::LIFETIME) {
        None => Ok(MIN_LIFETIME_S),
        Some(_) => request.number(kind::LIFETIME).map(|s| s.clamp(MIN_LIFETIME_S, MAX_LIFETIME_S)).ok_or(400),
    }
}

fn wanted<'m>(request: &Request<'m>, host: &dyn Host) -> Result<Wanted<'m>, u16> {
    if request.octet(kind::REQUESTED_TRANSPORT).ok_or(400u16)? != UDP {
        return Err(442);
    }
    let requested = request.find(kind::REQUESTED_ADDRESS_FAMILY);
    let additional = request.find(kind::ADDITIONAL_ADDRESS_FAMILY);
    let even = request.find(kind::EVEN_PORT);
    let reserved = request.find(kind::RESERVATION_TOKEN).map(|token| token.value);
    let parity = match even.map(|even| even.value.first().copied().ok_or(400u16)).transpose()? {
        None => Parity::Any,
        Some(flags) if flags & 0x80 != 0 => Parity::EvenWithNext,
        Some(_) => Parity::Even,
    };
    let is_contradiction = reserved.is_some() && (even.is_some() || requested.is_some() || additional.is_some())
        || additional.is_some() && (requested.is_some() || parity == Parity::EvenWithNext);
    if is_contradiction || reserved.is_some_and(|token| token.len() != 8) {
        return Err(400);
    }
    let also_v6 = match additional {
        None => false,
        Some(_) if request.octet(kind::ADDITIONAL_ADDRESS_FAMILY).and_then(family_of) == Some(Family::V6) => true,
        Some(_) => return Err(400),
    };
    let family = match requested {
        None => Family::V4,
        Some(_) => request.octet(kind::REQUESTED_ADDRESS_FAMILY).and_then(family_of).ok_or(440u16)?,
    };
    if reserved.is_none() && !host.serves(family) {
        return Err(440);
    }
    Ok(Wanted { family, also_v6, parity, reserved, lifetime_s: lifetime_s(request)? })
}
