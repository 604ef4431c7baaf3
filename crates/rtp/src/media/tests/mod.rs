//! One transport's media, from end to end: what arrives, what is repaired, what is said.

mod pair;

use std::time::Duration;

use pair::{AUDIO, DELAY, Pair, VIDEO, plan};

use super::*;

/// Bit 0 of a frame of VP8 says that it is no key frame (RFC 6386 §9.1).
fn picture(len: usize, is_key: bool) -> Vec<u8> {
    let mut bytes = vec![7; len];
    bytes[0] = u8::from(!is_key);
    bytes
}

#[test]
fn sound_and_pictures_arrive_whole_and_in_order() {
    let mut pair = Pair::new();
    for step in 0..50_u32 {
        pair.send(AUDIO, step * 960, vec![step as u8; 80]);
        pair.send(VIDEO, step * 1800, picture(1500, step == 0));
        pair.run(Duration::from_millis(20));
    }
    pair.run(Duration::from_millis(100));
    let (sound, pictures) = (pair.frames(AUDIO), pair.frames(VIDEO));
    assert_eq!((sound.len(), pictures.len()), (50, 50));
    assert!(pictures.windows(2).all(|pair| pair[1].0.wrapping_sub(pair[0].0) == 1800));
    assert!(pictures.iter().all(|(_, len, _)| *len == 1500));
    let started = pair.events[1].iter().filter(|event| matches!(event, MediaEvent::Started { .. })).count();
    assert_eq!(started, 2);
}

#[test]
fn reports_tell_both_how_far_they_are_and_what_was_lost() {
    let mut pair = Pair::new();
    pair.lose_each = Some(10);
    for step in 0..150_u32 {
        pair.send(AUDIO, step * 960, vec![1; 80]);
        pair.run(Duration::from_millis(20));
    }
    let stats = pair.ends[0].stats(pair.now);
    let remote = stats.sent[0].remote.unwrap();
    assert!(remote.lost >= 9, "{remote:?}");
    let round_trip = stats.round_trip.unwrap();
    assert!(round_trip.abs_diff(2 * DELAY) < Duration::from_millis(2), "{round_trip:?}");
    let received = &pair.ends[1].stats(pair.now).received[0];
    assert!(received.sender_report.is_some() && received.lost >= 9);
    assert_eq!(pair.frames(AUDIO).len() as u64, received.packets);
    let told = |pair: &Pair| -> Vec<u8> {
        let events = pair.events[0].iter();
        events
            .filter_map(|event| if let MediaEvent::LossChanged { percent, .. } = event { Some(*percent) } else { None })
            .collect()
    };
    assert!(told(&pair).iter().all(|percent| (5..20).contains(percent)), "{:?}", told(&pair));
    pair.lose_each = None;
    for step in 150..2500_u32 {
        pair.send(AUDIO, step * 960, vec![1; 80]);
        pair.run(Duration::from_millis(20));
    }
    assert_eq!(told(&pair).last(), Some(&0));
    assert!(told(&pair).len() < 15, "{:?}", told(&pair));
}

#[test]
fn lost_packets_of_pictures_are_sent_again_and_no_picture_is_lost() {
    let mut pair = Pair::new();
    pair.lose_each = Some(9);
    for step in 0..150_u32 {
        pair.send(VIDEO, step * 3000, picture(4000, step == 0));
        pair.run(Duration::from_millis(33));
    }
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.frames(VIDEO).len(), 150);
    let sent = pair.ends[0].stats(pair.now).sent.into_iter().find(|sent| sent.key == VIDEO).unwrap();
    assert!(sent.counts.repeated_packets > 30 && sent.counts.nacks > 30);
    assert_eq!(pair.key_frames_wanted(), 0);
}

#[test]
fn who_begins_to_listen_late_asks_for_a_key_frame() {
    let mut pair = Pair::new();
    pair.ends[1].listen(VIDEO, false);
    for step in 0..10_u32 {
        pair.send(VIDEO, step * 3000, picture(500, step == 0));
        pair.run(Duration::from_millis(33));
    }
    assert!(pair.frames(VIDEO).is_empty());
    assert_eq!(pair.key_frames_wanted(), 0);
    pair.ends[1].listen(VIDEO, true);
    pair.run(Duration::from_millis(33));
    assert_eq!(pair.key_frames_wanted(), 1);
    pair.send(VIDEO, 60_000, picture(500, true));
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.frames(VIDEO).len(), 1);
    pair.ends[1].request_key_frame(VIDEO);
    pair.run(Duration::from_millis(500));
    assert!(pair.key_frames_wanted() >= 1);
}

#[test]
fn the_estimate_grows_past_where_it_began() {
    let mut pair = Pair::new();
    let began = pair.ends[0].stats(pair.now).target_bps;
    for step in 0..200_u32 {
        pair.send(VIDEO, step * 3000, picture(3000, step == 0));
        pair.run(Duration::from_millis(33));
    }
    let stats = pair.ends[0].stats(pair.now);
    assert!(stats.target_bps > 2 * began, "{} from {began}", stats.target_bps);
    let told = pair.events[0].iter().any(|event| matches!(event, MediaEvent::EstimateChanged { .. }));
    assert!(told);
}

#[test]
fn a_sender_that_gets_no_other_feedback_is_told_what_it_may_send() {
    let mut pair = Pair::new();
    for (end, base) in [(0, 1000), (1, 2000)] {
        let mut plan = plan(base);
        for section in &mut plan.sections {
            section.extensions.transport_sequence = None;
            for codec in section.receive.iter_mut().chain(section.send.iter_mut().flat_map(|send| &mut send.codecs)) {
                (codec.has_transport_feedback, codec.has_remb) = (false, true);
            }
        }
        let now = pair.now;
        pair.ends[end].commit(now, plan);
    }
    for step in 0..300_u32 {
        let bytes = (pair.ends[0].stats(pair.now).target_bps / 8 / 40) as usize;
        pair.send(VIDEO, step * 3000, picture(bytes, step == 0));
        pair.run(Duration::from_millis(33));
    }
    assert!((8..40).contains(&pair.limits.len()), "{:?}", pair.limits);
    assert!(pair.limits.iter().all(|bps| (250_000..50_000_001).contains(bps)), "{:?}", pair.limits);
    assert!(pair.ends[0].stats(pair.now).target_bps <= *pair.limits.last().unwrap());
    pair.limits.clear();
    pair.run(Duration::from_secs(20));
    assert!(pair.limits.len() < 4, "who is silent is told nothing: {:?}", pair.limits);
}

#[test]
fn who_gets_transport_wide_feedback_is_told_no_limit() {
    let mut pair = Pair::new();
    for step in 0..60_u32 {
        pair.send(VIDEO, step * 3000, picture(3000, step == 0));
        pair.run(Duration::from_millis(33));
    }
    assert!(pair.limits.is_empty());
}

#[test]
fn frames_are_held_back_as_long_as_the_plan_says_and_no_longer_once_it_does_not() {
    let mut pair = Pair::new();
    let held = |playout_delay| {
        let mut plan = plan(2000);
        plan.sections[0].playout_delay = playout_delay;
        plan
    };
    let send = |pair: &mut Pair, steps: std::ops::Range<u32>| {
        for step in steps {
            pair.send(AUDIO, step * 960, vec![1; 80]);
            pair.run(Duration::from_millis(20));
        }
    };
    let now = pair.now;
    pair.ends[1].commit(now, held(Duration::from_millis(200)));
    send(&mut pair, 0..50);
    // 25 ms under way and 200 held: eleven of them are not out yet.
    assert_eq!(pair.frames(AUDIO).len(), 50 - 11);
    let counts = pair.ends[1].stats(pair.now).received[0].counts;
    assert_eq!(counts.total_target, counts.total_waiting);
    assert_eq!(counts.total_waiting / counts.frames_given as u32, Duration::from_millis(200));
    let now = pair.now;
    pair.ends[1].commit(now, held(Duration::ZERO));
    send(&mut pair, 50..100);
    assert_eq!(pair.frames(AUDIO).len(), 100 - 1);
    assert!(pair.frames(AUDIO).windows(2).all(|pair| pair[0].0 < pair[1].0));
}

#[test]
fn a_source_that_is_taken_out_says_goodbye_and_others_go_on() {
    let mut pair = Pair::new();
    pair.send(AUDIO, 0, vec![1; 80]);
    pair.send(VIDEO, 0, picture(500, true));
    pair.run(Duration::from_millis(100));
    let mut without = plan(1000);
    without.sections[1].send = None;
    let now = pair.now;
    pair.ends[0].commit(now, without);
    pair.run(Duration::from_millis(100));
    assert!(pair.events[1].contains(&MediaEvent::Ended { key: VIDEO, ssrc: 1020 }));
    pair.send(AUDIO, 960, vec![1; 80]);
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.frames(AUDIO).len(), 2);
    let now = pair.now;
    assert_eq!(pair.ends[0].send(now, VIDEO, &Frame::default()), Err(NotSent::NoSource));
    assert_eq!(pair.ends[0].send(now, AUDIO, &Frame::default()), Err(NotSent::Codec));
}

#[test]
fn nothing_is_due_once_nothing_flows() {
    let mut pair = Pair::new();
    assert!(pair.ends.iter().all(|media| media.poll_timeout(pair.now).is_none_or(|due| due <= pair.now)));
    pair.send(AUDIO, 0, vec![1; 80]);
    pair.send(VIDEO, 0, picture(500, true));
    pair.run(Duration::from_secs(20));
    for media in &pair.ends {
        assert_eq!(media.poll_timeout(pair.now), None);
    }
}

#[test]
fn a_picture_that_waits_too_long_gives_way_to_newer_ones() {
    let mut pair = Pair::new();
    // No feedback: the estimate stays low.
    for step in 0..100_u32 {
        pair.send(VIDEO, step * 3000, picture(60_000, step == 0));
        pair.flush();
        pair.now += Duration::from_millis(33);
    }
    let sent = pair.ends[0].stats(pair.now).sent.into_iter().find(|sent| sent.key == VIDEO).unwrap();
    assert!(sent.counts.dropped_frames > 0);
    assert!(pair.key_frames_wanted() > 0);
}

#[test]
fn what_nobody_agreed_on_is_counted_and_passed_over() {
    let mut pair = Pair::new();
    let mut plan = plan(1000);
    plan.sections[0].mid = "other".into();
    let now = pair.now;
    pair.ends[0].commit(now, plan);
    pair.send(AUDIO, 0, vec![1; 80]);
    pair.run(Duration::from_millis(100));
    assert!(pair.frames(AUDIO).is_empty());
    assert_eq!(pair.ends[1].stats(pair.now).unrouted, 1);
    pair.ends[1].handle_rtp(now, &[0x80, 1]);
    pair.ends[1].handle_rtcp(now, &[0x80, 1, 2]);
    assert_eq!(pair.ends[1].stats(pair.now).malformed, 1);
}
