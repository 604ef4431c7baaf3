//! What a fuzzer's bytes make the network do to two DTLS connections: it drops, repeats, turns and makes up.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use peerline_transport::dtls::{Certificate, Dtls, DtlsEvent, DtlsRole, DtlsSettings, HashKind, Versions};

use crate::bytes::Bytes;
use crate::mutation::mutate;

const MAX_STEPS: usize = 80;
const NOW_S: u64 = 1_790_000_000;
/// Flights in one piece, and in many.
const PACKETS: [usize; 4] = [1150, 1150, 300, 200];
const VERSIONS: [Versions; 3] = [Versions::Newest, Versions::Only12, Versions::Only13];
const MILLISECONDS: [u64; 6] = [0, 1, 100, 450, 5_000, 61_000];
const CONTENT_TYPES: [u8; 10] = [20, 21, 22, 23, 24, 25, 26, 0x2c, 0x2f, 0x3f];

fn certificates() -> &'static [Certificate; 2] {
    static BOTH: OnceLock<[Certificate; 2]> = OnceLock::new();
    BOTH.get_or_init(|| [0; 2].map(|_| Certificate::generate(NOW_S, NOW_S + 1000).unwrap()))
}

/// Panics if something does not hold. `is_sealed`: whether packets are protected, so that only the ends can make one.
/// Says which ends were connected at some time.
pub(crate) fn run(bytes: &[u8], is_sealed: bool) -> [bool; 2] {
    let mut bytes = Bytes::new(bytes);
    let mut walk = Walk::new(&mut bytes, is_sealed);
    for _ in 0..MAX_STEPS {
        if bytes.is_empty() {
            break;
        }
        walk.step(&mut bytes);
        walk.check();
    }
    walk.is_connected
}

struct Walk {
    is_sealed: bool,
    now: Instant,
    ends: [Dtls; 2],
    under_way: [VecDeque<Vec<u8>>; 2],
    /// What was once sent to each.
    past: [Vec<Vec<u8>>; 2],
    sent: [Vec<Vec<u8>>; 2],
    /// Whether the other one is who the fingerprints say.
    is_honest: [bool; 2],
    is_connected: [bool; 2],
    is_over: [bool; 2],
    is_closed: bool,
    /// Both were connected at once, and nobody has said goodbye: nothing from outside may end it.
    stands: bool,
}

impl Walk {
    fn new(bytes: &mut Bytes<'_>, is_sealed: bool) -> Self {
        let now = Instant::now();
        let versions = [*bytes.one_of(&VERSIONS), *bytes.one_of(&VERSIONS)];
        let bits = bytes.byte();
        let is_honest = [bits & 3 != 1, bits & 3 != 2];
        let end = |side: usize, role| {
            let of = if is_honest[side] { 1 - side } else { side };
            let fingerprints = vec![certificates()[of].fingerprint(HashKind::Sha256)];
            let packet_bytes = if is_sealed { PACKETS[usize::from(bits >> 2 & 3)] } else { PACKETS[0] };
            let settings = DtlsSettings { versions: versions[side], packet_bytes, ..DtlsSettings::new(role) };
            Dtls::new(now, &certificates()[side], settings, fingerprints).unwrap()
        };
        let ends = [end(0, DtlsRole::Client), end(1, DtlsRole::Server)];
        Self {
            is_sealed,
            now,
            ends,
            under_way: Default::default(),
            past: Default::default(),
            sent: Default::default(),
            is_honest,
            is_connected: [false; 2],
            is_over: [false; 2],
            is_closed: false,
            stands: false,
        }
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let byte = bytes.byte();
        let (side, now) = (usize::from(byte >> 7), self.now);
        match byte % 17 {
            0..=4 => self.deliver(side, |_, packet| packet),
            5 | 6 => self.deliver(side, |past, packet| {
                let other = past.get(usize::from(bytes.byte())).cloned().unwrap_or_default();
                mutate(bytes, packet, &other, 0)
            }),
            7 => drop(self.under_way[side].pop_front()),
            8 => {
                let nth = usize::from(bytes.byte());
                let Some(packet) = self.past[side].get(nth).cloned() else { return };
                let packet = if bytes.flag() { mutate(bytes, packet, &[], 0) } else { packet };
                self.hand_in(side, &packet);
            }
            9 => self.hand_in(side, bytes.some()),
            10 => {
                let record = record(bytes);
                self.hand_in(side, &record);
            }
            11 => {
                // Two in one datagram.
                let Some(mut packet) = self.under_way[side].pop_front() else { return };
                packet.extend(self.under_way[side].pop_front().unwrap_or_default());
                self.hand_in(side, &packet);
            }
            12 => {
                let data = bytes.some().to_vec();
                if self.ends[side].send(now, &data).is_ok() {
                    self.sent[side].push(data);
                }
            }
            13 if bytes.byte() % 8 == 7 => {
                self.is_closed = true;
                self.ends[side].close(now);
                self.is_over[side] = true;
            }
            // As far as it goes by itself.
            14 => (0..8).for_each(|nth| self.deliver(nth % 2, |_, packet| packet)),
            15 => {
                self.now += Duration::from_millis(*bytes.one_of(&MILLISECONDS));
                self.settle();
            }
            _ => {
                let due = self.ends.iter().filter_map(Dtls::poll_timeout).min();
                self.now = self.now.max(due.unwrap_or(self.now));
                self.settle();
            }
        }
    }

    fn deliver(&mut self, side: usize, change: impl FnOnce(&[Vec<u8>], Vec<u8>) -> Vec<u8>) {
        let Some(packet) = self.under_way[side].pop_front() else { return };
        let packet = change(&self.past[side], packet);
        self.hand_in(side, &packet);
        self.collect();
    }

    fn hand_in(&mut self, side: usize, packet: &[u8]) {
        // What demultiplexing lets through.
        if packet.first().is_some_and(|first| (20..64).contains(first)) {
            self.ends[side].handle_input(self.now, packet);
        }
    }

    fn settle(&mut self) {
        for end in &mut self.ends {
            let mut times = 0;
            while end.poll_timeout().is_some_and(|due| due <= self.now) {
                end.handle_timeout(self.now);
                times += 1;
                assert!(times < 1000, "it is due again and again without time passing");
            }
        }
    }

    fn collect(&mut self) {
        for side in 0..2 {
            let mut count = 0;
            while let Some(packet) = self.ends[side].poll_transmit() {
                count += 1;
                assert!(count <= 64, "one step and {count} packets");
                self.past[1 - side].push(packet.clone());
                self.under_way[1 - side].push_back(packet);
            }
            while let Some(event) = self.ends[side].poll_event() {
                self.on_event(side, event);
            }
        }
        let both = self.is_connected == [true; 2] && self.is_over == [false; 2];
        self.stands |= both && self.is_sealed && !self.is_closed;
    }

    fn on_event(&mut self, side: usize, event: DtlsEvent) {
        assert!(!self.is_over[side], "after its end: {event:?}");
        match event {
            DtlsEvent::Connected { peer_certificate, .. } => {
                assert!(self.is_honest[side], "it took a stranger");
                assert_eq!(peer_certificate, certificates()[1 - side].der());
                assert!(!std::mem::replace(&mut self.is_connected[side], true), "once");
            }
            DtlsEvent::Received(data) => {
                assert!(self.is_connected[side]);
                if !self.is_sealed {
                    return;
                }
                let at = self.sent[1 - side].iter().position(|sent| *sent == data);
                self.sent[1 - side].remove(at.expect("it was sent, and comes once"));
            }
            DtlsEvent::Closed | DtlsEvent::Failed(_) => {
                assert!(!self.stands || self.is_closed, "somebody else ended it: {event:?}");
                self.is_over[side] = true;
            }
        }
    }

    fn check(&mut self) {
        self.collect();
        (0..2).for_each(|side| assert!(!self.is_over[side] || !self.ends[side].is_connected()));
    }
}

/// A record with a header that could be right, of DTLS 1.2 or with the unified header of 1.3.
fn record(bytes: &mut Bytes<'_>) -> Vec<u8> {
    let content = *bytes.one_of(&CONTENT_TYPES);
    let epoch = *bytes.one_of(&[0_u16, 0, 1, 2, 3, 4]);
    let number = bytes.byte();
    let body = bytes.some();
    let len = if bytes.byte().is_multiple_of(8) { bytes.word() } else { body.len() as u16 };
    let mut record = vec![content, 0xfe, *bytes.one_of(&[0xfd, 0xff, 0xfc])];
    record.extend(epoch.to_be_bytes());
    record.extend([0, 0, 0, 0, 0, number]);
    record.extend(len.to_be_bytes());
    record.extend(body);
    record
}
