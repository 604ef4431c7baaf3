//! Send indication (RFC 8656 §11.2): data for a peer without a channel. There is no answer, whatever is wrong.

use peerline_wire::stun::kind;

use crate::host::Family;
use crate::request::Request;
use crate::server::{Context, Outcome, Server};

const KNOWN: [u16; 3] = [kind::XOR_PEER_ADDRESS, kind::DATA, kind::DONT_FRAGMENT];

impl Server {
    pub(crate) fn send(&mut self, context: &Context<'_>, request: &Request<'_>) -> Outcome {
        self.forward(context, request).unwrap_or(Outcome::Silence)
    }

    fn forward(&self, context: &Context<'_>, request: &Request<'_>) -> Option<Outcome> {
        let id = self.find(&context.tuple)?;
        let allocation = self.get(id).filter(|allocation| !allocation.is_tcp())?;
        let data = request.find(kind::DATA)?;
        let &[peer] = request.peers().ok()?.as_slice() else { return None };
        let relay = allocation.relay_of(Family::of(&peer))?;
        let known = if context.host.can_forbid_fragments() { &KNOWN[..] } else { &KNOWN[..2] };
        if !allocation.permissions.contains(peer.ip())
            || !self.settings.policy.permits(peer)
            || !request.unknown(known).is_empty()
        {
            return None;
        }
        let start = data.offset + 4;
        Some(Outcome::Forward {
            allocation: id,
            relay: relay.id,
            peer,
            data: start..start + data.value.len(),
            dont_fragment: request.has(kind::DONT_FRAGMENT),
        })
    }
}
