//! Data channels over a good network: what each setting means, and the order of events.

use std::time::Duration;

use peerline_transport::data_channel::{
    ChannelError, ChannelEvent, ChannelLimits, ChannelSettings, Kind, OpenError, SendError,
};
use peerline_transport::dtls::DtlsRole;
use peerline_transport::sctp::SctpSettings;
use peerline_wire::dcep::Reliability;

use crate::channels_pair::{CLIENT, Pair, SERVER, unordered};
use crate::network::Path;

#[test]
fn a_channel_arrives_with_all_that_was_said_of_it() {
    let mut pair = Pair::connected(1, Path::CLEAN);
    let settings = ChannelSettings {
        protocol: "json".into(),
        is_ordered: false,
        reliability: Reliability::MaxLifetimeMs(1500),
        priority: 1024,
        ..ChannelSettings::new("näme")
    };
    let ours = pair.open(CLIENT, settings.clone());
    let (theirs, seen) = pair.incoming(SERVER);
    assert_eq!(seen, settings);
    assert_eq!(pair.events[SERVER].pop_front(), Some(ChannelEvent::Opened { channel: theirs, stream: 0 }));
    assert_eq!(pair.events[CLIENT].pop_front(), Some(ChannelEvent::Opened { channel: ours, stream: 0 }));
}

#[test]
fn the_client_takes_even_streams_and_the_server_odd_ones() {
    let mut pair = Pair::connected(2, Path::CLEAN);
    let streams = |pair: &mut Pair, side: usize| {
        let keys = [0; 3].map(|_| pair.open(side, ChannelSettings::new("")));
        keys.map(|key| pair.ends[side].stream(key).unwrap())
    };
    assert_eq!(streams(&mut pair, CLIENT), [0, 2, 4]);
    assert_eq!(streams(&mut pair, SERVER), [1, 3, 5]);
}

#[test]
fn a_channel_made_before_the_role_is_known_has_no_stream_until_then() {
    let mut pair = Pair::new(3, Path::CLEAN);
    let agreed = ChannelSettings { negotiated: Some(1), ..ChannelSettings::new("agreed") };
    let first = pair.open(SERVER, ChannelSettings::new("first"));
    pair.open(SERVER, agreed);
    let second = pair.open(SERVER, ChannelSettings::new("second"));
    assert_eq!(pair.ends[SERVER].stream(first), None);
    pair.ends[SERVER].set_role(DtlsRole::Server);
    assert_eq!(pair.ends[SERVER].stream(first), Some(3), "the agreed stream is left out");
    assert_eq!(pair.ends[SERVER].stream(second), Some(5));
    pair.connect();
    assert_eq!(pair.incoming(CLIENT).1.label, "first");
    assert_eq!(pair.incoming(CLIENT).1.label, "second");
}

#[test]
fn agreed_channels_open_without_a_word_and_carry_messages() {
    let mut pair = Pair::new(4, Path::CLEAN);
    let agreed = ChannelSettings { negotiated: Some(7), ..ChannelSettings::new("agreed") };
    let ends = [0, 1].map(|side| pair.open(side, agreed.clone()));
    pair.connect();
    for side in [CLIENT, SERVER] {
        assert_eq!(pair.events[side].pop_front(), Some(ChannelEvent::Opened { channel: ends[side], stream: 7 }));
        pair.send(side, ends[side], Kind::Text, b"hello");
        assert_eq!(pair.message(1 - side), (ends[1 - side], Kind::Text, b"hello".to_vec()));
    }
    assert_eq!(pair.ends[CLIENT].counters().on_no_channel, 0);
}

#[test]
fn an_agreed_stream_is_given_once_and_within_what_was_agreed() {
    let mut pair = Pair::new(5, Path::CLEAN);
    let agreed = |stream| ChannelSettings { negotiated: Some(stream), ..ChannelSettings::new("") };
    let now = pair.now();
    let beyond = pair.open(CLIENT, agreed(2000));
    pair.open(CLIENT, agreed(7));
    assert_eq!(pair.ends[CLIENT].open(now, agreed(7)), Err(OpenError::StreamTaken));
    assert_eq!(pair.ends[CLIENT].open(now, agreed(65_535)), Err(OpenError::NoStream));
    pair.connect();
    let error = Some(ChannelError::NoStream);
    pair.run_until_event(CLIENT, &ChannelEvent::Closed { channel: beyond, error });
    assert_eq!(pair.ends[CLIENT].open(now, agreed(1024)), Err(OpenError::NoStream));
}

#[test]
fn an_owner_that_keeps_the_streams_chooses_them() {
    let mut pair = Pair::connected(8, Path::CLEAN);
    let on = |stream| ChannelSettings { stream: Some(stream), ..ChannelSettings::new("chosen") };
    let chosen = pair.open(CLIENT, on(6));
    assert_eq!(pair.ends[CLIENT].stream(chosen), Some(6));
    let incoming = pair.incoming(SERVER);
    assert_eq!((incoming.1.label.as_str(), pair.ends[SERVER].stream(incoming.0)), ("chosen", Some(6)));
    let now = pair.now();
    assert_eq!(pair.ends[CLIENT].open(now, on(6)), Err(OpenError::StreamTaken));
    assert_eq!(pair.ends[CLIENT].open(now, on(1024)), Err(OpenError::NoStream));
}

#[test]
fn names_of_more_than_65535_bytes_are_refused() {
    let mut pair = Pair::connected(6, Path::CLEAN);
    let now = pair.now();
    let long = ChannelSettings::new(&"x".repeat(65_536));
    assert_eq!(pair.ends[CLIENT].open(now, long.clone()), Err(OpenError::NameTooLong));
    let longest = ChannelSettings { protocol: "y".repeat(65_535), ..ChannelSettings::new(&long.label[1..]) };
    pair.open(CLIENT, longest.clone());
    assert_eq!(pair.incoming(SERVER).1, longest);
}

#[test]
fn messages_sent_before_the_ack_arrive_after_the_channel() {
    let mut pair = Pair::connected(7, Path::CLEAN);
    let channel = pair.open(CLIENT, unordered("early"));
    for number in 0..20_u8 {
        pair.send(CLIENT, channel, Kind::Binary, &[number]);
    }
    let (theirs, _) = pair.incoming(SERVER);
    for number in 0..20_u8 {
        assert_eq!(pair.message(SERVER), (theirs, Kind::Binary, vec![number]));
    }
    assert_eq!(pair.ends[SERVER].counters().on_no_channel, 0);
}

#[test]
fn empty_messages_are_messages() {
    let mut pair = Pair::connected(8, Path::CLEAN);
    let channel = pair.open(CLIENT, ChannelSettings::new(""));
    let (theirs, _) = pair.incoming(SERVER);
    for kind in [Kind::Text, Kind::Binary] {
        pair.send(CLIENT, channel, kind, b"");
        assert_eq!(pair.ends[CLIENT].buffered_amount(channel), 0);
        assert_eq!(pair.message(SERVER), (theirs, kind, Vec::new()));
    }
}

#[test]
fn large_messages_arrive_whole_both_ways() {
    let limits = ChannelLimits { max_message_bytes: 4 << 20, ..ChannelLimits::default() };
    let mut pair = Pair::with(9, Path::CLEAN, SctpSettings::default(), limits);
    pair.connect();
    let ours = pair.open(CLIENT, ChannelSettings::new(""));
    let (theirs, _) = pair.incoming(SERVER);
    for len in [256 * 1024, 256 * 1024 + 1, 4 << 20] {
        let message = pair.network.dice.bytes(len);
        pair.send(CLIENT, ours, Kind::Binary, &message);
        pair.send(SERVER, theirs, Kind::Text, &message);
        assert_eq!(pair.message(SERVER).2, message);
        assert_eq!(pair.message(CLIENT).2, message);
    }
}

#[test]
fn what_the_other_side_does_not_take_is_refused_here() {
    let mut pair = Pair::connected(10, Path::CLEAN);
    let channel = pair.open(CLIENT, ChannelSettings::new(""));
    let now = pair.now();
    let end = &mut pair.ends[CLIENT];
    let limit = 262_144;
    assert_eq!(end.send(now, channel, Kind::Binary, vec![0; limit + 1]), Err(SendError::TooLarge { limit }));
    assert_eq!(end.send(now, channel, Kind::Binary, vec![0; limit]), Ok(()));
    end.set_remote_max_message_size(0);
    assert_eq!(end.send(now, channel, Kind::Binary, vec![0; limit + 1]), Ok(()), "0 is no limit");
}

#[test]
fn a_full_queue_refuses_and_says_when_it_is_low_again() {
    let settings = SctpSettings { stream_queue_bytes: 1 << 20, ..SctpSettings::default() };
    let mut pair = Pair::with(11, Path::CLEAN, settings, ChannelLimits::default());
    pair.connect();
    let channel = pair.open(CLIENT, ChannelSettings::new(""));
    pair.ends[CLIENT].set_low_threshold(channel, 100_000);
    let now = pair.now();
    let mut sent = 0;
    while pair.ends[CLIENT].send(now, channel, Kind::Binary, vec![0; 65_536]).is_ok() {
        sent += 65_536;
    }
    assert_eq!(pair.ends[CLIENT].send(now, channel, Kind::Binary, vec![0]), Err(SendError::QueueFull));
    pair.flush();
    let buffered = pair.ends[CLIENT].buffered_amount(channel);
    assert!(buffered < sent && buffered >= sent - 20_000, "{buffered} of {sent}: what is in flight is not counted");
    pair.run_until("the queue is low", |pair| {
        pair.events[CLIENT].contains(&ChannelEvent::BufferedAmountLow { channel })
    });
    assert!(pair.ends[CLIENT].buffered_amount(channel) <= 100_000);
    pair.run_until("the queue is empty", |pair| pair.ends[CLIENT].buffered_amount(channel) == 0);
    pair.run_for(Duration::from_secs(1));
    let lows = pair.events[CLIENT].iter().filter(|event| **event == ChannelEvent::BufferedAmountLow { channel });
    assert_eq!(lows.count(), 1);
}

#[test]
fn closing_sends_what_is_queued_and_frees_the_stream_on_both_sides() {
    let mut pair = Pair::connected(12, Path::CLEAN);
    let ours = pair.open(CLIENT, ChannelSettings::new(""));
    let (theirs, _) = pair.incoming(SERVER);
    pair.send(CLIENT, ours, Kind::Binary, &[1; 200_000]);
    pair.close(CLIENT, ours);
    pair.close(CLIENT, ours);
    let now = pair.now();
    assert_eq!(pair.ends[CLIENT].send(now, ours, Kind::Text, b"late".to_vec()), Err(SendError::NotOpen));
    assert_eq!(pair.message(SERVER).2.len(), 200_000);
    pair.run_until_event(SERVER, &ChannelEvent::Closing { channel: theirs });
    pair.run_until_event(SERVER, &ChannelEvent::Closed { channel: theirs, error: None });
    pair.run_until_event(CLIENT, &ChannelEvent::Closed { channel: ours, error: None });
    assert!(pair.ends.iter().all(|end| end.is_empty()));
    let again = pair.open(CLIENT, ChannelSettings::new("again"));
    assert_eq!(pair.ends[CLIENT].stream(again), Some(0));
    pair.send(CLIENT, again, Kind::Text, b"new");
    let (theirs, settings) = pair.incoming(SERVER);
    assert_eq!(settings.label, "again");
    assert_eq!(pair.message(SERVER), (theirs, Kind::Text, b"new".to_vec()));
}

#[test]
fn both_sides_may_close_at_once() {
    let mut pair = Pair::connected(13, Path::CLEAN);
    let ours = pair.open(CLIENT, ChannelSettings::new(""));
    let (theirs, _) = pair.incoming(SERVER);
    let now = pair.now();
    pair.ends[CLIENT].close(now, ours);
    pair.ends[SERVER].close(now, theirs);
    pair.run_until_event(CLIENT, &ChannelEvent::Closed { channel: ours, error: None });
    pair.run_until_event(SERVER, &ChannelEvent::Closed { channel: theirs, error: None });
}

#[test]
fn a_channel_closed_before_it_was_connected_is_simply_gone() {
    let mut pair = Pair::new(14, Path::CLEAN);
    let channel = pair.open(CLIENT, ChannelSettings::new(""));
    pair.close(CLIENT, channel);
    assert_eq!(pair.events[CLIENT].pop_front(), Some(ChannelEvent::Closed { channel, error: None }));
    pair.connect();
    pair.run_for(Duration::from_secs(2));
    assert!(pair.events[SERVER].is_empty(), "the other side never hears of it");
}

#[test]
fn the_end_of_the_association_closes_every_channel_and_loses_no_message_on_the_way() {
    let mut pair = Pair::connected(15, Path::CLEAN);
    let ours = pair.open(CLIENT, ChannelSettings::new(""));
    let (theirs, _) = pair.incoming(SERVER);
    pair.send(CLIENT, ours, Kind::Text, b"last");
    let now = pair.now();
    pair.ends[CLIENT].abort(now);
    assert_eq!(pair.message(SERVER).2, b"last");
    let error = Some(ChannelError::Association);
    pair.run_until_event(SERVER, &ChannelEvent::Closed { channel: theirs, error });
    pair.run_until_event(SERVER, &ChannelEvent::AssociationClosed { is_failure: true });
    pair.run_until_event(CLIENT, &ChannelEvent::Closed { channel: ours, error: None });
    pair.run_until_event(CLIENT, &ChannelEvent::AssociationClosed { is_failure: false });
    assert_eq!(pair.ends[CLIENT].open(now, ChannelSettings::new("")), Err(OpenError::Closed));
}

#[test]
fn the_association_waits_for_a_silent_peer_as_long_as_it_takes() {
    let mut pair = Pair::new(16, Path { loss_percent: 100, ..Path::CLEAN });
    pair.ends[CLIENT].set_role(DtlsRole::Client);
    let now = pair.now();
    pair.ends[CLIENT].connect(now);
    pair.run_for(Duration::from_secs(600));
    assert!(pair.events.iter().all(|events| events.is_empty()), "nobody gives up");
    pair.network.path = Path::CLEAN;
    pair.run_until("they connect", |pair| pair.events.iter().all(|events| !events.is_empty()));
}

#[test]
fn a_channel_that_the_other_side_opened_just_before_our_end_is_not_told_after_it() {
    let mut pair = Pair::connected(20, Path::CLEAN);
    let now = pair.now();
    pair.ends[CLIENT].open(now, ChannelSettings::new("late")).unwrap();
    while let Some(packet) = pair.ends[CLIENT].poll_transmit() {
        pair.ends[SERVER].handle_input(now, &packet);
    }
    pair.ends[SERVER].abort(now);
    let events: Vec<ChannelEvent> = std::iter::from_fn(|| pair.ends[SERVER].poll_event()).collect();
    assert_eq!(events, [ChannelEvent::AssociationClosed { is_failure: false }]);
    assert!(pair.ends[SERVER].is_empty());
}
