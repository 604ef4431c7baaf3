//! What each response means (RFC 8656 §7.3, §8.3, §10.3, §12.3; RFC 8489 §9.2.5, §10).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use peerline_wire::stun::{Class, ErrorCode, FingerprintCheck, Message, decode_address, decode_xor_address, kind};

use super::credentials::is_weakened;
use super::event::{RelayEvent, RelayInput};
use super::machine::{Allocation, Phase, Relay};
use super::settings::RelayFamily;
use super::transaction::{Purpose, Transaction};

/// About one thing a server may challenge us so often. Two are ordinary: an unknown nonce, and a stale one.
const MAX_CHALLENGES: u32 = 4;
/// Servers may send us from one to the next so often.
const MAX_SERVERS: usize = 4;
/// What a server says to people is cut here.
const MAX_REASON_LEN: usize = 200;
/// If the server does not say.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

/// A response as far as it can be trusted: what follows its seal is anybody's.
#[derive(Clone, Copy)]
struct Answer<'m> {
    message: Message<'m>,
    end: usize,
}

impl<'m> Answer<'m> {
    fn value(&self, kind: u16) -> Option<&'m [u8]> {
        let found = self.message.attributes().take_while(|one| one.offset < self.end).find(|one| one.kind == kind)?;
        Some(found.value)
    }

    fn address(&self, kind: u16) -> Option<SocketAddr> {
        let address = decode_xor_address(self.value(kind)?, self.message.transaction)?;
        let is_one = address.port() != 0 && !address.ip().is_unspecified() && !address.ip().is_multicast();
        is_one.then_some(address)
    }

    fn lifetime(&self) -> Duration {
        let s = self.value(kind::LIFETIME).and_then(|value| Some(u32::from_be_bytes(value.try_into().ok()?)));
        s.map_or(DEFAULT_LIFETIME, |s| Duration::from_secs(s.into()))
    }
}

impl Relay {
    pub(super) fn handle_answer(&mut self, now: Instant, message: Message<'_>) -> RelayInput {
        let is_it = |one: &Transaction| one.id == message.transaction && one.purpose.method() == message.method;
        let Some(at) = self.transactions.iter().position(is_it) else { return RelayInput::Foreign };
        if message.check_fingerprint() == FingerprintCheck::Wrong {
            return RelayInput::Taken;
        }
        self.has_heard = true;
        let error = (message.class == Class::Error).then(|| said(&message));
        if let Some((code @ (401 | 438), reason)) = error {
            let transaction = self.transactions.swap_remove(at);
            self.answer_challenge(now, &transaction, &message, code, reason);
            return RelayInput::Taken;
        }
        let seal = self.transactions[at].seal.as_ref();
        let end = match seal {
            // Nobody has asked us who we are.
            None => Some(usize::MAX),
            Some(seal) => seal.find_in(&message).map(|found| found.offset),
        };
        let Some(end) = end.filter(|_| !is_weakened(&message)) else {
            self.hear_rumour(now, at, error);
            return RelayInput::Taken;
        };
        let transaction = self.transactions.swap_remove(at);
        let answer = Answer { message, end };
        match error {
            None => self.succeed(now, &transaction, answer),
            Some((300, reason)) if transaction.purpose == Purpose::Allocate => self.redirect(now, answer, reason),
            Some((code, reason)) => self.fail(now, transaction.purpose, code, reason),
        }
        RelayInput::Taken
    }

    /// Somebody says so, and cannot show that it is the server. Over UDP the real answer may still come; on a stream none
    /// will: there, whoever can write into it can also cut it.
    fn hear_rumour(&mut self, now: Instant, at: usize, error: Option<(u16, String)>) {
        if self.settings.is_stream {
            let purpose = self.transactions.swap_remove(at).purpose;
            let (code, reason) = error.unwrap_or_else(|| (701, "the server's answer is not authentic".to_owned()));
            self.fail(now, purpose, code, reason);
        } else if error.is_some() {
            self.transactions[at].rumour = error;
        }
    }

    fn answer_challenge(
        &mut self,
        now: Instant,
        transaction: &Transaction,
        message: &Message<'_>,
        code: u16,
        reason: String,
    ) {
        let Transaction { purpose, challenges, .. } = *transaction;
        // The same name and password would be wrong again (RFC 8489 §9.2.5).
        let is_wrong = code == 401 && transaction.seal.is_some() && self.credentials.is_of_realm(message);
        if is_wrong || challenges >= MAX_CHALLENGES || self.credentials.learn(message).is_err() {
            self.fail(now, purpose, code, reason);
        } else {
            self.ask(now, purpose, challenges + 1);
        }
    }

    fn succeed(&mut self, now: Instant, transaction: &Transaction, answer: Answer<'_>) {
        let since = transaction.since;
        match transaction.purpose {
            Purpose::Allocate => self.allocated(now, since, answer),
            Purpose::Refresh => {
                if let Phase::Allocated(allocation) = &mut self.phase {
                    allocation.prolong(since, answer.lifetime());
                }
            }
            Purpose::Release => self.finish(RelayEvent::Closed),
            Purpose::Permit(ip) => self.permitted(since, ip),
            Purpose::Bind { channel, peer } => {
                self.channels.bind(since, channel);
                self.permitted(since, peer.ip());
            }
        }
    }

    fn allocated(&mut self, now: Instant, since: Instant, answer: Answer<'_>) {
        let Some(relayed) = answer.address(kind::XOR_RELAYED_ADDRESS) else {
            self.end(701, "the server has answered without an address".to_owned());
            return;
        };
        let mapped = answer.address(kind::XOR_MAPPED_ADDRESS);
        self.phase = Phase::Allocated(Allocation::new(relayed, since, answer.lifetime()));
        if self.is_closing {
            self.ask(now, Purpose::Release, 0);
        } else {
            self.events.push_back(RelayEvent::Allocated { relayed, mapped });
        }
    }

    fn fail(&mut self, now: Instant, purpose: Purpose, code: u16, reason: String) {
        let is_gone = code == 437;
        match purpose {
            Purpose::Allocate if self.may_ask_other_family(code) => {
                self.family = self.family.other();
                self.ask(now, Purpose::Allocate, 0);
            }
            Purpose::Allocate => self.end(code, reason),
            Purpose::Release => self.finish(RelayEvent::Closed),
            _ if is_gone => self.end(code, reason),
            Purpose::Refresh => {
                if let Phase::Allocated(allocation) = &mut self.phase {
                    allocation.refuse(code, reason);
                }
            }
            Purpose::Permit(ip) => self.permissions.refuse(now, ip, code),
            Purpose::Bind { channel, .. } => self.channels.refuse(now, channel),
        }
    }

    /// 440: it has no such addresses. 420: it does not know that there are two kinds.
    fn may_ask_other_family(&self, code: u16) -> bool {
        self.family == self.settings.family && (code == 440 || code == 420 && self.family == RelayFamily::V6)
    }

    /// Nothing that counts has come in all the time.
    pub(super) fn give_up(&mut self, now: Instant, transaction: Transaction) {
        if let Some((code, reason)) = transaction.rumour {
            return self.fail(now, transaction.purpose, code, reason);
        }
        match transaction.purpose {
            Purpose::Allocate => self.end(701, "the server does not answer".to_owned()),
            Purpose::Release => self.finish(RelayEvent::Closed),
            Purpose::Refresh => {
                if let Phase::Allocated(allocation) = &mut self.phase {
                    allocation.refresh_again(now);
                }
            }
            Purpose::Permit(ip) => self.permissions.give_up(ip),
            Purpose::Bind { channel, .. } => self.channels.give_up(now, channel),
        }
    }

    /// Another server is to be asked, with the same name and password (RFC 8489 §10).
    fn redirect(&mut self, now: Instant, answer: Answer<'_>, reason: String) {
        let Some(server) = answer.value(kind::ALTERNATE_SERVER).and_then(decode_address).filter(|to| self.may_ask(*to))
        else {
            self.end(300, reason);
            return;
        };
        if self.is_closing {
            return self.finish(RelayEvent::Closed);
        }
        self.servers.push(server);
        self.settings.server = server;
        self.credentials.forget();
        self.has_heard = false;
        let domain = answer.value(kind::ALTERNATE_DOMAIN).and_then(|name| std::str::from_utf8(name).ok());
        let domain = domain.map(str::to_owned).filter(|name| name.len() <= 255);
        self.events.push_back(RelayEvent::Redirected { server, domain });
        if self.settings.is_stream {
            self.phase = Phase::Unconnected;
        } else {
            self.start(now);
        }
    }

    /// Of the same family, not in a circle, and not to whatever listens on this very machine.
    fn may_ask(&self, server: SocketAddr) -> bool {
        let first = self.settings.server;
        let is_of_family = server.is_ipv4() == first.is_ipv4();
        let is_inward = server.ip().is_loopback() && !first.ip().is_loopback();
        let is_address = server.port() != 0 && !server.ip().is_unspecified() && !server.ip().is_multicast();
        let is_new = !self.servers.contains(&server) && self.servers.len() < MAX_SERVERS;
        is_of_family && is_address && is_new && !is_inward
    }
}

/// Code and reason of an error response; one without a code is worth as much as a server that is broken.
fn said(message: &Message<'_>) -> (u16, String) {
    let ErrorCode { code, reason } = message.error_code().unwrap_or(ErrorCode { code: 500, reason: "" });
    let reason: String = reason.chars().filter(|letter| !letter.is_control()).take(MAX_REASON_LEN).collect();
    let usual = if reason.is_empty() { usual_reason(code) } else { "" };
    (code, if usual.is_empty() { reason } else { usual.to_owned() })
}

/// For servers that say nothing but the code (RFC 8489 §14.8, RFC 8656 §19, RFC 8016 §8).
fn usual_reason(code: u16) -> &'static str {
    match code {
        300 => "Try Alternate",
        400 => "Bad Request",
        401 => "Unauthenticated",
        403 => "Forbidden",
        420 => "Unknown Attribute",
        437 => "Allocation Mismatch",
        438 => "Stale Nonce",
        440 => "Address Family not Supported",
        441 => "Wrong Credentials",
        442 => "Unsupported Transport Protocol",
        443 => "Peer Address Family Mismatch",
        486 => "Allocation Quota Reached",
        500 => "Server Error",
        508 => "Insufficient Capacity",
        _ => "",
    }
}
