//! One source that is heard: packets in, frames out.

use super::*;
use crate::payload::Format;

const RTT: Duration = Duration::from_millis(50);

fn codec(format: Format, has_nack: bool) -> Codec {
    Codec {
        payload_type: 96,
        format,
        clock_hz: if format == Format::Whole { 48_000 } else { 90_000 },
        rtx: None,
        has_nack,
        has_picture_loss: has_nack,
        has_full_intra: false,
        has_transport_feedback: false,
        has_remb: false,
    }
}

struct Heard {
    stream: Stream,
    codec: Codec,
    frames: Vec<ReceivedFrame>,
}

impl Heard {
    fn new(format: Format) -> Self {
        let is_video = format != Format::Whole;
        Self { stream: Stream::new(7, 1, is_video, true), codec: codec(format, is_video), frames: Vec::new() }
    }

    fn packet(&mut self, now: Instant, sequence: u16, timestamp: u32, is_marked: bool, payload: &[u8]) {
        let header = Header { is_marked, payload_type: 96, sequence, timestamp, ssrc: 7 };
        let arrived = Arrived {
            header,
            header_len: 12,
            payload,
            is_repair: false,
            audio_level: None,
            orientation: None,
            playout_delay: None,
            sources: Vec::new(),
        };
        let frames = &mut self.frames;
        self.stream.handle(now, &arrived, &self.codec, &mut |frame| frames.push(frame));
    }

    fn timeout(&mut self, now: Instant) {
        let frames = &mut self.frames;
        self.stream.handle_timeout(now, RTT, &mut |frame| frames.push(frame));
    }

    fn told(&mut self) -> Vec<(u32, Vec<u8>, u32)> {
        std::mem::take(&mut self.frames).into_iter().map(|f| (f.timestamp, f.bytes, f.lost_before)).collect()
    }
}

/// VP8: the first packet of a key frame, of another frame, and what goes on.
const KEY: &[u8] = &[0x10, 0, 1];
const DELTA: &[u8] = &[0x10, 1, 2];
const MORE: &[u8] = &[0x00, 3];

#[test]
fn audio_that_overtook_is_put_in_order_and_what_is_lost_is_waited_for_a_moment() {
    let (now, mut heard) = (Instant::now(), Heard::new(Format::Whole));
    heard.packet(now, 0xffff, 0, false, b"a");
    heard.packet(now, 1, 1920, false, b"c");
    heard.packet(now, 0, 960, false, b"b");
    assert_eq!(heard.told(), [(0, b"a".to_vec(), 0), (960, b"b".to_vec(), 0), (1920, b"c".to_vec(), 0)]);
    heard.packet(now, 4, 4800, false, b"f");
    assert!(heard.told().is_empty());
    let due = heard.stream.poll_timeout(now, RTT).unwrap();
    assert!(due <= now + MAX_PATIENCE);
    heard.timeout(due);
    assert_eq!(heard.told(), [(4800, b"f".to_vec(), 2)]);
    assert_eq!(heard.stream.poll_timeout(due, RTT), None);
    // Too late.
    heard.packet(due, 3, 3840, false, b"e");
    assert!(heard.told().is_empty());
    assert_eq!(heard.stream.counts.packets_discarded, 1);
}

#[test]
fn pictures_begin_with_a_key_frame_which_is_asked_for() {
    let (now, mut heard) = (Instant::now(), Heard::new(Format::Vp8));
    heard.packet(now, 10, 0, true, DELTA);
    assert!(heard.told().is_empty());
    assert_eq!(heard.stream.poll_due(now, RTT), Some(Due::KeyFrame));
    assert!(heard.stream.ask_key_frame(now).is_some());
    assert_eq!(heard.stream.poll_due(now, RTT), None);
    assert_eq!(heard.stream.poll_due(now + KEY_FRAME_PATIENCE, RTT), Some(Due::KeyFrame));
    heard.packet(now, 11, 3000, false, KEY);
    heard.packet(now, 12, 3000, true, MORE);
    assert_eq!(heard.told(), [(3000, vec![0, 1, 3], 0)]);
    assert_eq!(heard.stream.poll_timeout(now, RTT), None);
}

#[test]
fn what_is_missing_of_a_picture_is_asked_for_and_nothing_is_lost_when_it_comes() {
    let (now, mut heard) = (Instant::now(), Heard::new(Format::Vp8));
    heard.packet(now, 10, 0, false, KEY);
    heard.packet(now, 12, 3000, true, DELTA);
    assert_eq!(heard.stream.poll_due(now, RTT), Some(Due::Nack));
    let mut asked = Vec::new();
    heard.stream.take_missing(now, RTT, &mut asked);
    assert_eq!(asked, [11]);
    heard.packet(now + RTT, 11, 0, true, MORE);
    assert_eq!(heard.told(), [(0, vec![0, 1, 3], 0), (3000, vec![1, 2], 0)]);
    assert_eq!(heard.stream.poll_timeout(now + RTT, RTT), None);
}

#[test]
fn what_never_comes_costs_the_pictures_up_to_the_next_key_frame() {
    let (now, mut heard) = (Instant::now(), Heard::new(Format::Vp8));
    heard.packet(now, 10, 0, true, KEY);
    heard.packet(now, 12, 6000, true, DELTA);
    heard.told();
    heard.timeout(now + MAX_REPAIR);
    assert!(heard.told().is_empty());
    assert_eq!(heard.stream.poll_due(now + MAX_REPAIR, RTT), Some(Due::KeyFrame));
    heard.packet(now + MAX_REPAIR, 13, 9000, true, KEY);
    assert_eq!(heard.told(), [(9000, vec![0, 1], 1)]);
    assert_eq!((heard.stream.counts.frames, heard.stream.counts.frames_dropped), (2, 1));
}

#[test]
fn what_is_held_back_anyway_is_waited_for_that_long() {
    let (now, mut heard) = (Instant::now(), Heard::new(Format::Whole));
    let ms = Duration::from_millis;
    heard.stream.hold(ms(400));
    heard.packet(now, 0, 0, false, b"a");
    heard.packet(now + ms(40), 2, 1920, false, b"c");
    heard.timeout(now + ms(399));
    assert!(heard.told().is_empty());
    assert_eq!(heard.stream.poll_timeout(now, RTT), Some(now + ms(400)));
    heard.timeout(now + ms(400));
    assert_eq!(heard.told(), [(0, b"a".to_vec(), 0)]);
    heard.packet(now + ms(410), 1, 960, false, b"b");
    assert_eq!(heard.stream.poll_timeout(now, RTT), Some(now + ms(420)));
    heard.timeout(now + ms(420));
    heard.timeout(now + ms(440));
    assert_eq!(heard.told(), [(960, b"b".to_vec(), 0), (1920, b"c".to_vec(), 0)]);
    assert_eq!(heard.stream.poll_timeout(now, RTT), None);
}

#[test]
fn a_sender_can_ask_for_it_and_gets_no_more_than_four_seconds() {
    let (now, mut heard) = (Instant::now(), Heard::new(Format::Whole));
    let wanted = Some(PlayoutDelay { min_ms: 9_000, max_ms: 10_000 });
    let header = Header { is_marked: false, payload_type: 96, sequence: 1, timestamp: 0, ssrc: 7 };
    let arrived = Arrived {
        header,
        header_len: 12,
        payload: b"a",
        is_repair: false,
        audio_level: None,
        orientation: None,
        playout_delay: wanted,
        sources: Vec::new(),
    };
    heard.stream.handle(now, &arrived, &heard.codec, &mut |_| panic!("it is held back"));
    assert_eq!(heard.stream.poll_timeout(now, RTT), Some(now + MAX_PLAYOUT_DELAY));
}

#[test]
fn a_jump_goes_on_from_where_it_went() {
    let (now, mut heard) = (Instant::now(), Heard::new(Format::Whole));
    heard.packet(now, 0, 0, false, b"a");
    heard.packet(now, 5000, 960, false, b"b");
    heard.packet(now, 5001, 1920, false, b"c");
    assert_eq!(heard.told().len(), 3);
    assert!(heard.stream.waiting.is_empty());
}

#[test]
fn nobody_listens_nothing_is_kept_and_nothing_asked() {
    let (now, mut heard) = (Instant::now(), Heard::new(Format::Vp8));
    heard.stream.listen(false);
    for sequence in [1, 2, 5, 9] {
        heard.packet(now, sequence, 0, true, DELTA);
    }
    assert!(heard.told().is_empty() && heard.stream.waiting.is_empty());
    assert_eq!(heard.stream.poll_timeout(now, RTT), None);
    assert_eq!((heard.stream.reception.lost(), heard.stream.counts.frames_dropped), (5, 4));
    heard.stream.listen(true);
    heard.packet(now, 10, 0, true, DELTA);
    assert_eq!(heard.stream.poll_due(now, RTT), Some(Due::KeyFrame));
}
