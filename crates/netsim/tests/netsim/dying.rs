//! How one side learns that the other is gone (RFC 7675), and when it is told.

use std::time::Duration;

use peerline_netsim::Quality;
use peerline_session::SessionEvent;
use peerline_transport::data_channel::ChannelEvent;
use peerline_transport::ice::IceState;

use crate::call::{ANN, BOB, Call};

#[test]
fn a_killed_peer_is_disconnected_within_five_seconds_and_failed_when_consent_runs_out() {
    for (seed, percent) in [(1, 0), (2, 0), (3, 5), (4, 20)] {
        let (mut call, _) = Call::connected(seed, Quality::lossy(percent));
        call.run_for(Duration::from_secs(20));
        let killed = call.now();
        call.kill(BOB);
        call.run_within(Duration::from_secs(5), "it is disconnected", |call| {
            call.person(ANN).ice_state() == IceState::Disconnected
        });
        call.run_within(Duration::from_secs(30), "it has failed", |call| {
            call.person(ANN).ice_state() == IceState::Failed
        });
        let failed = call.person(ANN).when(IceState::Failed).unwrap() - killed;
        assert!(failed > Duration::from_secs(20) && failed <= Duration::from_secs(30), "{failed:?}");
    }
}

#[test]
fn nothing_is_sent_to_a_peer_whose_consent_has_run_out_though_messages_wait() {
    let (mut call, channel) = Call::connected(5, Quality::delayed(10));
    call.kill(BOB);
    call.person(ANN).send(channel, &[7; 100_000]);
    call.run_for(Duration::from_secs(31));
    let sent = call.network.counters.sent;
    call.run_for(Duration::from_secs(300));
    assert_eq!(call.network.counters.sent, sent);
}

#[test]
fn a_peer_that_says_goodbye_is_gone_half_a_round_trip_later() {
    let (mut call, _) = Call::connected(6, Quality::delayed(50));
    let now = call.now();
    call.person(BOB).session.close(now);
    let is_closed = |event: &SessionEvent| matches!(event, SessionEvent::Channel(ChannelEvent::Closed { .. }));
    let took = call
        .run_until("the channel is closed", |call| call.person(ANN).events.iter().any(|(_, event)| is_closed(event)));
    assert_eq!(took, Duration::from_millis(50));
}
