//! What data channels promise, kept over bad networks (RFC 8831 §6.6, RFC 3758).

use std::time::Duration;

use peerline_netsim::Quality;
use peerline_transport::data_channel::{ChannelKey, ChannelSettings};
use peerline_wire::dcep::Reliability;

use crate::call::{ANN, BOB, Call};

fn unordered(reliability: Reliability) -> ChannelSettings {
    ChannelSettings { is_ordered: false, reliability, ..ChannelSettings::new("loose") }
}

/// Connected over a good link; then the channel, open on both sides.
fn with_channel(seed: u64, settings: ChannelSettings) -> (Call, ChannelKey) {
    let (mut call, _) = Call::connected(seed, Quality::delayed(20));
    let channel = call.open(ANN, settings);
    call.run_until("it is open", |call| (0..2).all(|side| call.person(side).has_opened(2)));
    (call, channel)
}

/// One numbered message every 10 ms; the numbers that came.
fn trickle(call: &mut Call, channel: ChannelKey, count: u32) -> Vec<u32> {
    for number in 0..count {
        call.person(ANN).send(channel, &number.to_be_bytes());
        call.run_for(Duration::from_millis(10));
    }
    call.run_for(Duration::from_secs(10));
    let number = |message: &Vec<u8>| u32::from_be_bytes(message[..].try_into().unwrap());
    call.person(BOB).received("loose").iter().map(number).collect()
}

/// A file in messages of 16 KiB, compared byte for byte; how long it took.
fn transfer(call: &mut Call, channel: ChannelKey, bytes: usize) -> Duration {
    let file = call.network.dice.bytes(bytes);
    file.chunks(16 * 1024).for_each(|piece| call.person(ANN).send(channel, piece));
    let took = call.run_within(Duration::from_secs(1200), "all of it is there", |call| {
        call.person(BOB).bytes_received("file") >= bytes
    });
    assert!(call.person(BOB).received("file").concat() == file, "seed {}: it is another file", call.seed());
    took
}

#[test]
fn an_ordered_channel_delivers_a_file_intact_however_bad_the_link() {
    for (seed, percent) in [(1, 0), (2, 2), (3, 5), (4, 10), (5, 20), (6, 20), (7, 20)] {
        let (mut call, channel) = Call::connected(seed, Quality::lossy(percent));
        transfer(&mut call, channel, 500_000);
        let counters = call.network.counters;
        assert!(counters.duplicated > 0 && counters.held_back > 0, "{counters:?}");
    }
}

#[test]
fn three_hundred_milliseconds_of_round_trip_cost_no_more_than_slow_start() {
    let (mut call, channel) = Call::connected(8, Quality::delayed(150));
    let took = transfer(&mut call, channel, 1_000_000);
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn the_largest_messages_arrive_whole_both_ways_at_once() {
    let (mut call, from_ann) = Call::connected(9, Quality::lossy(10));
    let from_bob = call.open(BOB, ChannelSettings::new("back"));
    let messages = [0, 1].map(|_| call.network.dice.bytes(256 * 1024));
    call.person(ANN).send(from_ann, &messages[0]);
    call.person(BOB).send(from_bob, &messages[1]);
    call.run_within(Duration::from_secs(300), "both are there", |call| {
        call.person(BOB).received("file").len() + call.person(ANN).received("back").len() == 2
    });
    assert!(call.person(BOB).received("file") == [&messages[0][..]]);
    assert!(call.person(ANN).received("back") == [&messages[1][..]]);
}

#[test]
fn an_unordered_reliable_channel_delivers_everything_once_and_does_not_wait() {
    let (mut call, channel) = with_channel(10, unordered(Reliability::Reliable));
    call.shape(Quality::lossy(20));
    let mut numbers = trickle(&mut call, channel, 300);
    assert!(!numbers.is_sorted(), "nobody waited for what was lost");
    numbers.sort_unstable();
    assert_eq!(numbers, (0..300).collect::<Vec<u32>>());
}

#[test]
fn an_ordered_channel_delivers_in_order_what_an_unordered_one_would_not() {
    let settings = ChannelSettings { is_ordered: true, ..unordered(Reliability::Reliable) };
    let (mut call, channel) = with_channel(10, settings);
    call.shape(Quality::lossy(20));
    assert_eq!(trickle(&mut call, channel, 300), (0..300).collect::<Vec<u32>>());
}

#[test]
fn without_retransmission_a_message_comes_once_or_never_and_the_rest_is_not_held_up() {
    for is_ordered in [true, false] {
        let settings = ChannelSettings { is_ordered, ..unordered(Reliability::MaxRetransmits(0)) };
        let (mut call, channel) = with_channel(11, settings);
        call.shape(Quality::lossy(20));
        let numbers = trickle(&mut call, channel, 500);
        assert!(!is_ordered || numbers.is_sorted(), "what comes of an ordered channel comes in order");
        let mut once = numbers.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), numbers.len(), "none comes twice");
        assert!((350..450).contains(&numbers.len()), "{} of 500 came, with a fifth lost", numbers.len());
        assert!(once.last().unwrap() > &480, "and to the end");
    }
}

#[test]
fn more_retransmissions_lose_less() {
    let came = |count| {
        let (mut call, channel) = with_channel(12, unordered(Reliability::MaxRetransmits(count)));
        call.shape(Quality { loss: 0.3, ..Quality::delayed(20) });
        trickle(&mut call, channel, 400).len()
    };
    let [none, one, three] = [0, 1, 3].map(came);
    assert!(none + 40 < one && one + 10 < three, "{none}, {one}, {three} of 400");
}

#[test]
fn what_its_lifetime_ends_under_way_is_given_up_and_nothing_else() {
    let (mut call, channel) = with_channel(13, unordered(Reliability::MaxLifetimeMs(200)));
    call.person(ANN).send(channel, b"before");
    call.run_for(Duration::from_secs(1));
    call.shape(Quality::CUT);
    call.person(ANN).send(channel, b"during");
    call.run_for(Duration::from_secs(3));
    call.shape(Quality::delayed(20));
    call.person(ANN).send(channel, b"after");
    call.run_for(Duration::from_secs(10));
    assert_eq!(call.person(BOB).received("loose"), [&b"before"[..], b"after"]);
}
