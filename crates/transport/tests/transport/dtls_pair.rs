//! Two DTLS connections with a network between them.

use std::time::{Duration, Instant};

use peerline_transport::dtls::{Certificate, Dtls, DtlsEvent, DtlsRole, DtlsSettings, Fingerprint, HashKind, Versions};

use crate::network::{Network, Path};

pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;
const NOW_S: u64 = 1_790_000_000;

pub(crate) fn certificate() -> Certificate {
    Certificate::generate(NOW_S, NOW_S + 30 * 24 * 3600).unwrap()
}

pub(crate) fn all_fingerprints(certificate: &Certificate) -> Vec<Fingerprint> {
    HashKind::ALL.map(|hash| certificate.fingerprint(hash)).to_vec()
}

pub(crate) struct DtlsPair {
    pub(crate) ends: [Dtls; 2],
    pub(crate) events: [Vec<DtlsEvent>; 2],
    pub(crate) network: Network,
    pub(crate) sent: [usize; 2],
}

impl DtlsPair {
    pub(crate) fn new(seed: u64, path: Path, versions: [Versions; 2]) -> Self {
        let certificates = [certificate(), certificate()];
        let announced = [all_fingerprints(&certificates[1]), all_fingerprints(&certificates[0])];
        Self::with(seed, path, versions, &certificates, announced)
    }

    /// `announced`: what each side believes of the other.
    pub(crate) fn with(
        seed: u64,
        path: Path,
        versions: [Versions; 2],
        certificates: &[Certificate; 2],
        announced: [Vec<Fingerprint>; 2],
    ) -> Self {
        let network = Network::new(seed, path);
        let end = |side: usize| {
            let role = if side == CLIENT { DtlsRole::Client } else { DtlsRole::Server };
            let settings = DtlsSettings { versions: versions[side], ..DtlsSettings::new(role) };
            Dtls::new(network.now, &certificates[side], settings, announced[side].clone()).unwrap()
        };
        Self { ends: [end(CLIENT), end(SERVER)], events: [vec![], vec![]], network, sent: [0; 2] }
    }

    pub(crate) fn now(&self) -> Instant {
        self.network.now
    }

    pub(crate) fn flush(&mut self) {
        for side in 0..2 {
            while let Some(event) = self.ends[side].poll_event() {
                self.events[side].push(event);
            }
            while let Some(packet) = self.ends[side].poll_transmit() {
                self.sent[side] += 1;
                self.network.send(1 - side, packet);
            }
        }
    }

    pub(crate) fn step(&mut self) -> bool {
        self.flush();
        let timers = self.ends.iter().filter_map(Dtls::poll_timeout);
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

    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now() + duration;
        while self.now() < end && self.step() {}
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.ends.iter().all(Dtls::is_connected)
    }

    #[track_caller]
    pub(crate) fn connect(&mut self) {
        let start = self.now();
        while !self.is_connected() {
            assert!(self.step() && self.now() - start < Duration::from_secs(60), "no connection: {:?}", self.events);
        }
    }

    pub(crate) fn received(&self, side: usize) -> Vec<&[u8]> {
        self.events[side]
            .iter()
            .filter_map(|event| if let DtlsEvent::Received(data) = event { Some(&data[..]) } else { None })
            .collect()
    }
}
