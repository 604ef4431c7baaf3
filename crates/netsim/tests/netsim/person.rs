//! One side of a call: a session with its sockets, what it wants to send, and what has come.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use peerline_netsim::{Packet, Peer};
use peerline_session::{Session, SessionEvent};
use peerline_transport::data_channel::{ChannelEvent, ChannelKey, ChannelSettings, Kind, OpenError, SendError};
use peerline_transport::ice::{Address, Candidate, Gathering, GatheringEvent, IceEvent, IceState};

use crate::signaling::{Signal, Signaling};

/// As an application does it: not more than this waits inside a channel.
const HIGH_WATER: usize = 256 * 1024;

pub(crate) struct Person {
    pub(crate) side: usize,
    pub(crate) session: Session,
    pub(crate) sockets: Vec<SocketAddr>,
    pub(crate) stun: Vec<SocketAddr>,
    gathering: Gathering,
    signaling: Rc<RefCell<Signaling>>,
    /// With the moment at which each happened.
    pub(crate) events: Vec<(Instant, SessionEvent)>,
    /// Messages for channels, sent as they are taken.
    pub(crate) outbox: VecDeque<(ChannelKey, Vec<u8>)>,
    /// What has come, by the label of its channel.
    pub(crate) inbox: BTreeMap<String, Vec<Vec<u8>>>,
    labels: BTreeMap<ChannelKey, String>,
    /// Datagrams for one of our sockets that the session did not want.
    pub(crate) unwanted: usize,
}

impl Person {
    pub(crate) fn new(side: usize, session: Session, socket: SocketAddr, signaling: &Rc<RefCell<Signaling>>) -> Self {
        Self {
            side,
            session,
            sockets: vec![socket],
            stun: Vec::new(),
            gathering: Gathering::default(),
            signaling: Rc::clone(signaling),
            events: Vec::new(),
            outbox: VecDeque::new(),
            inbox: BTreeMap::new(),
            labels: BTreeMap::new(),
            unwanted: 0,
        }
    }

    pub(crate) fn open(&mut self, now: Instant, settings: ChannelSettings) -> ChannelKey {
        self.try_open(now, settings).unwrap()
    }

    pub(crate) fn try_open(&mut self, now: Instant, settings: ChannelSettings) -> Result<ChannelKey, OpenError> {
        let label = settings.label.clone();
        let channel = self.session.channels().open(now, settings)?;
        self.labels.insert(channel, label);
        Ok(channel)
    }

    pub(crate) fn send(&mut self, channel: ChannelKey, message: &[u8]) {
        self.outbox.push_back((channel, message.to_vec()));
    }

    /// Looks for candidates on its sockets, and tells them.
    pub(crate) fn gather(&mut self, now: Instant) {
        for socket in self.sockets.clone() {
            self.tell(now, Candidate::host(socket, "udp").unwrap());
        }
        self.gathering = Gathering::start(now, &self.sockets, &self.stun);
    }

    /// Another generation, and the other side is told of it.
    pub(crate) fn restart(&mut self, now: Instant) {
        let credentials = self.session.ice().restart(now).clone();
        self.signal(now, Signal::Restart(credentials));
        self.gather(now);
    }

    /// The network gave us another address, and took the old one.
    pub(crate) fn move_to(&mut self, now: Instant, socket: SocketAddr) {
        for old in std::mem::replace(&mut self.sockets, vec![socket]) {
            self.session.ice().remove_local_address(now, old);
        }
    }

    pub(crate) fn ice_state(&mut self) -> IceState {
        self.session.ice().state()
    }

    pub(crate) fn is_connected(&mut self) -> bool {
        matches!(self.ice_state(), IceState::Connected | IceState::Completed)
    }

    pub(crate) fn has_opened(&self, channels: usize) -> bool {
        let is_it = |event: &SessionEvent| matches!(event, SessionEvent::Channel(ChannelEvent::Opened { .. }));
        self.events.iter().filter(|(_, event)| is_it(event)).count() >= channels
    }

    /// When ICE came to this state first.
    pub(crate) fn when(&self, state: IceState) -> Option<Instant> {
        let is_it = |event: &SessionEvent| *event == SessionEvent::Ice(IceEvent::StateChanged(state));
        self.events.iter().find(|(_, event)| is_it(event)).map(|(at, _)| *at)
    }

    pub(crate) fn received(&self, label: &str) -> &[Vec<u8>] {
        self.inbox.get(label).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn bytes_received(&self, label: &str) -> usize {
        self.received(label).iter().map(Vec::len).sum()
    }

    fn tell(&mut self, now: Instant, candidate: Candidate) {
        if let Some(line) = self.session.ice().add_local_candidate(now, candidate) {
            self.signal(now, Signal::Candidate(line));
        }
    }

    fn signal(&self, now: Instant, signal: Signal) {
        self.signaling.borrow_mut().send(now, 1 - self.side, signal);
    }

    fn on_signal(&mut self, now: Instant, signal: Signal) {
        let ice = self.session.ice();
        match signal {
            Signal::Restart(theirs) => {
                let ours = ice.restart(now).clone();
                ice.set_remote_credentials(now, theirs).unwrap();
                self.signal(now, Signal::Restarted(ours));
                self.gather(now);
            }
            Signal::Restarted(theirs) => ice.set_remote_credentials(now, theirs).unwrap(),
            Signal::Candidate(line) => ice.add_remote_candidate(now, &line).unwrap(),
            Signal::EndOfCandidates => ice.end_of_remote_candidates(now),
        }
    }

    fn on_gathered(&mut self, now: Instant, event: GatheringEvent) {
        match event {
            GatheringEvent::Reflexive { base, mapped, .. } => {
                self.tell(now, Candidate::server_reflexive(mapped, base, "udp").unwrap());
            }
            GatheringEvent::Done => {
                self.session.ice().end_of_local_candidates(now);
                self.signal(now, Signal::EndOfCandidates);
            }
            GatheringEvent::Error { .. } => {}
        }
    }

    fn on_event(&mut self, now: Instant, event: SessionEvent) {
        match event {
            SessionEvent::Channel(ChannelEvent::Received { channel, payload }) => {
                let label = self.labels[&channel].clone();
                self.inbox.entry(label).or_default().push(payload.bytes);
            }
            event => {
                if let SessionEvent::Channel(ChannelEvent::Incoming { channel, settings }) = &event {
                    self.labels.insert(*channel, settings.label.clone());
                }
                self.events.push((now, event));
            }
        }
    }

    fn empty_outbox(&mut self, now: Instant) {
        while let Some((channel, message)) = self.outbox.front() {
            let channels = self.session.channels();
            if channels.buffered_amount(*channel) > HIGH_WATER {
                return;
            }
            match channels.send(now, *channel, Kind::Binary, message.clone()) {
                // It comes later, or never: a test that waits for it knows.
                Err(SendError::NotOpen | SendError::QueueFull) => return,
                Err(error) => panic!("{error}"),
                Ok(()) => self.outbox.pop_front(),
            };
        }
    }
}

impl Peer for Person {
    fn handle_input(&mut self, now: Instant, packet: &Packet) {
        let address = Address { local: packet.to, remote: packet.source };
        let is_ours = self.sockets.contains(&packet.to);
        if is_ours
            && !self.gathering.handle_input(address, &packet.bytes)
            && !self.session.handle_input(now, address, &packet.bytes)
        {
            self.unwanted += 1;
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        loop {
            let signal = self.signaling.borrow_mut().receive(now, self.side);
            let Some(signal) = signal else { break };
            self.on_signal(now, signal);
        }
        if self.gathering.poll_timeout().is_some_and(|due| due <= now) {
            self.gathering.handle_timeout(now);
        }
        if self.session.poll_timeout().is_some_and(|due| due <= now) {
            self.session.handle_timeout(now);
        }
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Packet> {
        while let Some(event) = self.session.poll_event() {
            self.on_event(now, event);
        }
        self.empty_outbox(now);
        while let Some(event) = self.gathering.poll_event() {
            self.on_gathered(now, event);
        }
        let transmit = self.gathering.poll_transmit().or_else(|| self.session.poll_transmit())?;
        Some(Packet { source: transmit.address.local, to: transmit.address.remote, bytes: transmit.bytes })
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        let signal = self.signaling.borrow().poll_timeout(self.side);
        [signal, self.gathering.poll_timeout(), self.session.poll_timeout()].into_iter().flatten().min()
    }
}
