//! What a fuzzer's bytes make the network, strangers and both owners do to a whole call, from its first packet on.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use peerline_netsim::{Packet, Quality};
use peerline_transport::data_channel::{ChannelKey, ChannelSettings};
use peerline_wire::dcep::Reliability;

use crate::bytes::Bytes;
use crate::call::Call;
use crate::mutation::mutate;

const MAX_STEPS: usize = 60;
const MILLISECONDS: [u64; 8] = [1, 5, 20, 100, 500, 2_000, 10_000, 35_000];

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
}

struct Walk {
    call: Call,
    is_honest: bool,
    channels: Vec<(usize, ChannelKey, String)>,
    /// By label: whether it is ordered, and what was sent and has not come.
    sent: BTreeMap<String, (bool, Vec<Vec<u8>>)>,
    moves: u8,
}

impl Walk {
    fn new(bits: u8) -> Self {
        let is_honest = bits & 7 != 7;
        let mut call = Call::with(u64::from(bits), Quality::delayed(10), [None; 2], is_honest);
        call.network.listen(64);
        let mut walk = Self { call, is_honest, channels: Vec::new(), sent: BTreeMap::new(), moves: 0 };
        walk.open(0, bits);
        walk.call.gather();
        walk.call.flush();
        if bits & 8 == 0 {
            walk.call.run_for(Duration::from_millis(400));
        }
        walk
    }

    fn open(&mut self, side: usize, bits: u8) {
        if self.channels.len() >= 20 {
            return;
        }
        let is_ordered = bits & 16 == 0;
        let reliability = if bits & 32 == 0 { Reliability::Reliable } else { Reliability::MaxRetransmits(1) };
        let label = format!("{side}/{}", self.channels.len());
        let settings = ChannelSettings { is_ordered, reliability, ..ChannelSettings::new(&label) };
        let now = self.call.now();
        if let Ok(key) = self.call.person(side).try_open(now, settings) {
            self.sent.insert(label.clone(), (is_ordered, Vec::new()));
            self.channels.push((side, key, label));
        }
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let byte = bytes.byte();
        let (side, now) = (usize::from(byte >> 7), self.call.now());
        match byte % 16 {
            0 | 1 => {
                self.call.step();
            }
            2 | 3 => {
                let time = Duration::from_millis(*bytes.one_of(&MILLISECONDS));
                self.call.run_for(time);
            }
            4..=6 => self.disturb(bytes),
            7 => {
                let quality = self.quality(bytes);
                self.call.shape(quality);
            }
            8 => self.open(side, bytes.byte()),
            9 | 10 => {
                let nth = usize::from(bytes.byte());
                let Some((side, key, label)) = self.channels.get(nth % self.channels.len().max(1)).cloned() else {
                    return;
                };
                let len = usize::from(bytes.word() % 5000);
                let message = self.call.network.dice.bytes(len);
                self.sent.get_mut(&label).unwrap().1.push(message.clone());
                self.call.person(side).send(key, &message);
            }
            11 => {
                let nth = usize::from(bytes.byte());
                let Some((side, key, _)) = self.channels.get(nth % self.channels.len().max(1)).cloned() else { return };
                self.call.person(side).session.channels().close(now, key);
            }
            12 => {
                self.call.person(side).restart(now);
                self.call.run_for(Duration::from_millis(20));
            }
            13 => {
                self.moves = self.moves.wrapping_add(1);
                self.call.readdress(side, IpAddr::from([198, 51, 100, 10 + self.moves]));
                self.call.person(side).gather(now);
            }
            14 => {
                let line = String::from_utf8_lossy(bytes.some()).into_owned();
                let _ = self.call.person(side).session.ice().add_remote_candidate(now, &line);
            }
            _ if bytes.byte() % 8 == 7 => self.call.person(side).session.close(now),
            _ => self.call.person(side).session.handle_timeout(now),
        }
    }

    /// A datagram from somewhere: overheard, changed, or made up.
    fn disturb(&mut self, bytes: &mut Bytes<'_>) {
        let overheard: Vec<Packet> = self.call.network.overheard().iter().cloned().collect();
        let Some(mut packet) = overheard.get(usize::from(bytes.byte()) % overheard.len().max(1)).cloned() else {
            return;
        };
        let other = overheard[usize::from(bytes.byte()) % overheard.len()].bytes.clone();
        match bytes.byte() % 4 {
            0 => {}
            1 => packet.bytes = bytes.some().to_vec(),
            _ => packet.bytes = mutate(bytes, packet.bytes, &other, 0),
        }
        if bytes.byte().is_multiple_of(4) {
            packet.source.set_port(bytes.word());
        }
        let now = self.call.now();
        self.call.network.inject(now, packet);
        self.call.step();
    }

    fn quality(&mut self, bytes: &mut Bytes<'_>) -> Quality {
        Quality {
            loss: f64::from(bytes.byte() % 4) * 0.1,
            duplicate: f64::from(bytes.byte() % 3) * 0.1,
            delay: Duration::from_millis(*bytes.one_of(&[1, 10, 150])),
            reorder: f64::from(bytes.byte() % 2) * 0.3,
            reorder_by: Duration::from_millis(40),
            is_cut: bytes.byte().is_multiple_of(4),
            ..Quality::PERFECT
        }
    }

    /// Nothing comes that was not sent, or twice, or in another order than an ordered channel promises.
    fn check(&mut self) {
        for side in 0..2 {
            for (label, messages) in std::mem::take(&mut self.call.person(side).inbox) {
                assert!(self.is_honest, "a stranger's message");
                assert!(!label.starts_with(&side.to_string()), "its own");
                let (is_ordered, sent) = self.sent.get_mut(&label).expect("the channel was opened");
                for message in messages {
                    let at = sent.iter().position(|one| *one == message).expect("it was sent, and comes once");
                    sent.remove(at);
                    if *is_ordered {
                        // What was sent before it and has not come will not come any more.
                        sent.drain(..at);
                    }
                }
            }
        }
    }
}
