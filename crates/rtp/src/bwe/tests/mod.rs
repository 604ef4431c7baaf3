//! A sender on a simulated path, in virtual time: what it makes of links, losses and nonsense.

mod path;

use path::{Dice, MBIT, PACKET, Path, least, mean, most};

use super::*;

#[test]
fn the_capacity_is_found_within_seconds() {
    for rate_bps in [0.5 * MBIT, 3.0 * MBIT, 30.0 * MBIT] {
        let mut path = Path::new(rate_bps);
        let target = *path.run(5.0).last().expect("some");
        assert!((0.8..=1.05).contains(&(target / rate_bps)), "{target} of {rate_bps}");
    }
}

#[test]
fn first_probes_that_something_held_up_are_not_the_last() {
    let mut path = Path::new(0.9 * MBIT);
    path.run(0.3);
    let before = path.bwe.target_bps() as f64;
    path.link.rate_bps = 30.0 * MBIT;
    path.run(3.0);
    let after = path.bwe.target_bps() as f64;
    assert!(before < MBIT && after > 10.0 * MBIT, "{before} {after}");
}

#[test]
fn the_rate_stays_near_the_capacity_and_the_queue_short() {
    let mut path = Path::new(3.0 * MBIT);
    path.run(5.0);
    let targets = path.run(60.0);
    assert!(least(&targets) >= 0.6 * 3.0 * MBIT && most(&targets) <= 1.05 * 3.0 * MBIT, "{targets:?}");
    assert!(mean(&targets) >= 0.9 * 3.0 * MBIT);
    assert!(path.queued_less_than(Duration::from_millis(100), 60.0) > 0.99);
}

#[test]
fn the_rate_follows_the_link_down_and_up() {
    let mut path = Path::new(3.0 * MBIT);
    path.run(20.0);
    path.link.rate_bps = MBIT;
    let targets = path.run(15.0);
    assert!(most(&targets[20..]) <= 1.1 * MBIT && least(&targets[20..70]) < MBIT, "{targets:?}");
    assert!(mean(&targets[20..]) >= 0.7 * MBIT);
    assert!(path.queued_less_than(Duration::from_millis(100), 10.0) > 0.95);
    path.link.rate_bps = 3.0 * MBIT;
    let targets = path.run(30.0);
    assert!(most(&targets[..200]) >= 2.0 * MBIT && mean(&targets[250..]) >= 2.4 * MBIT, "{targets:?}");
}

#[test]
fn a_lossy_link_is_still_used() {
    for (loss, seed) in [0.02, 0.05].into_iter().flat_map(|loss| (0..8).map(move |seed| (loss, seed))) {
        let mut path = Path::new(3.0 * MBIT);
        path.link.loss = loss;
        path.link.dice = Dice(seed * 7919);
        let targets = path.run(5.0);
        assert!(targets[49] >= 0.6 * 3.0 * MBIT, "at {loss}, {seed}: {targets:?}");
        let targets = path.run(60.0);
        assert!(
            mean(&targets) >= 0.8 * 3.0 * MBIT && least(&targets) >= 0.6 * 3.0 * MBIT,
            "{loss}, {seed}: {targets:?}"
        );
    }
}

#[test]
fn a_link_that_loses_much_at_any_rate_is_still_used() {
    for (loss, seed) in [0.08, 0.1, 0.12].into_iter().flat_map(|loss| (0..8).map(move |seed| (loss, seed))) {
        let mut path = Path::new(3.0 * MBIT);
        path.link.loss = loss;
        path.link.dice = Dice(seed * 7919 + 1);
        path.run(60.0);
        let targets = path.run(120.0);
        assert!(mean(&targets) >= 0.5 * 3.0 * MBIT, "{loss}, {seed}: {} {}", mean(&targets), least(&targets));
        assert!(least(&targets) >= 0.2 * 3.0 * MBIT, "{loss}, {seed}: {} {}", mean(&targets), least(&targets));
    }
}

#[test]
fn a_link_with_jitter_is_still_used() {
    for jitter_ms in [2, 10, 40] {
        let mut path = Path::new(3.0 * MBIT);
        path.link.jitter = Duration::from_millis(jitter_ms);
        path.run(30.0);
        let targets = path.run(60.0);
        assert!(mean(&targets) >= 0.7 * 3.0 * MBIT && most(&targets) <= 1.1 * 3.0 * MBIT, "{jitter_ms}: {targets:?}");
    }
}

#[test]
fn where_there_is_no_queue_the_loss_shows_the_capacity() {
    let mut path = Path::new(MBIT);
    path.link.queue = Duration::from_millis(10);
    path.run(5.0);
    let targets = path.run(60.0);
    assert!(least(&targets) >= 0.7 * MBIT && mean(&targets) <= 1.1 * MBIT, "{targets:?}");
    assert!(path.dropped(60.0) < 0.06, "{}", path.dropped(60.0));
}

#[test]
fn a_queue_that_was_filled_at_the_start_drains() {
    let mut path = Path::new(0.1 * MBIT);
    path.run(20.0);
    let targets = path.run(60.0);
    assert!(mean(&targets) < 0.11 * MBIT, "{}", mean(&targets));
    assert!(path.dropped(60.0) < 0.08, "{}", path.dropped(60.0));
    assert!(path.queued_less_than(Duration::from_millis(250), 60.0) > 0.5);
}

#[test]
fn remb_and_the_maximum_bound_the_rate() {
    let settings = BweSettings { max_bps: 2_000_000, min_bps: 100_000, ..BweSettings::default() };
    let mut path = Path::with(10.0 * MBIT, settings);
    assert_eq!(path.run(10.0)[99], 2.0 * MBIT);
    path.bwe.remb(path.now, 700_000);
    assert_eq!(most(&path.run(5.0)), 0.7 * MBIT);
    path.bwe.remb(path.now, 1);
    assert_eq!(path.bwe.target_bps(), 100_000, "the minimum holds");
    path.bwe.remb(path.now, u64::MAX);
    assert_eq!(path.run(5.0)[49], 2.0 * MBIT);
}

#[test]
fn an_application_that_sends_little_keeps_its_estimate() {
    let mut path = Path::new(3.0 * MBIT);
    path.application_bps = Some(0.1 * MBIT);
    let found = path.run(5.0)[49];
    assert!(found >= 0.8 * 3.0 * MBIT && path.bwe.supply.is_limited());
    assert!(path.run(60.0).iter().all(|target| *target == found));
    path.application_bps = None;
    assert!(least(&path.run(20.0)) >= 0.6 * 3.0 * MBIT && !path.bwe.supply.is_limited());
}

#[test]
fn what_was_never_tried_is_not_promised() {
    let mut path = Path::new(3.0 * MBIT);
    path.has_probes = false;
    path.application_bps = Some(0.25 * MBIT);
    let targets = path.run(60.0);
    assert!(targets[599] > 0.3 * MBIT && most(&targets) <= 0.4 * MBIT, "{targets:?}");
}

#[test]
fn a_growing_queue_does_not_cut_to_what_little_was_sent() {
    let now = Instant::now();
    let mut rate = Rate::new(3e6, 3e4, 5e7);
    assert!(rate.overused(now, Some(1e5), true));
    assert_eq!(rate.bps(), 0.85 * 3e6);
    assert!(!rate.overused(now + Duration::from_millis(100), Some(1e5), true), "once in a round trip");
    assert!(rate.overused(now + Duration::from_secs(1), Some(1e5), false));
    assert_eq!(rate.bps(), 0.85 * 1e5);
}

#[test]
fn without_feedback_the_rate_falls_to_the_minimum_and_comes_back() {
    let mut path = Path::new(3.0 * MBIT);
    path.run(10.0);
    path.has_feedback = false;
    let targets = path.run(12.0);
    assert!(targets[20] >= 2.0 * MBIT && targets[30] < 2.0 * MBIT && targets[119] == 30_000.0, "{targets:?}");
    path.has_feedback = true;
    assert!(path.run(10.0)[99] >= 0.6 * 3.0 * MBIT);
}

#[test]
fn who_sends_nothing_misses_no_feedback() {
    let now = Instant::now();
    let mut bwe = Bwe::new(BweSettings::default());
    assert_eq!(bwe.poll_timeout(), None);
    bwe.sent(now, 0, PACKET, None);
    let at = bwe.poll_timeout().expect("it waits");
    bwe.handle_timeout(at);
    assert_eq!((bwe.target_bps(), bwe.poll_timeout()), (150_000, None));
}

#[test]
fn receiver_reports_move_the_rate_where_there_is_nothing_better() {
    let mut now = Instant::now();
    let mut bwe = Bwe::new(BweSettings::default());
    let report = |bwe: &mut Bwe, now: &mut Instant, fraction| {
        for _ in 0..10 {
            *now += Duration::from_secs(1);
            bwe.loss_report(*now, fraction);
        }
        bwe.target_bps()
    };
    let grown = report(&mut bwe, &mut now, 0.0);
    assert!((400_000..600_000).contains(&grown));
    let held = report(&mut bwe, &mut now, 0.05);
    assert!((grown..grown * 5 / 4).contains(&held));
    let cut = report(&mut bwe, &mut now, 0.5);
    assert!(cut < held / 8);
    assert_eq!(report(&mut bwe, &mut now, f64::NAN), cut);
    bwe.loss_report(now, 7.0);
    bwe.loss_report(now, f64::NEG_INFINITY);
    assert!(bwe.target_bps() >= 30_000);
}

#[test]
fn reports_of_losses_that_no_cut_changes_are_no_reason_to_send_less_and_less() {
    for seed in 0..8 {
        let (mut now, mut bwe, mut dice) = (Instant::now(), Bwe::new(BweSettings::default()), Dice(seed * 7919 + 1));
        let mut targets = Vec::new();
        for _ in 0..180 {
            now += Duration::from_secs(1);
            // Of thirty packets each may be lost.
            let lost = (0..30).filter(|_| dice.is_under(0.1)).count();
            bwe.loss_report(now, lost as f64 / 30.0);
            targets.push(bwe.target_bps() as f64);
        }
        assert!(mean(&targets[120..]) > 200_000.0, "{seed}: {targets:?}");
    }
}

#[test]
fn probes_are_given_out_once_and_lead_on_until_the_wish_is_met() {
    let now = Instant::now();
    let mut bwe = Bwe::new(BweSettings::default());
    bwe.set_wanted(now, Some(2_500_000));
    let first = bwe.poll_probe(now).expect("the first");
    assert_eq!(first, Probe { cluster: 0, bitrate_bps: 900_000, min_packets: 5, bytes: 1687 });
    let second = bwe.poll_probe(now).expect("the second");
    assert_eq!((second.cluster, second.bitrate_bps), (1, 1_800_000));
    assert_eq!(bwe.poll_probe(now), None);
    let now = come_through(&mut bwe, now, 0, second);
    assert!((1_700_000..=1_800_000).contains(&bwe.target_bps()), "{}", bwe.target_bps());
    let third = bwe.poll_probe(now).expect("more is wanted");
    assert_eq!((third.cluster, third.bitrate_bps), (2, 2_500_000));
    let now = come_through(&mut bwe, now, 100, third);
    assert_eq!(bwe.poll_probe(now), None, "nobody wants more");
    let now = now + Duration::from_secs(3);
    bwe.set_wanted(now, Some(2_400_000));
    assert_eq!(bwe.poll_probe(now), None, "less is no reason");
    bwe.set_wanted(now, None);
    let more = bwe.poll_probe(now).expect("now they do");
    assert_eq!((more.cluster, more.bitrate_bps / 100_000), (3, bwe.target_bps() * 2 / 100_000));
    assert_eq!(bwe.poll_probe(now), None);
}

/// Sends the probe as it asks, over a path of 10 ms that carries it.
fn come_through(bwe: &mut Bwe, now: Instant, number: u64, probe: Probe) -> Instant {
    let count = u64::from(probe.min_packets).max(probe.bytes.div_ceil(PACKET) as u64);
    let apart_us = (PACKET as u64 * 8_000_000).div_ceil(probe.bitrate_bps);
    for index in 0..count {
        bwe.sent(now + Duration::from_micros(index * apart_us), number + index, PACKET, Some(probe.cluster));
    }
    let base_us = number as i64 * 1_000_000;
    let arrivals = (0..count).map(|index| (number + index, Some(base_us + (index * apart_us) as i64)));
    let now = now + Duration::from_micros(count * apart_us + 20_000);
    bwe.feedback(now, arrivals);
    now
}

#[test]
fn late_is_not_lost_and_unmentioned_is_not_known() {
    let now = Instant::now();
    let mut history = History::default();
    (0..10).for_each(|number| history.sent(now, number, PACKET, None));
    let report = history.feedback([(0, Some(5)), (1, None), (3, Some(6)), (4, None)].into_iter());
    assert_eq!((report.arrived.len(), report.settled, report.lost, report.late), (2, 3, 1, 0));
    let report = history.feedback([(1, Some(7)), (4, Some(8)), (3, Some(9))].into_iter());
    assert_eq!((report.arrived.len(), report.settled, report.lost, report.late), (2, 1, 0, 1));
    history.sent(now, 5, PACKET, None);
    assert_eq!(history.len(), 10, "numbers increase");
}

#[test]
fn what_is_kept_is_bounded() {
    let now = Instant::now();
    let mut history = History::default();
    (0..100_000).for_each(|number| history.sent(now, number, PACKET, None));
    assert!(history.len() <= 16_384);
    history.sent(now + Duration::from_secs(11), u64::MAX, usize::MAX, None);
    assert_eq!(history.len(), 1);
    let report = history.feedback([(u64::MAX, Some(i64::MIN)), (0, Some(i64::MAX))].into_iter());
    assert_eq!((report.arrived.len(), report.settled), (1, 1));
}

#[test]
fn feedback_that_makes_no_sense_changes_nothing() {
    let mut path = Path::new(3.0 * MBIT);
    path.run(10.0);
    let target = path.bwe.target_bps();
    path.bwe.feedback(path.now, std::iter::empty());
    path.bwe.feedback(path.now, (0..1000).map(|number| (number, Some(1))));
    path.bwe.feedback(path.now, (0..1000).map(|number| (u64::MAX - number, Some(i64::MIN))));
    path.bwe.feedback(path.now, (0..1000).map(|number| (number, None)));
    assert_eq!(path.bwe.target_bps(), target);
}

#[test]
fn a_receiver_whose_clock_is_set_does_no_lasting_harm() {
    for jump_us in [-5_000_000_000, -300_000, 300_000, 2_000_000, 5_000_000_000] {
        let mut path = Path::new(3.0 * MBIT);
        path.run(10.0);
        path.clock_us += jump_us;
        path.run(2.0);
        let targets = path.run(30.0);
        assert!(least(&targets) >= 0.4 * 3.0 * MBIT && mean(&targets) >= 0.7 * 3.0 * MBIT, "{jump_us}: {targets:?}");
    }
}

#[test]
fn no_input_breaks_it() {
    let start = Instant::now();
    let mut dice = Dice(1);
    for round in 0..40 {
        let wild = |dice: &mut Dice| match dice.below(4) {
            0 => 0,
            1 => u64::MAX - dice.below(3),
            2 => dice.below(100_000),
            _ => dice.next() << dice.below(33),
        };
        let settings = match round % 2 {
            0 => BweSettings::default(),
            _ => BweSettings { start_bps: wild(&mut dice), min_bps: wild(&mut dice), max_bps: wild(&mut dice) },
        };
        let mut bwe = Bwe::new(settings);
        let mut number = 0u64;
        let mut clock_us = 0i64;
        let mut passed_us = 0;
        for _ in 0..2_000 {
            passed_us += dice.below(3_000);
            // Now and then our own clock is behind.
            let now = start + Duration::from_micros(passed_us.saturating_sub(dice.below(2) * dice.below(50_000)));
            match dice.below(12) {
                0..4 => {
                    number = number.saturating_add(1 + dice.below(2));
                    let size = if dice.below(50) == 0 { usize::MAX } else { dice.below(1500) as usize };
                    bwe.sent(now, number, size, (dice.below(4) == 0).then(|| dice.below(6) as u32));
                }
                4 => bwe.sent(now, wild(&mut dice) / 2, PACKET, None),
                5..8 => {
                    let first = number.saturating_sub(dice.below(30));
                    let mut arrivals = Vec::new();
                    for offset in 0..dice.below(40) {
                        clock_us = match dice.below(200) {
                            0 => i64::MIN,
                            1 => i64::MAX,
                            2 => wild(&mut dice) as i64,
                            _ => clock_us.saturating_add(dice.below(4_000) as i64 - 1_000),
                        };
                        arrivals.push((first.saturating_add(offset), (dice.below(5) > 0).then_some(clock_us)));
                    }
                    bwe.feedback(now, arrivals.into_iter());
                }
                8 => bwe.loss_report(now, dice.next() as f64 / 1e9 - 0.5),
                9 if dice.below(20) == 0 => bwe.remb(now, wild(&mut dice)),
                9 if dice.below(20) == 0 => bwe.set_wanted(now, (dice.below(2) == 0).then(|| wild(&mut dice))),
                9 => bwe.set_round_trip(Duration::from_micros(wild(&mut dice))),
                10 => drop(bwe.poll_probe(now)),
                _ => {
                    bwe.handle_timeout(now);
                    assert!(bwe.poll_timeout().is_none_or(|at| at > now));
                }
            }
            let target = bwe.target_bps();
            assert!((LEAST_BPS..=MOST_BPS).contains(&target));
            if round % 2 == 0 {
                assert!((30_000..=50_000_000).contains(&target));
            }
        }
    }
}
