//! The ICE agent of one transport: two generations during a restart, and the five verbs (RFC 8445 §9, RFC 8839 §4.4.3).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use is::{Candidate, CandidateKind};

use super::credentials::{BadCredentials, Credentials};
use super::event::{Address, BadCandidate, IceEvent, IceState, PairStats, Transmit};
use super::generation::Generation;

#[derive(Debug, Clone, Copy, Default)]
pub struct IceSettings {
    /// Whether this side decides which pair is used; the offerer does (RFC 8445 §6.1.1).
    pub is_controlling: bool,
    /// W3C's policy `relay`: no address of ours is shown or used but a relay's.
    pub is_relay_only: bool,
    /// A moment from which idle agents count beats that they wake on together, not each by itself; `None`: no beats.
    pub beats_from: Option<Instant>,
}

/// How late a question may be where all is well.
const BEAT: Duration = Duration::from_millis(200);

/// The agent. Candidates come from its owner; it pairs, checks, nominates and keeps alive.
///
/// After a restart the pair in use lives on until the new generation has one.
#[derive(Debug)]
pub struct Ice {
    settings: IceSettings,
    credentials: Credentials,
    current: Generation,
    /// The restart under way, with its credentials.
    next: Option<(Generation, Credentials)>,
    state: IceState,
    selected: Option<Address>,
    events: VecDeque<IceEvent>,
}

impl Ice {
    pub fn new(now: Instant, settings: IceSettings) -> Self {
        Self::with_credentials(now, settings, Credentials::random())
    }

    /// With credentials that a description has told already.
    pub fn with_credentials(now: Instant, settings: IceSettings, credentials: Credentials) -> Self {
        Self {
            settings,
            current: Generation::new(now, &credentials, settings.is_controlling),
            credentials,
            next: None,
            state: IceState::New,
            selected: None,
            events: VecDeque::new(),
        }
    }

    /// The credentials for our description: of the restart under way, if there is one.
    pub fn local_credentials(&self) -> &Credentials {
        self.next.as_ref().map_or(&self.credentials, |(_, credentials)| credentials)
    }

    pub fn is_controlling(&self) -> bool {
        self.current.is_controlling()
    }

    pub fn set_controlling(&mut self, is_controlling: bool) {
        self.current.set_controlling(is_controlling);
        if let Some((next, _)) = &mut self.next {
            next.set_controlling(is_controlling);
        }
    }

    /// The peer's credentials, for the newest generation.
    pub fn set_remote_credentials(&mut self, now: Instant, remote: Credentials) -> Result<(), BadCredentials> {
        let result = self.newest().set_remote_credentials(now, remote);
        self.settle(now);
        result
    }

    /// An address of ours, for the newest generation. The line is for the peer; without one there is nothing to say:
    /// the address is known already, or the policy hides it.
    pub fn add_local_candidate(&mut self, now: Instant, candidate: Candidate) -> Option<String> {
        if self.settings.is_relay_only && candidate.kind() != CandidateKind::Relayed {
            return None;
        }
        let line = self.newest().add_local(now, candidate);
        self.settle(now);
        line
    }

    /// A socket or a relay of ours is gone.
    pub fn remove_local_address(&mut self, now: Instant, address: SocketAddr) {
        self.current.remove_local(now, address);
        if let Some((next, _)) = &mut self.next {
            next.remove_local(now, address);
        }
        self.settle(now);
    }

    /// A candidate of the peer's, as its line says it (`candidate:…`), for the newest generation.
    pub fn add_remote_candidate(&mut self, now: Instant, line: &str) -> Result<(), BadCandidate> {
        let candidate = Candidate::from_sdp_string(line).map_err(|_| BadCandidate::Unreadable)?;
        let result = self.newest().add_remote(now, candidate);
        self.settle(now);
        result
    }

    /// We have no more candidates.
    pub fn end_of_local_candidates(&mut self, now: Instant) {
        self.newest().is_end_of_local = true;
        self.settle(now);
    }

    /// The peer has no more candidates.
    pub fn end_of_remote_candidates(&mut self, now: Instant) {
        self.newest().is_end_of_remote = true;
        self.settle(now);
    }

    /// Begins anew with these credentials; candidates have to be added again. What works keeps working meanwhile.
    pub fn restart(&mut self, now: Instant) -> &Credentials {
        self.restart_with(now, Credentials::random())
    }

    /// The same, with credentials that a description has told already.
    pub fn restart_with(&mut self, now: Instant, credentials: Credentials) -> &Credentials {
        let next = Generation::new(now, &credentials, self.current.is_controlling());
        &self.next.insert((next, credentials)).1
    }

    /// The restart did not happen (the offer was rolled back).
    pub fn abort_restart(&mut self, now: Instant) {
        self.next = None;
        self.settle(now);
    }

    /// Whether a new generation has begun and has no pair yet.
    pub fn is_restarting(&self) -> bool {
        self.next.is_some()
    }

    pub fn state(&self) -> IceState {
        self.state
    }

    /// Where data is to be sent. `None`: nowhere, for want of a pair or of consent.
    pub fn selected_pair(&self) -> Option<Address> {
        self.selected
    }

    pub fn stats(&self) -> Option<PairStats> {
        self.current.stats()
    }

    /// A datagram that begins like STUN. False: it is none of ours.
    pub fn handle_input(&mut self, now: Instant, address: Address, bytes: &[u8]) -> bool {
        let is_next = self.next.as_mut().is_some_and(|(next, _)| next.handle_input(now, address, bytes));
        let is_ours = is_next || self.current.handle_input(now, address, bytes);
        self.settle(now);
        is_ours
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.current.handle_timeout(now);
        if let Some((next, _)) = &mut self.next {
            next.handle_timeout(now);
        }
        self.settle(now);
    }

    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.current.poll_transmit().or_else(|| self.next.as_mut()?.0.poll_transmit())
    }

    pub fn poll_event(&mut self) -> Option<IceEvent> {
        self.events.pop_front()
    }

    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let next = self.next.as_mut().and_then(|(next, _)| next.poll_timeout());
        let mut current = self.current.poll_timeout();
        if let Some(from) = self.settings.beats_from
            && self.current.is_at_rest()
        {
            current = current.map(|due| on_beat(from, due));
        }
        [current, next].into_iter().flatten().min()
    }

    fn newest(&mut self) -> &mut Generation {
        self.next.as_mut().map_or(&mut self.current, |(next, _)| next)
    }

    /// Takes the new generation over when it has a pair, and tells what changed.
    fn settle(&mut self, now: Instant) {
        if self.next.as_ref().is_some_and(|(next, _)| next.selected.is_some())
            && let Some((next, credentials)) = self.next.take()
        {
            self.current = next;
            self.credentials = credentials;
        }
        let mut state = self.current.state(now);
        // A transport that does not work has the state of its restart.
        if !matches!(state, IceState::Connected | IceState::Completed)
            && let Some((next, _)) = &self.next
            && next.has_remote_credentials()
        {
            state = next.state(now);
        }
        if self.current.selected != self.selected {
            self.selected = self.current.selected;
            self.events.extend(self.selected.map(IceEvent::SelectedPair));
        }
        if state != self.state {
            self.state = state;
            self.events.push_back(IceEvent::StateChanged(state));
        }
    }
}

/// The first beat that is not before.
fn on_beat(from: Instant, due: Instant) -> Instant {
    let since = due.saturating_duration_since(from).as_micros();
    due + Duration::from_micros((since.next_multiple_of(BEAT.as_micros()) - since) as u64)
}
