//! Two sides of data channels with a network between them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use peerline_transport::data_channel::{ChannelEvent, ChannelKey, ChannelLimits, ChannelSettings, DataChannels, Kind};
use peerline_transport::dtls::DtlsRole;
use peerline_transport::sctp::{Association, SctpSettings, association};

use crate::network::{Network, Path};

pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;

pub(crate) struct Pair {
    pub(crate) ends: [DataChannels<Association>; 2],
    pub(crate) events: [VecDeque<ChannelEvent>; 2],
    pub(crate) network: Network,
}

impl Pair {
    /// Neither knows its role, and nothing is connected.
    pub(crate) fn new(seed: u64, path: Path) -> Self {
        Self::with(seed, path, SctpSettings::default(), ChannelLimits::default())
    }

    pub(crate) fn with(seed: u64, path: Path, settings: SctpSettings, limits: ChannelLimits) -> Self {
        let network = Network::new(seed, path);
        let end = || {
            let mut end = DataChannels::new(network.now, association(network.now, &settings), limits);
            end.set_remote_max_message_size(limits.max_message_bytes as u64);
            end
        };
        Self { ends: [end(), end()], events: Default::default(), network }
    }

    pub(crate) fn connected(seed: u64, path: Path) -> Self {
        let mut pair = Self::new(seed, path);
        pair.connect();
        pair
    }

    pub(crate) fn connect(&mut self) {
        self.ends[CLIENT].set_role(DtlsRole::Client);
        self.ends[SERVER].set_role(DtlsRole::Server);
        let now = self.network.now;
        self.ends.iter_mut().for_each(|end| end.connect(now));
        let is_connected = |event: &ChannelEvent| matches!(event, ChannelEvent::Connected { .. });
        self.run_until("both are connected", |pair| pair.events.iter().all(|events| events.iter().any(is_connected)));
        self.events.iter_mut().for_each(|events| events.retain(|event| !is_connected(event)));
    }

    pub(crate) fn now(&self) -> Instant {
        self.network.now
    }

    pub(crate) fn open(&mut self, side: usize, settings: ChannelSettings) -> ChannelKey {
        let now = self.now();
        let key = self.ends[side].open(now, settings).unwrap();
        self.flush();
        key
    }

    pub(crate) fn send(&mut self, side: usize, channel: ChannelKey, kind: Kind, bytes: &[u8]) {
        let now = self.now();
        self.ends[side].send(now, channel, kind, bytes.to_vec()).unwrap();
        self.flush();
    }

    pub(crate) fn close(&mut self, side: usize, channel: ChannelKey) {
        let now = self.now();
        self.ends[side].close(now, channel);
        self.flush();
    }

    /// Events first, then packets: as an owner does it.
    pub(crate) fn flush(&mut self) {
        for side in 0..2 {
            while let Some(event) = self.ends[side].poll_event() {
                self.events[side].push_back(event);
            }
            while let Some(packet) = self.ends[side].poll_transmit() {
                assert!(packet.len() <= 1191, "an SCTP packet keeps to its size");
                self.network.send(1 - side, packet);
            }
        }
    }

    /// To the next moment at which something happens. False: nothing will.
    pub(crate) fn step(&mut self) -> bool {
        self.flush();
        let timers = self.ends.iter().filter_map(DataChannels::poll_timeout);
        let Some(next) = timers.chain(self.network.next_arrival()).min() else { return false };
        self.network.now = self.network.now.max(next);
        let now = self.now();
        while let Some((side, packet)) = self.network.arrived() {
            self.ends[side].handle_input(now, &packet);
            self.flush();
        }
        for end in &mut self.ends {
            if end.poll_timeout().is_some_and(|due| due <= now) {
                end.handle_timeout(now);
            }
        }
        self.flush();
        true
    }

    #[track_caller]
    pub(crate) fn run_until(&mut self, what: &str, mut is_done: impl FnMut(&mut Self) -> bool) {
        let start = self.now();
        self.flush();
        while !is_done(self) {
            assert!(self.step(), "nothing more happens before {what}");
            assert!(self.now() - start < Duration::from_secs(3600), "an hour is not enough until {what}");
        }
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now() + duration;
        while self.now() < end && self.step() {}
    }

    /// Takes the first event that fits out of a side's queue.
    pub(crate) fn take(&mut self, side: usize, fits: impl Fn(&ChannelEvent) -> bool) -> Option<ChannelEvent> {
        let at = self.events[side].iter().position(fits)?;
        self.events[side].remove(at)
    }

    /// The channel that the other side has opened, as this side knows it.
    #[track_caller]
    pub(crate) fn incoming(&mut self, side: usize) -> (ChannelKey, ChannelSettings) {
        self.run_until("a channel comes", |pair| {
            pair.events[side].iter().any(|event| matches!(event, ChannelEvent::Incoming { .. }))
        });
        match self.take(side, |event| matches!(event, ChannelEvent::Incoming { .. })) {
            Some(ChannelEvent::Incoming { channel, settings }) => (channel, settings),
            other => unreachable!("{other:?}"),
        }
    }

    /// The next message of any channel.
    #[track_caller]
    pub(crate) fn message(&mut self, side: usize) -> (ChannelKey, Kind, Vec<u8>) {
        self.run_until("a message comes", |pair| {
            pair.events[side].iter().any(|event| matches!(event, ChannelEvent::Received { .. }))
        });
        match self.take(side, |event| matches!(event, ChannelEvent::Received { .. })) {
            Some(ChannelEvent::Received { channel, payload }) => (channel, payload.kind, payload.bytes),
            other => unreachable!("{other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn run_until_event(&mut self, side: usize, event: &ChannelEvent) {
        self.run_until(&format!("{event:?}"), |pair| pair.events[side].contains(event));
        self.take(side, |candidate| candidate == event);
    }
}

pub(crate) fn unordered(label: &str) -> ChannelSettings {
    ChannelSettings { is_ordered: false, ..ChannelSettings::new(label) }
}
