//! What a fuzzer's bytes make a peer do to our data channels whose DTLS is right and who means harm, or only stumbles.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use peerline_transport::data_channel::{ChannelEvent, ChannelKey, ChannelLimits, ChannelSettings, DataChannels, Kind};
use peerline_transport::dtls::DtlsRole;
use peerline_transport::sctp::{
    Association, AssociationEvent, DcSctp, Delivery, Message, SctpAssociation, SctpSettings, association,
};
use peerline_wire::dcep::{Dcep, Open, Reliability};

use crate::bytes::Bytes;
use crate::mutation::mutate;
use crate::sctp_chunks::{HEADER, Seen, seal};

const MAX_STEPS: usize = 150;
const MILLISECONDS: [u64; 7] = [0, 1, 100, 1_000, 3_100, 30_000, 600_000];
const PPIDS: [u32; 7] = [50, 51, 53, 56, 57, 52, 99];
const PACKET: usize = 1191;

/// Panics if something does not hold.
pub(crate) fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let mut walk = Walk::new(bytes.byte());
    for _ in 0..MAX_STEPS {
        if bytes.is_empty() {
            break;
        }
        walk.step(&mut bytes);
        walk.check();
    }
    walk.end();
}

struct Walk {
    now: Instant,
    victim: DataChannels<Association>,
    attacker: DcSctp,
    to_victim: VecDeque<Vec<u8>>,
    to_attacker: VecDeque<Vec<u8>>,
    past: Vec<Vec<u8>>,
    seen: Seen,
    keys: Vec<ChannelKey>,
    is_read: bool,
    is_over: bool,
}

impl Walk {
    fn new(bits: u8) -> Self {
        fastrand::seed(1);
        let now = Instant::now();
        let settings = SctpSettings { streams: 16, interleaving: bits & 1 == 0, ..SctpSettings::default() };
        let limits = ChannelLimits { max_message_bytes: 2000, ..ChannelLimits::default() };
        let mut walk = Self {
            now,
            victim: DataChannels::new(now, association(now, &settings), limits),
            attacker: DcSctp::new(now, &settings),
            to_victim: VecDeque::new(),
            to_attacker: VecDeque::new(),
            past: Vec::new(),
            seen: Seen::default(),
            keys: Vec::new(),
            is_read: true,
            is_over: false,
        };
        if bits & 2 == 0 {
            walk.victim.set_role(DtlsRole::Server);
        }
        if bits & 4 == 0 {
            walk.victim.connect(now);
        }
        if bits & 8 == 0 {
            walk.attacker.connect(now);
            walk.run_honestly(20);
        }
        walk
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let now = self.now;
        match bytes.byte() % 20 {
            0 => self.run_honestly(4),
            1 => {
                if let Some(packet) = self.to_victim.pop_front() {
                    self.hand_in(&packet);
                }
            }
            2 => {
                if let Some(packet) = self.to_attacker.pop_front() {
                    self.attacker.handle_input(now, &packet);
                }
            }
            3 | 4 => {
                let Some(packet) = self.to_victim.pop_front() else { return };
                self.stumble(bytes, packet);
            }
            5 => {
                let Some(packet) = self.past.get(usize::from(bytes.byte())).cloned() else { return };
                self.stumble(bytes, packet);
            }
            6..=9 => {
                let packet = self.seen.lie(bytes);
                self.hand_in(&packet);
            }
            10 => self.hand_in(bytes.some()),
            11 => self.attack(bytes),
            12 => {
                let stream = u16::from(bytes.byte() % 6);
                self.attacker.reset(now, &[stream]);
            }
            13 => self.restart(bytes),
            14 => self.open(bytes),
            15 => {
                let Some(key) = self.pick(bytes) else { return };
                let len = usize::from(bytes.word() % 3000);
                let kind = if bytes.flag() { Kind::Text } else { Kind::Binary };
                let _ = self.victim.send(now, key, kind, vec![1; len]);
            }
            16 => match bytes.byte() % 8 {
                0 => self.is_read = !self.is_read,
                1 => self.victim.set_role(DtlsRole::Server),
                2 => self.victim.connect(now),
                3 => self.victim.set_remote_max_message_size(u64::from(bytes.word())),
                4 if bytes.byte().is_multiple_of(8) => {
                    self.victim.abort(now);
                    self.is_over = true;
                }
                _ => {
                    if let Some(key) = self.pick(bytes) {
                        self.victim.close(now, key);
                    }
                }
            },
            17 => drop(self.to_victim.pop_front()),
            18 => {
                self.now += Duration::from_millis(*bytes.one_of(&MILLISECONDS));
                self.settle();
            }
            _ => {
                let due = [self.victim.poll_timeout(), self.attacker.poll_timeout()].into_iter().flatten().min();
                self.now = self.now.max(due.unwrap_or(self.now));
                self.settle();
            }
        }
    }

    /// Both do what the protocol says, for a while.
    fn run_honestly(&mut self, rounds: usize) {
        for _ in 0..rounds {
            self.collect();
            while let Some(packet) = self.to_victim.pop_front() {
                self.hand_in(&packet);
            }
            self.collect();
            while let Some(packet) = self.to_attacker.pop_front() {
                self.attacker.handle_input(self.now, &packet);
            }
        }
    }

    fn hand_in(&mut self, packet: &[u8]) {
        self.victim.handle_input(self.now, packet);
        self.collect();
    }

    fn stumble(&mut self, bytes: &mut Bytes<'_>, packet: Vec<u8>) {
        let other = self.past.last().cloned().unwrap_or_default();
        let mut packet = mutate(bytes, packet, &other, HEADER);
        seal(&mut packet, bytes.byte().is_multiple_of(4));
        self.hand_in(&packet);
    }

    /// A message with any meaning on any stream.
    fn attack(&mut self, bytes: &mut Bytes<'_>) {
        let stream = u16::from(bytes.byte() % 18);
        let ppid = *bytes.one_of(&PPIDS);
        let payload = match bytes.byte() % 4 {
            0 => {
                let reliability = match bytes.byte() % 3 {
                    0 => Reliability::Reliable,
                    1 => Reliability::MaxRetransmits(bytes.byte().into()),
                    _ => Reliability::MaxLifetimeMs(bytes.byte().into()),
                };
                let (is_ordered, priority) = (bytes.flag(), bytes.word());
                let open = Open { is_ordered, reliability, priority, label: "x", protocol: "" };
                Dcep::Open(open).to_bytes().unwrap()
            }
            1 => vec![2],
            2 => vec![9; usize::from(bytes.word() % 5000)],
            _ => bytes.some().to_vec(),
        };
        let delivery = Delivery { is_ordered: bytes.flag(), ..Delivery::RELIABLE };
        for _ in 0..=bytes.byte() % 4 {
            let message = Message { stream, ppid, payload: payload.clone() };
            let _ = self.attacker.send(self.now, message, delivery);
        }
    }

    /// Another association from the same place: the peer's process began anew.
    fn restart(&mut self, bytes: &mut Bytes<'_>) {
        self.attacker = DcSctp::new(self.now, &SctpSettings { streams: 16, ..SctpSettings::default() });
        self.attacker.connect(self.now);
        if bytes.flag() {
            self.run_honestly(4);
        }
    }

    fn open(&mut self, bytes: &mut Bytes<'_>) {
        let reliability = match bytes.byte() % 3 {
            0 => Reliability::Reliable,
            1 => Reliability::MaxRetransmits(0),
            _ => Reliability::MaxLifetimeMs(100),
        };
        let settings = ChannelSettings {
            is_ordered: bytes.flag(),
            reliability,
            priority: bytes.word(),
            negotiated: bytes.flag().then(|| u16::from(bytes.byte() % 20)),
            ..ChannelSettings::new("ours")
        };
        self.keys.extend(self.victim.open(self.now, settings));
    }

    fn pick(&self, bytes: &mut Bytes<'_>) -> Option<ChannelKey> {
        self.keys.get(usize::from(bytes.byte()) % self.keys.len().max(1)).copied()
    }

    fn settle(&mut self) {
        let mut times = 0;
        while self.victim.poll_timeout().is_some_and(|due| due <= self.now) {
            self.victim.handle_timeout(self.now);
            self.collect();
            times += 1;
            assert!(times < 1000, "it is due again and again without time passing");
        }
        if self.attacker.poll_timeout().is_some_and(|due| due <= self.now) {
            self.attacker.handle_timeout(self.now);
        }
        self.collect();
    }

    fn collect(&mut self) {
        while self.is_read
            && let Some(event) = self.victim.poll_event()
        {
            self.on_event(event);
        }
        let mut count = 0;
        while let Some(packet) = self.victim.poll_transmit() {
            assert!(packet.len() <= PACKET, "a packet of {} bytes", packet.len());
            count += 1;
            assert!(count <= 2000, "{count} packets in one step");
            self.seen.note(false, &packet);
            self.to_attacker.push_back(packet);
        }
        let is_gone = |event| matches!(event, AssociationEvent::Closed | AssociationEvent::Aborted);
        while let Some(event) = self.attacker.poll_event() {
            let _ = is_gone(event);
        }
        while let Some(packet) = self.attacker.poll_transmit() {
            self.seen.note(true, &packet);
            if self.past.len() < 256 {
                self.past.push(packet.clone());
            }
            self.to_victim.push_back(packet);
        }
    }

    fn on_event(&mut self, event: ChannelEvent) {
        match event {
            ChannelEvent::Incoming { channel, .. } => {
                assert!(!self.keys.contains(&channel), "a name is given once");
                self.keys.push(channel);
            }
            ChannelEvent::Received { channel, payload } => {
                assert!(self.keys.contains(&channel) && payload.bytes.len() <= 2000);
            }
            ChannelEvent::AssociationClosed { .. } => self.is_over = true,
            _ => {}
        }
    }

    fn check(&mut self) {
        self.collect();
        assert!(self.victim.len() <= 16 + self.keys.len());
        if self.is_over && self.is_read {
            assert!(self.victim.is_empty(), "channels outlive their association");
            assert!(self.victim.open(self.now, ChannelSettings::new("")).is_err());
        }
    }

    /// The peer is silent from now on. That ends nothing, as ICE does that; it is not to be busy, either.
    fn end(mut self) {
        self.is_read = true;
        let end = self.now + Duration::from_secs(60);
        let mut wakes = 0;
        while let Some(due) = self.victim.poll_timeout().filter(|due| *due < end) {
            self.now = self.now.max(due);
            self.victim.handle_timeout(self.now);
            self.collect();
            wakes += 1;
            assert!(wakes < 5_000, "it is woken without end");
        }
        let now = self.now;
        self.victim.abort(now);
        self.collect();
        assert!(self.victim.is_empty());
    }
}
