//! Binding (RFC 8489 §3, RFC 5780 §6.1): anybody may ask, and learns where its packets come from.

use std::time::Instant;

use peerline_wire::stun::binding::{Answer, BindingRequest, MAX_ANSWER_LEN, Silence};
use peerline_wire::stun::kind;

use crate::discovery::{BadChange, Discovery, Ways};
use crate::server::{Outcome, Server};
use crate::tuple::FiveTuple;

impl Server {
    pub(crate) fn answer_binding(
        &mut self,
        now: Instant,
        tuple: &FiveTuple,
        message: &[u8],
        reply: &mut Vec<u8>,
    ) -> Outcome {
        let request = match BindingRequest::parse(message) {
            Ok(request) => request,
            Err(Silence::Malformed(_)) => {
                self.counters.malformed += 1;
                return Outcome::Silence;
            }
            Err(_) => {
                self.counters.unserved += 1;
                return Outcome::Silence;
            }
        };
        if !self.may_answer(now, tuple) {
            return Outcome::Silence;
        }
        let mut buffer = [0; MAX_ANSWER_LEN];
        let (answer, from) = match Discovery::ways(&self.settings.discovery, tuple, &request) {
            None => (request.answer(tuple.client, &mut buffer), tuple.server),
            Some(Ok(ways)) => (answer_discovery(&request, &ways, tuple, &mut buffer), ways.from),
            Some(Err(BadChange)) => {
                self.counters.refused += 1;
                let len = request.refuse(400, &mut buffer);
                reply.extend_from_slice(&buffer[..len]);
                return Outcome::Reply;
            }
        };
        reply.extend_from_slice(answer.bytes(&buffer));
        match answer {
            Answer::Success(_) => self.counters.bindings += 1,
            Answer::UnknownAttributes(_) => self.counters.refused += 1,
        }
        match answer {
            Answer::Success(_) if from != tuple.server => Outcome::ReplyFrom(from),
            _ => Outcome::Reply,
        }
    }
}

fn answer_discovery(
    request: &BindingRequest<'_>,
    ways: &Ways,
    tuple: &FiveTuple,
    buffer: &mut [u8; MAX_ANSWER_LEN],
) -> Answer {
    request.answer_with(tuple.client, &[kind::CHANGE_REQUEST], buffer, |writer| ways.write(writer))
}
