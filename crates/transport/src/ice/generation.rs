//! One generation of ICE: one set of credentials, its pairs, and whether the peer still consents (RFC 7675).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use is::stun::{StunMessage, StunPacket};
use is::{Candidate, CandidateKind, IceAgent, IceAgentEvent, IceConnectionState, IceCreds, Protocol};

use super::credentials::{BadCredentials, Credentials, random_number};
use super::event::{Address, BadCandidate, IceState, PairStats, Transmit};
use super::hmac::Hmac;

/// A working pair is asked so often: two questions may be lost before it counts as disconnected.
const CHECK_EVERY: Duration = Duration::from_secs(2);
const DISCONNECTED_AFTER: Duration = Duration::from_millis(4500);
/// RFC 7675 §5.1.
const CONSENT_LASTS: Duration = Duration::from_secs(30);
/// Nothing is given up before (RFC 8863 §4).
const PATIENCE: Duration = Duration::from_millis(39_500);
/// Questions without an answer until a pair is dropped: longer than consent lasts, so that it may come back.
const MAX_UNANSWERED: usize = 22;
/// Of the peer's candidates, those included that its packets came from.
const MAX_REMOTE: usize = 128;
/// Of addresses that nobody announced. Whoever overhears a question can repeat it from anywhere, and it is valid: each
/// address is checked like the peer's own, and with too many the selected pair would not get its turn.
const MAX_UNANNOUNCED: usize = 16;

#[derive(Debug)]
pub(super) struct Generation {
    agent: IceAgent,
    pub(super) selected: Option<Address>,
    /// When there was a candidate of the peer to try first.
    checking_since: Option<Instant>,
    /// When the selected pair answered last, and how many answers that makes.
    answered: Option<(Instant, u64)>,
    stepped: Option<Instant>,
    /// Another way the peer was heard on, and wants or may be used; and when.
    alternative: Option<(Address, Instant)>,
    is_failed: bool,
    pub(super) is_end_of_local: bool,
    pub(super) is_end_of_remote: bool,
}

impl Generation {
    pub(super) fn new(now: Instant, credentials: &Credentials, is_controlling: bool) -> Self {
        let mut agent = IceAgent::with_hmac(
            IceCreds { ufrag: credentials.ufrag.clone(), pass: credentials.password.clone() },
            &Hmac,
        );
        agent.set_control_tie_breaker(random_number());
        agent.set_controlling(is_controlling);
        agent.set_max_stun_rto(CHECK_EVERY);
        agent.set_max_stun_retransmits(MAX_UNANSWERED);
        agent.handle_timeout(now);
        Self {
            agent,
            selected: None,
            checking_since: None,
            answered: None,
            stepped: None,
            alternative: None,
            is_failed: false,
            is_end_of_local: false,
            is_end_of_remote: false,
        }
    }

    pub(super) fn is_controlling(&self) -> bool {
        self.agent.controlling()
    }

    pub(super) fn set_controlling(&mut self, is_controlling: bool) {
        self.agent.set_controlling(is_controlling);
    }

    pub(super) fn has_remote_credentials(&self) -> bool {
        self.agent.remote_credentials().is_some()
    }

    pub(super) fn set_remote_credentials(&mut self, now: Instant, remote: Credentials) -> Result<(), BadCredentials> {
        remote.check()?;
        self.agent.set_remote_credentials(IceCreds { ufrag: remote.ufrag, pass: remote.password });
        self.step(now);
        Ok(())
    }

    /// The line for the peer; `None` if it says nothing new.
    pub(super) fn add_local(&mut self, now: Instant, candidate: Candidate) -> Option<String> {
        let line = self.agent.add_local_candidate(candidate)?.to_sdp_string();
        self.step(now);
        Some(line)
    }

    /// The address is gone, and every pair with it.
    pub(super) fn remove_local(&mut self, now: Instant, address: SocketAddr) {
        let gone: Vec<Candidate> = self.agent.local_candidates().filter(|own| own.local() == address).collect();
        for candidate in gone {
            self.agent.invalidate_candidate(&candidate);
        }
        self.step(now);
    }

    pub(super) fn add_remote(&mut self, now: Instant, candidate: Candidate) -> Result<(), BadCandidate> {
        if self.remote_count() >= MAX_REMOTE {
            return Err(BadCandidate::TooMany);
        }
        self.agent.add_remote_candidate(candidate);
        self.step(now);
        Ok(())
    }

    /// False: the message is not of this generation.
    pub(super) fn handle_input(&mut self, now: Instant, address: Address, bytes: &[u8]) -> bool {
        let Ok(message) = StunMessage::parse(bytes) else { return false };
        if !self.agent.accepts_message(&message) {
            return false;
        }
        if !self.is_known(address.remote) && self.has_no_room_for_strangers() {
            return true;
        }
        let may_be_used = self.agent.controlling() || message.use_candidate();
        let is_elsewhere = self.selected.is_some_and(|pair| pair.remote != address.remote);
        if message.is_binding_request() && may_be_used && is_elsewhere {
            self.alternative = Some((address, now));
        }
        let packet = StunPacket { proto: Protocol::Udp, source: address.remote, destination: address.local, message };
        self.agent.handle_packet(now, packet);
        self.step(now);
        true
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.step(now);
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        let transmit = self.agent.poll_transmit()?;
        let address = Address { local: transmit.source, remote: transmit.destination };
        Some(Transmit { address, bytes: transmit.contents.to_vec() })
    }

    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        if self.is_failed {
            return None;
        }
        let patience = match (self.answered, self.checking_since) {
            (Some((at, _)), _) => Some([at + DISCONNECTED_AFTER, at + CONSENT_LASTS]),
            (None, Some(since)) => Some([since + PATIENCE; 2]),
            (None, None) => None,
        };
        let now = self.stepped;
        let next = patience.into_iter().flatten().filter(|due| now.is_none_or(|now| *due > now)).min();
        [self.agent.poll_timeout(), next].into_iter().flatten().min()
    }

    /// All is well, and nothing is looked for.
    pub(super) fn is_at_rest(&self) -> bool {
        self.stepped.is_some_and(|now| self.state(now) == IceState::Completed)
    }

    pub(super) fn state(&self, now: Instant) -> IceState {
        let is_quiet = |longest| self.answered.is_some_and(|(at, _)| now.saturating_duration_since(at) >= longest);
        if self.is_failed {
            IceState::Failed
        } else if self.selected.is_some() {
            let is_completed =
                self.is_end_of_local && self.is_end_of_remote && self.agent.state() == IceConnectionState::Completed;
            match (is_quiet(DISCONNECTED_AFTER), is_completed) {
                (true, _) => IceState::Disconnected,
                (false, true) => IceState::Completed,
                (false, false) => IceState::Connected,
            }
        } else if self.checking_since.is_some() {
            IceState::Checking
        } else {
            IceState::New
        }
    }

    pub(super) fn stats(&self) -> Option<PairStats> {
        Some(PairStats {
            address: self.selected?,
            round_trip: self.agent.nominated_pair_rtt(),
            total_round_trip: self.agent.nominated_pair_total_rtt().unwrap_or_default(),
            responses_received: self.agent.nominated_pair_responses_received().unwrap_or_default(),
        })
    }

    fn step(&mut self, now: Instant) {
        if self.is_failed {
            return;
        }
        self.leave_silent_pair(now);
        self.agent.handle_timeout(now);
        while let Some(event) = self.agent.poll_event() {
            if let IceAgentEvent::NominatedSend { source, destination, .. } = event {
                self.selected = Some(Address { local: source, remote: destination });
                // A pair is nominated by an answer.
                self.answered = Some((now, self.answers()));
            }
        }
        if self.checking_since.is_none() && self.has_remote_credentials() && self.remote_count() > 0 {
            self.checking_since = Some(now);
        }
        let answers = self.answers();
        if let Some((at, seen)) = &mut self.answered
            && answers > *seen
        {
            (*at, *seen) = (now, answers);
        }
        let is_over = |since: Instant, lasts| now.saturating_duration_since(since) >= lasts;
        self.is_failed = match (self.answered, self.checking_since) {
            (Some((at, _)), _) => is_over(at, CONSENT_LASTS),
            (None, Some(since)) => is_over(since, PATIENCE),
            (None, None) => false,
        };
        if self.is_failed {
            self.selected = None;
        }
        self.stepped = Some(now);
    }

    /// The peer is silent where we send and was heard elsewhere just now: its NAT has given it another port, or it has
    /// moved. The agent alone would hold on to the pair of higher priority.
    fn leave_silent_pair(&mut self, now: Instant) {
        let within = |at: Instant| now.saturating_duration_since(at) < DISCONNECTED_AFTER;
        let (Some(selected), Some((answered, _)), Some((alternative, heard))) =
            (self.selected, self.answered, self.alternative)
        else {
            return;
        };
        if within(answered) || !within(heard) || alternative.remote == selected.remote {
            return;
        }
        self.alternative = None;
        let silent: Vec<Candidate> =
            self.agent.remote_candidates().filter(|candidate| candidate.addr() == selected.remote).collect();
        for candidate in silent {
            self.agent.invalidate_candidate(&candidate);
        }
    }

    fn answers(&self) -> u64 {
        self.agent.nominated_pair_responses_received().unwrap_or_default()
    }

    fn remote_count(&self) -> usize {
        self.agent.remote_candidates().count()
    }

    fn has_no_room_for_strangers(&self) -> bool {
        let unannounced =
            self.agent.remote_candidates().filter(|candidate| candidate.kind() == CandidateKind::PeerReflexive).count();
        unannounced >= MAX_UNANNOUNCED || self.remote_count() >= MAX_REMOTE
    }

    fn is_known(&self, remote: SocketAddr) -> bool {
        self.agent.remote_candidates().any(|candidate| candidate.addr() == remote)
    }
}
