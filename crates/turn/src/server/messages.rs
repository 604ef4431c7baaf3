//! What is done with a message: who asks, and which method answers.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;

use peerline_wire::stun::{Class, FingerprintCheck, Message, Method, kind};

use crate::allocation::Allocation;
use crate::auth::{Authenticated, Known, Stranger, authenticate};
use crate::event::Question;
use crate::host::{AllocationId, ConnectionId, Host, RelayId};
use crate::reply;
use crate::request::Request;
use crate::server::{Now, Server};
use crate::tuple::FiveTuple;

/// What is to be done with a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Silence,
    /// The answer has been written.
    Reply,
    /// The answer has been written, and leaves from this address of ours instead of the one that was asked.
    ReplyFrom(SocketAddr),
    /// This range of the message goes to the peer.
    Forward {
        allocation: AllocationId,
        relay: RelayId,
        peer: SocketAddr,
        data: Range<usize>,
        dont_fragment: bool,
    },
    /// The owner decides; see [`Server::decide`].
    Ask(Question),
    /// The answer has been written. Behind it, the stream the message came on and the one to this peer are one: what
    /// comes out of either goes into the other.
    Join(ConnectionId),
    /// The stream the message came on belongs to this shard, and so does the message.
    HandOver {
        shard: u32,
    },
}

/// One message in work.
pub(crate) struct Context<'a> {
    pub(crate) now: Now,
    pub(crate) tuple: FiveTuple,
    pub(crate) host: &'a mut dyn Host,
    pub(crate) reply: &'a mut Vec<u8>,
}

impl Server {
    /// A STUN message from a client. An answer is written to `reply`, which is cleared first.
    pub fn handle_message(
        &mut self,
        now: Now,
        tuple: FiveTuple,
        message: &[u8],
        host: &mut dyn Host,
        reply: &mut Vec<u8>,
    ) -> Outcome {
        reply.clear();
        self.now_s = self.s(now.instant);
        if message.starts_with(&[0, 1]) || !self.settings.has_credentials() {
            return self.answer_binding(now.instant, &tuple, message, reply);
        }
        let Ok(parsed) = Message::parse(message) else {
            self.counters.malformed += 1;
            return Outcome::Silence;
        };
        let has_fingerprint = match parsed.check_fingerprint() {
            FingerprintCheck::Absent => false,
            FingerprintCheck::Right => true,
            FingerprintCheck::Wrong => {
                self.counters.malformed += 1;
                return Outcome::Silence;
            }
        };
        let request = Request::new(parsed, has_fingerprint);
        let mut context = Context { now, tuple, host, reply };
        match (request.class(), request.method()) {
            (Class::Indication, Method::SEND) => self.send(&context, &request),
            (Class::Request, Method::ALLOCATE | Method::REFRESH | Method::CREATE_PERMISSION | Method::CHANNEL_BIND) => {
                self.serve(&mut context, &request, message, false)
            }
            (Class::Request, Method::CONNECT | Method::CONNECTION_BIND) if self.relays_tcp(&context, &request) => {
                self.serve_tcp(&mut context, &request, message)
            }
            // Responses are nobody's; answering other methods would only help to find us.
            _ => {
                self.counters.unserved += 1;
                Outcome::Silence
            }
        }
    }

    /// Whether this client has reason to ask for connections with peers.
    fn relays_tcp(&self, context: &Context<'_>, request: &Request<'_>) -> bool {
        let meant = self.find(&context.tuple).or_else(|| self.named_by_connection(request));
        let is_known = meant.and_then(|id| self.get(id)).is_some_and(Allocation::is_tcp);
        self.settings.tcp_relays || is_known
    }

    /// Connect and ConnectionBind.
    fn serve_tcp(&mut self, context: &mut Context<'_>, request: &Request<'_>, message: &[u8]) -> Outcome {
        // A connection that has an allocation stays with it.
        let elsewhere = self.bound_elsewhere(context, request).filter(|_| self.find(&context.tuple).is_none());
        match elsewhere {
            // Who it is will be asked there, where its allocation is.
            Some(shard) if self.may_answer(context.now.instant, &context.tuple) => Outcome::HandOver { shard },
            Some(_) => Outcome::Silence,
            None => self.serve(context, request, message, false),
        }
    }

    /// A request that needs to know who asks. `is_decided`: its owner has allowed it.
    pub(crate) fn serve(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        message: &[u8],
        is_decided: bool,
    ) -> Outcome {
        let existing = self.find(&context.tuple);
        let named = || self.named_by_ticket(request).or_else(|| self.named_by_connection(request));
        let meant = existing.or_else(named);
        let known = meant.and_then(|id| self.get(id)).map(|a| Known { username: &a.username, key: &a.key });
        let unix_s = context.now.unix_s;
        match authenticate(request, &self.settings, &self.keys, &context.tuple, unix_s, known) {
            Ok(client) => {
                let is_own = existing.and_then(|id| self.get(id)).is_none_or(|a| *a.username == *client.username);
                if !is_own && request.method() != Method::ALLOCATE {
                    return self.refuse(context, request, &client, 441);
                }
                self.serve_client(context, request, message, &client, existing, is_decided)
            }
            Err(stranger) => self.turn_away(context, request, stranger),
        }
    }

    fn serve_client(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        message: &[u8],
        client: &Authenticated,
        existing: Option<AllocationId>,
        is_decided: bool,
    ) -> Outcome {
        match (request.method(), existing) {
            (Method::ALLOCATE, _) => self.allocate(context, request, message, client, existing, is_decided),
            (Method::REFRESH, None) if request.has(kind::MOBILITY_TICKET) => self.resume(context, request, client),
            (Method::CONNECTION_BIND, _) => self.connection_bind(context, request, client, existing),
            (_, None) => self.refuse(context, request, client, 437),
            (Method::REFRESH, Some(id)) => self.refresh(context, request, client, id),
            (Method::CREATE_PERMISSION, Some(id)) => self.create_permission(context, request, client, id),
            (Method::CHANNEL_BIND, Some(id)) => self.channel_bind(context, request, client, id),
            (Method::CONNECT, Some(id)) => self.connect(context, request, client, id),
            _ => Outcome::Silence,
        }
    }

    /// To somebody we do not know: no more than 3.6 times what it sent, and not too often.
    pub(super) fn turn_away(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        stranger: Stranger,
    ) -> Outcome {
        if !self.may_answer(context.now.instant, &context.tuple) {
            return Outcome::Silence;
        }
        self.counters.unauthorized += 1;
        let Context { now, tuple, reply, .. } = context;
        match stranger {
            Stranger::Malformed => reply::error(reply, request, 400, None),
            Stranger::Unauthorized | Stranger::StaleNonce => {
                let code = if stranger == Stranger::StaleNonce { 438 } else { 401 };
                reply::challenge(reply, request, code, &self.settings, &self.keys, tuple, now.unix_s);
            }
        }
        Outcome::Reply
    }

    /// To somebody we know.
    pub(crate) fn refuse(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        client: &Authenticated,
        code: u16,
    ) -> Outcome {
        self.counters.refused += 1;
        reply::error(context.reply, request, code, Some(client.into()));
        Outcome::Reply
    }

    /// 420 to somebody we know.
    pub(crate) fn refuse_unknown(
        &mut self,
        context: &mut Context<'_>,
        request: &Request<'_>,
        client: &Authenticated,
        kinds: &[u16],
    ) -> Outcome {
        self.counters.refused += 1;
        reply::unknown_attributes(context.reply, request, kinds, Some(client.into()));
        Outcome::Reply
    }

    pub(crate) fn may_answer(&mut self, now: Instant, tuple: &FiveTuple) -> bool {
        let may = self.limiter.as_mut().is_none_or(|limiter| limiter.allow(now, tuple.client.ip()));
        self.counters.rate_limited += u64::from(!may);
        may
    }
}
