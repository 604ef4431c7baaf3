//! Tickets with which a client takes its allocation along to another address (RFC 8016).
//!
//! A ticket names the allocation and proves by random bytes that it was given to its owner; it is good once. Whoever
//! shows it must also know the password, so that a stolen ticket is worth nothing.

use aws_lc_rs::constant_time;
use peerline_wire::stun::kind;

use crate::host::{AllocationId, Host};
use crate::request::Request;

const SECRET_LEN: usize = 16;
pub(crate) const TICKET_LEN: usize = 8 + SECRET_LEN;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket([u8; TICKET_LEN]);

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket(…)")
    }
}

impl Ticket {
    pub(crate) fn new(id: AllocationId, host: &mut dyn Host) -> Self {
        let mut bytes = [0; TICKET_LEN];
        bytes[..8].copy_from_slice(&id.to_bits().to_be_bytes());
        host.random(&mut bytes[8..]);
        Self(bytes)
    }

    /// The one that a request shows.
    pub(crate) fn of(request: &Request<'_>) -> Option<Self> {
        request.find(kind::MOBILITY_TICKET)?.value.try_into().ok().map(Self)
    }

    /// Which allocation it is said to be for.
    pub(crate) fn id(&self) -> AllocationId {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        AllocationId::from_bits(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
