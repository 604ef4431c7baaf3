//! What the owner of the server tells it and asks it.

use peerline_wire::stun::{Message, kind};

use crate::allocation::AllocationView;
use crate::auth::authenticate;
use crate::event::{FreeReason, QuestionId, TurnEvent, Verdict};
use crate::host::{AllocationId, Host};
use crate::request::Request;
use crate::server::{Context, Now, Outcome, Parked, Server};
use crate::tuple::FiveTuple;

impl Server {
    /// The owner's answer to [`Outcome::Ask`]. Says to whom the reply goes; `None`: nobody waits for it any more.
    pub fn decide(
        &mut self,
        now: Now,
        question: QuestionId,
        verdict: Verdict,
        host: &mut dyn Host,
        reply: &mut Vec<u8>,
    ) -> Option<FiveTuple> {
        reply.clear();
        self.now_s = self.s(now.instant);
        let index = self.parked.iter().position(|parked| parked.id == question)?;
        let Parked { tuple, message, .. } = self.parked.swap_remove(index);
        let parsed = Message::parse(&message).ok()?;
        let request = Request::new(parsed, parsed.attribute(kind::FINGERPRINT).is_some());
        let mut context = Context { now, tuple, host, reply };
        let outcome = match verdict {
            Verdict::Allow => self.serve(&mut context, &request, &message, true),
            Verdict::Deny => self.deny(&mut context, &request),
        };
        (outcome == Outcome::Reply).then_some(tuple)
    }

    fn deny(&mut self, context: &mut Context<'_>, request: &Request<'_>) -> Outcome {
        let unix_s = context.now.unix_s;
        match authenticate(request, &self.settings, &self.keys, &context.tuple, unix_s, None) {
            Ok(client) => self.refuse(context, request, &client, 403),
            Err(stranger) => self.turn_away(context, request, stranger),
        }
    }

    /// The client's TCP or TLS connection is closed, and its allocation with it, unless it may come back with a ticket.
    pub fn client_gone(&mut self, tuple: FiveTuple, host: &mut dyn Host) {
        self.parked.retain(|parked| parked.tuple != tuple);
        let Some(id) = self.find(&tuple) else { return };
        match self.get(id).is_some_and(|allocation| allocation.ticket.is_some()) {
            true => self.table.leave(id),
            false => {
                self.free_allocation(id, FreeReason::Disconnected, host);
            }
        }
    }

    pub fn kick(&mut self, id: AllocationId, host: &mut dyn Host) -> bool {
        self.free_allocation(id, FreeReason::Kicked, host)
    }

    /// Nobody gets an allocation any more; those there are go on.
    pub fn drain(&mut self) {
        self.is_draining = true;
    }

    pub fn poll_event(&mut self) -> Option<TurnEvent> {
        self.events.pop_front()
    }

    pub fn allocations(&self) -> impl Iterator<Item = AllocationView> {
        self.table.iter().map(|(id, a)| AllocationView {
            id,
            username: a.username.clone(),
            tuple: a.tuple,
            relayed: a.relays.iter().flatten().map(|relay| relay.address).collect(),
            age_s: self.now_s.saturating_sub(a.created_s),
            left_s: a.expires_s.saturating_sub(self.now_s),
            permissions: a.permissions.len() as u32,
            channels: a.channels.len() as u32,
            connections: a.connections.as_ref().map(|connections| connections.len() as u32),
            usage: a.usage,
        })
    }
}
