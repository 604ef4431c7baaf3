//! Two people find each other: over links of every sort, and through NATs.

use std::time::Duration;

use peerline_netsim::{NatKind, Quality};
use peerline_transport::data_channel::ChannelSettings;
use peerline_transport::ice::IceState;

use crate::call::{ANN, BOB, Call};

/// Until a channel is open on both sides; then a word each way.
#[track_caller]
fn connect(mut call: Call, limit: Duration) -> Duration {
    let channel = call.open(ANN, ChannelSettings::new("chat"));
    call.gather();
    let took = call.run_within(limit, "the channel is open", Call::is_open);
    call.person(ANN).send(channel, b"hello");
    call.run_until("the word is there", |call| call.person(BOB).received("chat") == [b"hello"]);
    took
}

#[test]
fn any_loss_up_to_a_fifth_with_reordering_and_repetition_only_delays() {
    for percent in [0, 1, 2, 5, 10, 20] {
        for seed in 0..4 {
            let limit = if percent < 5 { Duration::from_secs(5) } else { Duration::from_secs(30) };
            connect(Call::new(seed, Quality::lossy(percent)), limit);
        }
    }
}

#[test]
fn it_takes_as_many_round_trips_at_1_ms_as_at_300_ms() {
    for milliseconds in [1, 10, 50, 150, 300] {
        let took = connect(Call::new(1, Quality::delayed(milliseconds)), Duration::from_secs(10));
        // Checks, DTLS 1.3, SCTP, and the channel, with what their timers add before a round trip is known.
        let round_trip = Duration::from_millis(2 * milliseconds);
        assert!(took <= round_trip * 6 + Duration::from_millis(400), "{milliseconds} ms: {took:?}");
    }
}

#[test]
fn an_mtu_of_1280_bytes_is_enough_for_every_packet() {
    let mut call = Call::new(2, Quality { mtu: 1280, ..Quality::delayed(10) });
    let channel = call.open(ANN, ChannelSettings::new("file"));
    call.gather();
    call.run_until("the channel is open", Call::is_open);
    let file = call.network.dice.bytes(200_000);
    call.person(ANN).send(channel, &file);
    call.run_until("it is there", |call| call.person(BOB).received("file") == [&file[..]]);
    assert_eq!(call.network.counters.too_large, 0);
}

#[test]
fn a_slow_line_with_a_short_queue_is_enough() {
    let quality = Quality { rate_bps: Some(256_000), queue_bytes: 8_000, ..Quality::delayed(40) };
    let mut call = Call::new(3, quality);
    let channel = call.open(ANN, ChannelSettings::new("file"));
    call.gather();
    call.run_until("the channel is open", Call::is_open);
    let file = call.network.dice.bytes(200_000);
    call.person(ANN).send(channel, &file);
    let took = call.run_until("it is there", |call| call.person(BOB).received("file") == [&file[..]]);
    assert!(call.network.counters.queue_full > 0, "the queue was filled");
    assert!(took < Duration::from_secs(15), "{took:?} for what takes 7 s at best");
}

#[test]
fn nats_of_all_kinds_are_crossed_where_that_can_be() {
    let kinds = NatKind::ALL.map(Some).into_iter().chain([None]);
    for ann in kinds.clone() {
        for bob in kinds.clone() {
            let can_meet = match (ann, bob) {
                (Some(ann), Some(bob)) => ann.meets(bob),
                _ => true,
            };
            let mut call = Call::behind(4, Quality::delayed(10), [ann, bob]);
            if can_meet {
                connect(call, Duration::from_secs(5));
            } else {
                call.gather();
                let failed = |call: &mut Call| (0..2).all(|side| call.person(side).ice_state() == IceState::Failed);
                call.run_until("both give up", failed);
            }
        }
    }
}

#[test]
fn loss_behind_nats_only_delays_too() {
    for seed in 10..16 {
        let nats = [Some(NatKind::PortRestricted), Some(NatKind::AddressRestricted)];
        connect(Call::behind(seed, Quality::lossy(20), nats), Duration::from_secs(30));
    }
}

#[test]
fn candidates_that_come_late_are_waited_for() {
    let call = Call::new(5, Quality::delayed(10));
    call.signaling.borrow_mut().delay = Duration::from_secs(20);
    connect(call, Duration::from_millis(20_500));
}
