//! Data channels against a peer that means harm: what it costs is bounded, and what is said is clear.

use std::time::Duration;

use peerline_transport::data_channel::{
    ChannelError, ChannelEvent, ChannelKey, ChannelLimits, ChannelSettings, DataChannels, Kind,
};
use peerline_transport::dtls::DtlsRole;
use peerline_transport::sctp::{
    Association, AssociationEvent, DcSctp, Delivery, Message, SctpAssociation, SctpSettings, association,
};
use peerline_wire::dcep::{Dcep, Open, Reliability};

use crate::network::{Network, Path};

const DCEP: u32 = 50;
const BINARY: u32 = 53;

/// Data channels on one side, and a bare association that says what it likes on the other.
struct Siege {
    victim: DataChannels<Association>,
    attacker: DcSctp,
    network: Network,
    seen: Vec<ChannelEvent>,
    answers: Vec<AssociationEvent>,
    is_read: bool,
}

impl Siege {
    fn new(seed: u64) -> Self {
        let network = Network::new(seed, Path::CLEAN);
        let victim = DataChannels::new(
            network.now,
            association(network.now, &SctpSettings::default()),
            ChannelLimits::default(),
        );
        let attacker = DcSctp::new(network.now, &SctpSettings::default());
        let mut siege = Self { victim, attacker, network, seen: vec![], answers: vec![], is_read: true };
        let now = siege.network.now;
        siege.victim.set_role(DtlsRole::Server);
        siege.victim.connect(now);
        siege.attacker.connect(now);
        siege.run(Duration::from_secs(1));
        siege
    }

    fn send(&mut self, stream: u16, ppid: u32, payload: &[u8]) {
        let message = Message { stream, ppid, payload: payload.to_vec() };
        self.attacker.send(self.network.now, message, Delivery::RELIABLE).unwrap();
    }

    fn open(&mut self, stream: u16, label: &str) {
        let open = Open { is_ordered: true, reliability: Reliability::Reliable, priority: 256, label, protocol: "" };
        self.send(stream, DCEP, &Dcep::Open(open).to_bytes().unwrap());
    }

    fn flush(&mut self) {
        if self.is_read {
            self.seen.extend(std::iter::from_fn(|| self.victim.poll_event()));
        }
        self.answers.extend(std::iter::from_fn(|| self.attacker.poll_event()));
        while let Some(packet) = self.victim.poll_transmit() {
            self.network.send(1, packet);
        }
        while let Some(packet) = self.attacker.poll_transmit() {
            self.network.send(0, packet);
        }
    }

    fn run(&mut self, duration: Duration) {
        let end = self.network.now + duration;
        self.flush();
        while self.network.now < end {
            let timers = [self.victim.poll_timeout(), self.attacker.poll_timeout()].into_iter().flatten();
            let Some(next) = timers.chain(self.network.next_arrival()).min() else { return };
            self.network.now = self.network.now.max(next);
            let now = self.network.now;
            while let Some((side, packet)) = self.network.arrived() {
                if side == 0 {
                    self.victim.handle_input(now, &packet)
                } else {
                    self.attacker.handle_input(now, &packet)
                }
                self.flush();
            }
            self.victim.handle_timeout(now);
            self.attacker.handle_timeout(now);
            self.flush();
        }
    }

    fn closed(&self, error: ChannelError) -> usize {
        let is_it = |event: &&ChannelEvent| matches!(event, ChannelEvent::Closed { error: Some(e), .. } if *e == error);
        self.seen.iter().filter(is_it).count()
    }

    fn opened(&self) -> Vec<ChannelKey> {
        let key = |event: &ChannelEvent| match event {
            ChannelEvent::Incoming { channel, .. } => Some(*channel),
            _ => None,
        };
        self.seen.iter().filter_map(key).collect()
    }

    fn received(&self) -> usize {
        self.seen.iter().filter(|event| matches!(event, ChannelEvent::Received { .. })).count()
    }
}

#[test]
fn of_65535_channels_only_those_that_were_agreed_come_to_be() {
    let mut siege = Siege::new(1);
    for stream in 0..u16::MAX {
        siege.open(stream, "x");
        if stream % 512 == 0 {
            siege.run(Duration::from_millis(20));
        }
    }
    siege.run(Duration::from_secs(60));
    assert_eq!(siege.victim.len(), 1024);
    assert_eq!(siege.victim.counters().impossible_opens, 65_535 - 1024);
    siege.send(1023, BINARY, b"still here");
    siege.run(Duration::from_secs(1));
    assert_eq!(siege.received(), 1);
}

#[test]
fn labels_of_64_kib_are_taken_up_to_a_megabyte_and_then_refused_by_a_reset() {
    let mut siege = Siege::new(2);
    let label = "x".repeat(65_535);
    for stream in 0..32 {
        siege.open(stream, &label);
        siege.run(Duration::from_secs(1));
    }
    siege.run(Duration::from_secs(10));
    assert_eq!(siege.victim.len(), 16);
    assert_eq!(siege.victim.counters().refused_opens, 16);
    let resets = siege.answers.iter().filter_map(|event| match event {
        AssociationEvent::IncomingReset(streams) => Some(streams.clone()),
        _ => None,
    });
    let mut refused: Vec<u16> = resets.flatten().collect();
    refused.sort_unstable();
    assert_eq!(refused, (16..32).collect::<Vec<u16>>());
}

#[test]
fn garbage_where_a_channel_should_be_opened_opens_none() {
    let mut siege = Siege::new(3);
    for stream in 0..300 {
        let len = 1 + siege.network.dice.below(40) as usize;
        let mut garbage = siege.network.dice.bytes(len);
        garbage[0] = if stream % 2 == 0 { 3 } else { garbage[0] };
        siege.send(stream, DCEP, &garbage);
    }
    siege.run(Duration::from_secs(60));
    assert!(siege.opened().len() < 3, "a lucky throw may be an OPEN");
    assert!(siege.victim.counters().refused_opens > 100);
    siege.open(400, "honest");
    siege.run(Duration::from_secs(1));
    assert!(!siege.opened().is_empty());
}

#[test]
fn what_breaks_the_protocol_closes_its_channel_and_no_other() {
    let mut siege = Siege::new(4);
    for stream in [0, 2, 4, 6] {
        siege.open(stream, "x");
    }
    siege.send(0, 99, b"what is this");
    siege.send(2, DCEP, b"\x07");
    siege.send(4, BINARY, &vec![0; 256 * 1024 + 1]);
    siege.run(Duration::from_secs(5));
    // Only a peer that resets its half too lets the channel end.
    let now = siege.network.now;
    siege.attacker.reset(now, &[0, 2, 4]);
    siege.run(Duration::from_secs(5));
    assert_eq!(siege.closed(ChannelError::UnknownPpid(99)), 1);
    assert_eq!(siege.closed(ChannelError::BadDcep), 1);
    assert_eq!(siege.closed(ChannelError::MessageTooLarge), 1);
    assert_eq!(siege.received(), 0);
    siege.send(6, BINARY, b"fine");
    siege.run(Duration::from_secs(1));
    assert_eq!((siege.victim.len(), siege.received()), (1, 1));
}

#[test]
fn messages_for_nobody_are_counted_and_dropped() {
    let mut siege = Siege::new(5);
    for stream in 0..100 {
        siege.send(stream * 600, BINARY, b"hello?");
    }
    siege.send(1, DCEP, &[2]);
    siege.run(Duration::from_secs(5));
    assert_eq!(siege.victim.counters().on_no_channel, 101);
    assert!(siege.victim.is_empty());
}

#[test]
fn a_second_open_for_a_living_channel_changes_nothing() {
    let mut siege = Siege::new(6);
    siege.open(0, "first");
    siege.open(0, "second");
    siege.send(0, BINARY, b"x");
    siege.run(Duration::from_secs(1));
    assert_eq!((siege.opened().len(), siege.received()), (1, 1));
    assert_eq!(siege.victim.counters().impossible_opens, 1);
}

#[test]
fn a_flood_of_tiny_messages_that_nobody_reads_stops_and_nothing_of_it_is_lost() {
    let mut siege = Siege::new(7);
    siege.open(0, "x");
    siege.run(Duration::from_secs(1));
    siege.is_read = false;
    let flood = 120_000;
    for _ in 0..flood {
        siege.send(0, BINARY, b"x");
    }
    siege.run(Duration::from_secs(120));
    let kept: Vec<ChannelEvent> = std::iter::from_fn(|| siege.victim.poll_event()).collect();
    assert!(kept.len() < 81_000, "{} of {flood} were kept", kept.len());
    siege.seen.extend(kept);
    siege.is_read = true;
    siege.run(Duration::from_secs(600));
    assert_eq!(siege.received(), flood);
}

#[test]
fn a_peer_that_reads_nothing_fills_the_queue_and_no_more() {
    let mut siege = Siege::new(8);
    siege.open(0, "x");
    siege.run(Duration::from_secs(1));
    let key = siege.opened()[0];
    let now = siege.network.now;
    siege.victim.set_remote_max_message_size(0);
    let mut taken = 0;
    while siege.victim.send(now, key, Kind::Binary, vec![0; 1 << 20]).is_ok() {
        taken += 1;
    }
    assert!((16..=18).contains(&taken), "{taken} MiB");
}

#[test]
fn packets_with_bits_turned_never_panic() {
    for seed in 0..40 {
        let mut siege = Siege::new(100 + seed);
        let now = siege.network.now;
        for stream in 0..4 {
            siege.open(stream * 2, "x");
            siege.send(stream * 2, BINARY, &vec![1; 3000]);
        }
        siege.attacker.reset(now, &[2]);
        let packets: Vec<Vec<u8>> = std::iter::from_fn(|| siege.attacker.poll_transmit()).collect();
        for _ in 0..200 {
            let pick = siege.network.dice.below(packets.len() as u64) as usize;
            let mut packet = packets[pick].clone();
            for _ in 0..=siege.network.dice.below(3) {
                let at = 12 + siege.network.dice.below(packet.len() as u64 - 12).min(40) as usize;
                packet[at.min(packets[pick].len() - 1)] = siege.network.dice.next() as u8;
            }
            if siege.network.dice.percent(10) {
                packet.truncate(siege.network.dice.below(packets[pick].len() as u64) as usize);
            }
            // Both sides agreed on packets without a checksum: every change reaches the machine.
            if let Some(checksum) = packet.get_mut(8..12) {
                checksum.fill(0);
            }
            siege.victim.handle_input(now, &packet);
            siege.seen.extend(std::iter::from_fn(|| siege.victim.poll_event()));
        }
        siege.run(Duration::from_secs(20));
        siege.victim.open(siege.network.now, ChannelSettings::new("")).ok();
    }
}
