//! ICE between two of us: NATs, loss, restarts, consent, and servers that are dead.

use std::time::Duration;

use peerline_transport::ice::{
    BadCandidate, BadCredentials, Candidate, Credentials, GatheringEvent, Ice, IceEvent, IceSettings, IceState,
};

use crate::ice_world::{DEAD, STUN, World, address, offerer_and_answerer};
use crate::nat::NatKind::{self, FullCone, PortRestricted, Symmetric};
use crate::network::{Network, Path};

const LOST: Path = Path { loss_percent: 100, ..Path::CLEAN };

fn behind(nats: [Option<NatKind>; 2]) -> World {
    World::new(1, Path::CLEAN, nats, offerer_and_answerer())
}

#[test]
fn two_hosts_connect_within_a_few_round_trips_and_choose_the_same_pair() {
    let mut world = World::open(1, Path::CLEAN);
    world.start(&[]);
    let took = world.connect();
    assert!(took < Duration::from_millis(30), "{took:?}");
    let [ours, theirs] = world.selected();
    assert_eq!((ours.local, ours.remote), (theirs.remote, theirs.local));
}

#[test]
fn the_states_come_in_the_order_of_w3c() {
    let mut world = World::open(2, Path::CLEAN);
    world.start(&[STUN]);
    world.run_until("both are done", |world| world.ends.iter().all(|end| end.ice.state() == IceState::Completed));
    for end in &world.ends {
        let state = |event: &IceEvent| if let IceEvent::StateChanged(state) = event { Some(*state) } else { None };
        let states: Vec<IceState> = end.events.iter().filter_map(state).collect();
        let expected = [IceState::Checking, IceState::Connected, IceState::Completed];
        assert_eq!(states.first(), expected.first());
        assert!(states.is_sorted_by_key(|state| expected.iter().position(|known| known == state)), "{states:?}");
        assert_eq!(states.last(), expected.last());
    }
}

#[test]
fn nats_are_crossed_with_the_help_of_a_stun_server() {
    for nats in [
        [Some(FullCone), None],
        [Some(PortRestricted), None],
        [Some(Symmetric), None],
        [None, Some(Symmetric)],
        [Some(FullCone), Some(PortRestricted)],
        [Some(PortRestricted), Some(PortRestricted)],
        [Some(Symmetric), Some(FullCone)],
    ] {
        let mut world = behind(nats);
        world.start(&[STUN]);
        let took = world.connect();
        assert!(took < Duration::from_secs(2), "{nats:?}: {took:?}");
    }
}

#[test]
fn two_symmetric_nats_need_a_relay() {
    let mut world = behind([Some(Symmetric), Some(Symmetric)]);
    world.start(&[STUN]);
    world.run_until("both give up", |world| world.ends.iter().all(|end| end.ice.state() == IceState::Failed));

    let mut world = behind([Some(Symmetric), Some(Symmetric)]);
    world.ends[0].relay = Some(address("203.0.113.1:6000"));
    world.start(&[STUN]);
    world.connect();
    assert_eq!(world.selected()[0].local, address("203.0.113.1:6000"));
}

#[test]
fn relay_only_shows_and_uses_nothing_but_the_relay() {
    let mut settings = offerer_and_answerer();
    settings[0].is_relay_only = true;
    let mut world = World::new(3, Path::CLEAN, [None, None], settings);
    world.ends[0].relay = Some(address("203.0.113.1:6000"));
    world.start(&[STUN]);
    world.connect();
    world.run_for(Duration::from_secs(10));
    assert_eq!(world.ends[0].lines.len(), 1);
    assert!(world.ends[0].lines[0].contains("203.0.113.1") && !world.ends[0].lines[0].contains("198.51.100"));
    assert_eq!(world.selected()[0].local, address("203.0.113.1:6000"));
    assert_eq!(world.selected()[1].remote, address("203.0.113.1:6000"));
}

#[test]
fn candidates_may_trickle_in_late() {
    let mut world = World::open(4, Path::CLEAN);
    world.signaling_delay = Duration::from_secs(20);
    world.start(&[STUN]);
    let took = world.connect();
    assert!(took < Duration::from_millis(20_100), "{took:?}");
}

#[test]
fn a_dead_stun_server_delays_nothing_and_is_reported_with_701() {
    let mut world = World::open(5, Path::CLEAN);
    world.start(&[DEAD, STUN]);
    let took = world.connect();
    assert!(took < Duration::from_millis(30), "{took:?}");
    let took = world.run_until("the server is given up", |world| {
        world.ends.iter().all(|end| end.gathered.last() == Some(&GatheringEvent::Done))
    });
    assert!(took < Duration::from_secs(10));
    let (base, server) = (world.ends[0].local, address(DEAD));
    assert!(world.ends[0].gathered.contains(&GatheringEvent::Error { base, server, code: 701 }));
    let reflexive = GatheringEvent::Reflexive { base, mapped: base, server: address(STUN) };
    assert_eq!(world.ends[0].gathered[0], reflexive);
}

#[test]
fn of_two_that_want_to_control_one_gives_in() {
    for is_controlling in [true, false] {
        let settings = IceSettings { is_controlling, is_relay_only: false, beats_from: None };
        let mut world = World::new(6, Path::CLEAN, [None, None], [settings; 2]);
        world.start(&[]);
        world.connect();
        assert_ne!(world.ends[0].ice.is_controlling(), world.ends[1].ice.is_controlling());
    }
}

#[test]
fn twenty_percent_loss_reordering_and_repetition_do_not_stop_it() {
    for seed in 0..20 {
        let nats = [Some(PortRestricted), (seed % 2 == 0).then_some(FullCone)];
        let mut world = World::new(seed, Path::lossy(20), nats, offerer_and_answerer());
        world.start(&[STUN]);
        world.connect();
        world.run_for(Duration::from_secs(60));
        let failed = IceEvent::StateChanged(IceState::Failed);
        assert!(world.ends.iter().all(|end| !end.events.contains(&failed)), "seed {seed}");
    }
}

#[test]
fn a_wrong_password_connects_nobody() {
    let mut world = World::open(7, Path::CLEAN);
    let now = world.now();
    for side in 0..2 {
        let right = world.ends[1 - side].ice.local_credentials().clone();
        let wrong = Credentials { password: "x".repeat(24), ..right };
        world.ends[side].ice.set_remote_credentials(now, wrong).unwrap();
    }
    world.gather(0, &[]);
    world.gather(1, &[]);
    world.run_for(Duration::from_secs(60));
    assert!(world.ends.iter().all(|end| end.ice.selected_pair().is_none()));
}

#[test]
fn silence_is_disconnected_within_five_seconds_and_connected_again_when_it_ends() {
    let mut world = World::open(8, Path::CLEAN);
    world.start(&[]);
    world.connect();
    world.run_for(Duration::from_secs(20));
    world.network.path = LOST;
    let is = |state| move |world: &World| world.ends.iter().all(|end| end.ice.state() == state);
    let took = world.run_until("both are disconnected", is(IceState::Disconnected));
    assert!(took <= Duration::from_secs(5), "{took:?}");
    assert!(world.ends[0].ice.selected_pair().is_some(), "consent is still there");
    world.run_for(Duration::from_secs(20));
    world.network.path = Path::CLEAN;
    let took = world.connect();
    assert!(took <= Duration::from_secs(3), "{took:?}");
}

#[test]
fn consent_ends_after_thirty_seconds_and_nothing_more_is_sent() {
    let mut world = World::open(9, Path::CLEAN);
    world.start(&[]);
    world.connect();
    world.run_for(Duration::from_secs(20));
    world.network.path = LOST;
    let took = world.run_until("both fail", |world| world.ends.iter().all(|end| end.ice.state() == IceState::Failed));
    assert!(took > Duration::from_secs(25) && took <= Duration::from_secs(30), "{took:?}");
    let sent = world.ends[0].sent;
    assert_eq!(world.ends[0].ice.selected_pair(), None);
    world.run_for(Duration::from_secs(60));
    assert_eq!(world.ends[0].sent, sent);
    assert_eq!(world.ends[0].ice.poll_timeout(), None, "it costs nothing any more");
}

#[test]
fn without_an_answer_it_fails_when_patience_ends() {
    let mut world = World::open(10, LOST);
    world.start(&[]);
    let took = world.run_until("both fail", |world| world.ends.iter().all(|end| end.ice.state() == IceState::Failed));
    assert!(took >= Duration::from_millis(39_500) && took < Duration::from_secs(42), "{took:?}");
}

#[test]
fn a_restart_keeps_the_old_pair_until_the_new_one_is_there() {
    let mut world = World::open(11, Path::CLEAN);
    world.start(&[]);
    world.connect();
    let old = (world.selected(), world.ends[0].ice.local_credentials().clone());
    let now = world.now();
    for end in &mut world.ends {
        end.local.set_port(end.local.port() + 100);
        end.ice.restart(now);
        end.events.clear();
    }
    assert_ne!(world.ends[0].ice.local_credentials(), &old.1);
    world.run_for(Duration::from_secs(10));
    assert_eq!(world.selected(), old.0, "the offer is under way; data still flows");
    world.start(&[]);
    let fresh = [0, 1].map(|side| world.ends[side].local);
    world.run_until("both use the new pair", |world| {
        (0..2).all(|side| world.ends[side].ice.selected_pair().is_some_and(|pair| pair.local == fresh[side]))
    });
    for end in &world.ends {
        assert!(!end.events.iter().any(|event| matches!(event, IceEvent::StateChanged(IceState::Failed))));
    }
}

#[test]
fn a_restart_that_is_taken_back_changes_nothing() {
    let mut world = World::open(12, Path::CLEAN);
    world.start(&[]);
    world.connect();
    let old = (world.selected(), world.ends[0].ice.local_credentials().clone());
    let now = world.now();
    world.ends[0].ice.restart(now);
    world.run_for(Duration::from_secs(60));
    world.ends[0].ice.abort_restart(now);
    world.run_for(Duration::from_secs(10));
    assert_eq!((world.selected(), world.ends[0].ice.local_credentials().clone()), old);
}

#[test]
fn what_has_failed_connects_again_by_a_restart() {
    let mut world = World::open(13, Path::CLEAN);
    world.start(&[]);
    world.connect();
    world.network.path = LOST;
    world.run_for(Duration::from_secs(40));
    world.network.path = Path::CLEAN;
    let now = world.now();
    world.ends.iter_mut().for_each(|end| {
        end.ice.restart(now);
    });
    world.start(&[]);
    world.connect();
}

#[test]
fn a_nat_that_forgets_is_found_again() {
    let mut world = behind([Some(PortRestricted), None]);
    world.start(&[STUN]);
    world.connect();
    world.run_for(Duration::from_secs(5));
    let old = world.selected()[1].remote;
    world.ends[0].nat.as_mut().unwrap().forget();
    let took = world.run_until("the new mapping is used", |world| {
        world.ends[1].ice.selected_pair().is_some_and(|pair| pair.remote != old)
    });
    assert!(took < Duration::from_secs(8), "{took:?}");
    world.run_for(Duration::from_secs(60));
    world.connect();
    let failed = IceEvent::StateChanged(IceState::Failed);
    assert!(world.ends.iter().all(|end| !end.events.contains(&failed)));
}

#[test]
fn an_idle_pair_asks_every_two_seconds_and_measures() {
    let mut world = World::open(14, Path { delay_ms: (10, 10), ..Path::CLEAN });
    world.start(&[]);
    world.connect();
    world.run_for(Duration::from_secs(10));
    let sent = world.ends[0].sent;
    world.run_for(Duration::from_secs(60));
    let sent = world.ends[0].sent - sent;
    assert!((50..=70).contains(&sent), "{sent} packets in a minute: 30 questions and 30 answers");
    let stats = world.ends[0].ice.stats().unwrap();
    assert_eq!(stats.round_trip, Some(Duration::from_millis(20)));
    assert!(stats.responses_received > 30);
}

#[test]
fn idle_agents_wake_on_beats_if_they_are_to_and_still_notice_silence() {
    let mut world = World::open(8, Path::CLEAN);
    let from = world.now() + Duration::from_micros(12_345);
    let settings = offerer_and_answerer().map(|settings| IceSettings { beats_from: Some(from), ..settings });
    world = World::new(8, Path::CLEAN, [None, None], settings);
    world.start(&[]);
    world.connect();
    world.run_for(Duration::from_secs(20));
    for _ in 0..20 {
        world.run_for(Duration::from_millis(777));
        for end in &mut world.ends {
            let due = end.ice.poll_timeout().unwrap().saturating_duration_since(from);
            assert_eq!(due.as_micros() % 200_000, 0, "{due:?}");
        }
    }
    world.network.path = LOST;
    let is_over = |world: &World| world.ends.iter().all(|end| end.ice.state() == IceState::Disconnected);
    let took = world.run_until("both are disconnected", is_over);
    assert!(took <= Duration::from_secs(5), "{took:?}");
}

#[test]
fn what_is_no_candidate_and_what_are_no_credentials_is_refused() {
    let network = Network::<()>::new(0, Path::CLEAN);
    let mut ice = Ice::new(network.now, IceSettings::default());
    for line in
        ["", "candidate:", "candidate:1 1 udp 1 name.local 1 typ host", "candidate:1 1 udp 1 1.2.3.4 x typ host"]
    {
        assert_eq!(ice.add_remote_candidate(network.now, line), Err(BadCandidate::Unreadable), "{line}");
    }
    for (ufrag, password) in
        [("", "x"), ("abc", &*"x".repeat(22)), ("abcd", &*"x".repeat(21)), ("ab cd", &*"x".repeat(22))]
    {
        let remote = Credentials { ufrag: ufrag.into(), password: password.into() };
        assert_eq!(ice.set_remote_credentials(network.now, remote), Err(BadCredentials));
    }
    assert!(!format!("{:?}", ice.local_credentials()).contains(&ice.local_credentials().password));
}

#[test]
fn a_peer_that_sends_candidates_without_end_is_stopped() {
    let network = Network::<()>::new(0, Path::CLEAN);
    let mut ice = Ice::new(network.now, IceSettings::default());
    let results: Vec<_> = (0..1000)
        .map(|n| {
            ice.add_remote_candidate(
                network.now,
                &format!("candidate:{n} 1 udp {} 198.51.100.1 {} typ host", n + 1, n + 1),
            )
        })
        .collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 128);
    assert_eq!(results.last(), Some(&Err(BadCandidate::TooMany)));
}

#[test]
fn turned_bits_and_garbage_never_panic() {
    let mut world = World::open(15, Path::CLEAN);
    world.exchange_credentials();
    let now = world.now();
    for end in &mut world.ends {
        end.ice.add_local_candidate(now, Candidate::host(end.local, "udp").unwrap());
    }
    let line = "candidate:1 1 udp 2130706431 198.51.100.2 5001 typ host";
    world.ends[0].ice.add_remote_candidate(now, line).unwrap();
    let check = world.ends[0].ice.poll_transmit().unwrap();
    let seen = peerline_transport::ice::Address { local: check.address.remote, remote: check.address.local };
    for _ in 0..20_000 {
        let mut bytes = check.bytes.clone();
        for _ in 0..=world.network.dice.below(3) {
            // The last eight bytes are FINGERPRINT, which nobody signs.
            let at = world.network.dice.below(bytes.len() as u64 - 8) as usize;
            bytes[at] = world.network.dice.next() as u8;
        }
        bytes.truncate(world.network.dice.below(bytes.len() as u64 * 4) as usize);
        if bytes[..bytes.len().min(check.bytes.len() - 8)] == check.bytes[..check.bytes.len() - 8] {
            continue;
        }
        world.ends[1].ice.handle_input(now, seen, &bytes);
    }
    assert!(world.ends[1].ice.poll_transmit().is_none(), "nothing of it was signed");
    assert!(world.ends[1].ice.handle_input(now, seen, &check.bytes));
}
