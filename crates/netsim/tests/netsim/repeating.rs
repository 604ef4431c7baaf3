//! The same seed makes the same run: what was found once is found again.

use std::time::Duration;

use peerline_netsim::{NatKind, Quality};
use peerline_transport::data_channel::ChannelSettings;

use crate::call::{ANN, BOB, Call};

/// Every packet that crossed the internet, and what became of all. Keys and signatures are new each time, so bytes differ.
fn trace(seed: u64) -> (Vec<(String, String)>, String) {
    let mut call = Call::behind(seed, Quality::lossy(10), [Some(NatKind::Symmetric), None]);
    call.network.listen(usize::MAX);
    let channel = call.open(ANN, ChannelSettings::new("file"));
    call.gather();
    call.run_until("the channel is open", Call::is_open);
    let file = call.network.dice.bytes(100_000);
    call.person(ANN).send(channel, &file);
    call.run_until("it is there", |call| call.person(BOB).received("file").len() == 1);
    call.run_for(Duration::from_secs(10));
    let packets = call.network.overheard().iter();
    let packets = packets.map(|packet| (packet.source.to_string(), packet.to.to_string())).collect();
    (packets, format!("{:?} {:?}", call.network.counters, call.age()))
}

#[test]
fn a_seed_decides_which_packets_are_sent_when_and_what_becomes_of_them() {
    let (first, again, other) = (trace(1), trace(1), trace(2));
    assert_eq!(first.1, again.1);
    assert_eq!(first.0, again.0);
    assert_ne!(first.1, other.1);
}
