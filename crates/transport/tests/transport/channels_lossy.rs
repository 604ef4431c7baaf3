//! Data channels over a bad network: what is promised is kept.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use peerline_transport::data_channel::{ChannelEvent, ChannelKey, ChannelSettings, Kind, SendError};
use peerline_wire::dcep::Reliability;
use proptest::prelude::*;

use crate::channels_pair::{CLIENT, Pair, SERVER, unordered};
use crate::network::Path;

const TRANSFER_BYTES: usize = 10_000_000;

/// Sends 10 MB in pieces of 16 KiB and compares the hashes.
fn transfer(seed: u64, path: Path) {
    let mut pair = Pair::connected(seed, path);
    let channel = pair.open(CLIENT, ChannelSettings::new("file"));
    let data = pair.network.dice.bytes(TRANSFER_BYTES);
    let mut pieces = data.chunks(16 * 1024).peekable();
    let (mut received, mut hash) = (0, DefaultHasher::new());
    pair.run_until("all of it is there", |pair| {
        while let Some(piece) = pieces.peek() {
            if pair.ends[CLIENT].buffered_amount(channel) > 512 * 1024 {
                break;
            }
            let now = pair.now();
            match pair.ends[CLIENT].send(now, channel, Kind::Binary, piece.to_vec()) {
                Ok(()) => pieces.next(),
                Err(SendError::QueueFull) => break,
                Err(error) => panic!("{error}"),
            };
        }
        for event in std::mem::take(&mut pair.events[SERVER]) {
            if let ChannelEvent::Received { payload, .. } = event {
                received += payload.bytes.len();
                hash.write(&payload.bytes);
            }
        }
        received >= TRANSFER_BYTES
    });
    let mut expected = DefaultHasher::new();
    data.chunks(16 * 1024).for_each(|piece| expected.write(piece));
    assert_eq!((received, hash.finish()), (TRANSFER_BYTES, expected.finish()));
}

#[test]
fn ten_megabytes_arrive_intact_over_a_clean_path() {
    transfer(1, Path::CLEAN);
}

#[test]
fn ten_megabytes_arrive_intact_with_1_percent_loss() {
    transfer(2, Path::lossy(1));
}

#[test]
fn ten_megabytes_arrive_intact_with_5_percent_loss() {
    transfer(3, Path::lossy(5));
}

#[test]
fn ten_megabytes_arrive_intact_with_20_percent_loss() {
    transfer(4, Path::lossy(20));
}

#[test]
fn messages_without_retransmission_are_lost_but_never_wrong_and_never_stop() {
    let mut pair = Pair::connected(5, Path::lossy(20));
    let reliability = Reliability::MaxRetransmits(0);
    let channel = pair.open(CLIENT, ChannelSettings { reliability, ..unordered("loose") });
    pair.incoming(SERVER);
    for number in 0..500_u32 {
        pair.send(CLIENT, channel, Kind::Binary, &number.to_be_bytes());
        pair.run_for(Duration::from_millis(10));
    }
    pair.run_for(Duration::from_secs(10));
    let mut numbers: Vec<u32> = pair.events[SERVER]
        .iter()
        .filter_map(|event| match event {
            ChannelEvent::Received { payload, .. } => Some(u32::from_be_bytes(payload.bytes[..].try_into().unwrap())),
            _ => None,
        })
        .collect();
    assert!((300..500).contains(&numbers.len()), "{} of 500 came", numbers.len());
    numbers.sort_unstable();
    numbers.dedup();
    assert!(numbers.len() >= 300, "each came once");
    assert!(*numbers.last().unwrap() > 480, "the end came too");
}

#[test]
fn messages_past_their_lifetime_are_given_up() {
    let mut pair = Pair::connected(6, Path::CLEAN);
    let reliability = Reliability::MaxLifetimeMs(200);
    let channel = pair.open(CLIENT, ChannelSettings { reliability, ..ChannelSettings::new("") });
    pair.incoming(SERVER);
    pair.run_for(Duration::from_secs(1));
    pair.network.path = Path { loss_percent: 100, ..Path::CLEAN };
    pair.send(CLIENT, channel, Kind::Text, b"too late");
    pair.run_for(Duration::from_secs(5));
    pair.network.path = Path::CLEAN;
    pair.send(CLIENT, channel, Kind::Text, b"in time");
    assert_eq!(pair.message(SERVER).2, b"in time");
}

#[test]
fn a_channel_outlives_a_minute_without_a_network() {
    let mut pair = Pair::connected(7, Path::CLEAN);
    let channel = pair.open(CLIENT, ChannelSettings::new(""));
    pair.incoming(SERVER);
    pair.network.path = Path { loss_percent: 100, ..Path::CLEAN };
    pair.send(CLIENT, channel, Kind::Text, b"patience");
    pair.run_for(Duration::from_secs(60));
    pair.network.path = Path::CLEAN;
    let healed = pair.now();
    assert_eq!(pair.message(SERVER).2, b"patience");
    assert!(pair.now() - healed < Duration::from_secs(4), "it is tried every three seconds at least");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    /// Whatever is sent on whichever channel, opened and closed at any moment: each channel delivers exactly what was
    /// sent on it, in order if it is ordered, and both sides end with the same number of channels.
    #[test]
    fn reliable_channels_deliver_exactly_what_was_sent(
        seed: u64, loss in 0_u64..20, plan in proptest::collection::vec((0_usize..4, 0_usize..3, 0_usize..5000), 1..40),
    ) {
        let mut pair = Pair::connected(seed, Path::lossy(loss));
        let mut open: [Option<(ChannelKey, String)>; 4] = Default::default();
        // By label: what was sent on the channel.
        let mut sent: BTreeMap<String, Vec<(u32, usize)>> = BTreeMap::new();
        for (number, (lane, act, len)) in plan.into_iter().enumerate() {
            let side = lane % 2;
            let label = format!("{lane}/{number}");
            let (channel, label) = open[lane].get_or_insert_with(|| {
                let settings = ChannelSettings { is_ordered: lane < 2, ..ChannelSettings::new(&label) };
                sent.insert(label.clone(), Vec::new());
                (pair.open(side, settings), label)
            }).clone();
            match act {
                0 => {
                    let message = [&(number as u32).to_be_bytes()[..], &vec![lane as u8; len]].concat();
                    pair.send(side, channel, Kind::Binary, &message);
                    sent.get_mut(&label).unwrap().push((number as u32, message.len()));
                }
                1 => pair.run_for(Duration::from_millis(len as u64 / 20)),
                _ => {
                    pair.close(side, channel);
                    open[lane] = None;
                }
            }
        }
        let alive = open.iter().flatten().count();
        let total = sent.values().map(Vec::len).sum::<usize>();
        pair.run_until("all is there and what was closed is gone", |pair| {
            let is_message = |event: &&ChannelEvent| matches!(event, ChannelEvent::Received { .. });
            let came = pair.events.iter().flatten().filter(is_message).count();
            came == total && pair.ends.iter().all(|end| end.len() == alive)
        });
        pair.run_for(Duration::from_secs(5));
        let mut came: BTreeMap<String, Vec<(u32, usize)>> = BTreeMap::new();
        for events in &pair.events {
            let mut labels = BTreeMap::new();
            for event in events {
                match event {
                    ChannelEvent::Incoming { channel, settings } => {
                        labels.insert(*channel, settings.label.clone());
                        came.insert(settings.label.clone(), Vec::new());
                    }
                    ChannelEvent::Received { channel, payload } => {
                        let number = u32::from_be_bytes(payload.bytes[..4].try_into().unwrap());
                        came.get_mut(&labels[channel]).unwrap().push((number, payload.bytes.len()));
                    }
                    _ => {}
                }
            }
        }
        for (label, messages) in &mut came {
            if label.starts_with(['2', '3']) {
                messages.sort_unstable();
            }
        }
        prop_assert_eq!(came, sent);
    }
}
