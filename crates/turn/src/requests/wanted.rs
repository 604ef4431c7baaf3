//! What an Allocate asks for (RFC 8656 §7.2, RFC 6062 §5.1), if it makes sense.

use peerline_wire::stun::kind;

use crate::host::{Family, Parity};
use crate::request::Request;
use crate::server::Context;
use crate::settings::Settings;
use crate::tuple::Transport;

const UDP: u8 = 17;
const TCP: u8 = 6;
/// RFC 6062 §5.1
const NOT_FOR_TCP: [u16; 3] = [kind::EVEN_PORT, kind::RESERVATION_TOKEN, kind::DONT_FRAGMENT];

/// What a request asks for, once it makes sense.
pub(crate) struct Wanted<'m> {
    pub(crate) relays: WantedRelays<'m>,
    /// Relays for TCP (RFC 6062).
    pub(crate) is_tcp: bool,
    pub(crate) lifetime_s: u32,
    /// Whether it wants to be able to move.
    pub(crate) is_mobile: bool,
}

pub(crate) enum WantedRelays<'m> {
    One(Family, Parity),
    /// IPv4 with this parity, and IPv6.
    Both(Parity),
    Reserved(&'m [u8]),
}

/// Between what is too short to be worth it and what is too long to be forgotten.
pub(crate) fn lifetime_s(request: &Request<'_>, settings: &Settings) -> Result<u32, u16> {
    let limits = settings.lifetimes;
    match request.find(kind::LIFETIME) {
        None => Ok(limits.default_s),
        Some(_) => request.number(kind::LIFETIME).map(|s| s.max(limits.min_s).min(limits.max_s)).ok_or(400),
    }
}

pub(crate) fn wanted<'m>(request: &Request<'m>, settings: &Settings, context: &Context<'_>) -> Result<Wanted<'m>, u16> {
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
