//! How large packets may be on this path (RFC 8899 §6.2: DPLPMTUD for SCTP over DTLS; RFC 4820).
//!
//! A probe is a HEARTBEAT with padding behind it. Nobody asks before there is much to send.

use std::time::{Duration, Instant};

use crate::chunk::{self, u32_at};
use crate::settings::Settings;

const PAD: u8 = 0x84;
const HEARTBEAT_INFO: u16 = 1;
/// From the largest on: what a DTLS record can carry, what jumbo frames can, what Ethernet can with IPv6 and a relay in
/// between.
const SIZES: [usize; 3] = [16_384, 8_900, 1_400];
const TRIES: u32 = 3;
const PATIENCE: Duration = Duration::from_millis(500);
/// So much was sent before it is worth asking.
const ASK_AFTER_BYTES: usize = 64 * 1024;
/// And again, if nothing larger was found (RFC 8899 §5.1.1).
const ASK_AGAIN: Duration = Duration::from_secs(600);
/// The path does not carry what it carried: not asked again so soon.
const ASK_AGAIN_AFTER_SILENCE: Duration = Duration::from_secs(60);
/// So often nothing comes back before the size of packets is suspected.
const SUSPICIOUS_SILENCES: u32 = 2;

#[derive(Debug)]
pub(crate) struct Path {
    base: usize,
    largest: usize,
    packet_bytes: usize,
    delivered: usize,
    /// Of `SIZES`, the next to be tried; `None`: nobody asks.
    next: Option<usize>,
    tries: u32,
    probe: Option<Probe>,
    /// When to ask (again).
    ask_at: Option<Instant>,
    number: u32,
    is_due: bool,
}

#[derive(Debug)]
struct Probe {
    size: usize,
    number: u32,
    expires: Instant,
}

impl Path {
    /// `remote_largest`: what the other side takes, if it says so.
    pub(crate) fn new(settings: &Settings, remote_largest: usize) -> Self {
        Self {
            base: settings.packet_bytes,
            largest: settings.largest_packet_bytes.min(remote_largest),
            packet_bytes: settings.packet_bytes,
            delivered: 0,
            next: Some(0),
            tries: 0,
            probe: None,
            ask_at: None,
            number: 0,
            is_due: false,
        }
    }

    pub(crate) fn packet_bytes(&self) -> usize {
        self.packet_bytes
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.probe.as_ref().map(|probe| probe.expires)
    }

    /// Another path: everything is to be found out again.
    pub(crate) fn begin_anew(&mut self) {
        let (base, largest, number) = (self.base, self.largest, self.number);
        *self = Self {
            base,
            largest,
            packet_bytes: base,
            delivered: 0,
            next: Some(0),
            tries: 0,
            probe: None,
            ask_at: None,
            number,
            is_due: false,
        };
    }

    /// So much has arrived.
    pub(crate) fn delivered(&mut self, now: Instant, bytes: usize) {
        if self.probe.is_some() {
            return;
        }
        if self.ask_at.is_some_and(|at| at <= now) {
            (self.ask_at, self.next, self.tries, self.delivered) = (None, Some(0), 0, 0);
        }
        if self.next.is_some() && self.ask_at.is_none() {
            self.delivered += bytes;
            self.is_due = self.delivered >= ASK_AFTER_BYTES;
        }
    }

    /// The size to ask for now.
    pub(crate) fn poll_probe(&mut self, now: Instant) -> Option<usize> {
        if !std::mem::take(&mut self.is_due) {
            return None;
        }
        let mut next = self.next?;
        while let Some(size) = SIZES.get(next).copied() {
            if size > self.largest {
                next += 1;
                continue;
            }
            if size <= self.packet_bytes {
                break;
            }
            self.next = Some(next);
            self.number += 1;
            self.probe = Some(Probe { size, number: self.number, expires: now + PATIENCE });
            return Some(size);
        }
        self.next = None;
        self.ask_at = Some(now + ASK_AGAIN);
        None
    }

    pub(crate) fn put_probe(&self, packet: &mut Vec<u8>, size: usize) {
        chunk::put(packet, chunk::HEARTBEAT, 0, |packet| {
            packet.extend(HEARTBEAT_INFO.to_be_bytes());
            packet.extend(12_u16.to_be_bytes());
            packet.extend(self.number.to_be_bytes());
            packet.extend((size as u32).to_be_bytes());
        });
        let padding = size.saturating_sub(packet.len() + chunk::HEADER_LEN);
        chunk::put(packet, PAD, 0, |packet| packet.resize(packet.len() + padding, 0));
        packet.truncate(size);
    }

    /// A HEARTBEAT ACK. The new size of packets, if it says that there is one.
    pub(crate) fn answered(&mut self, value: &[u8]) -> Option<usize> {
        let probe = self.probe.as_ref()?;
        if u32_at(value, 4)? != probe.number || u32_at(value, 8)? != probe.size as u32 {
            return None;
        }
        self.packet_bytes = probe.size;
        // Those that are left are smaller.
        (self.probe, self.next) = (None, None);
        Some(self.packet_bytes)
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.probe.as_ref().is_none_or(|probe| probe.expires > now) {
            return;
        }
        self.probe = None;
        self.tries += 1;
        if self.tries >= TRIES {
            (self.tries, self.next) = (0, self.next.map(|next| next + 1));
        }
        self.is_due = true;
    }

    /// Nothing has come back, again.
    pub(crate) fn silent(&mut self, now: Instant, silences: u32) {
        if silences >= SUSPICIOUS_SILENCES && self.packet_bytes > self.base {
            self.packet_bytes = self.base;
            (self.next, self.probe, self.ask_at) = (Some(0), None, Some(now + ASK_AGAIN_AFTER_SILENCE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 16_384;

    fn path() -> Path {
        Path::new(&Settings { largest_packet_bytes: MOST, ..Settings::default() }, MOST)
    }

    /// Sends, and answers probes of up to this size.
    fn search(path: &mut Path, now: &mut Instant, carries: usize) -> Vec<usize> {
        let mut asked = Vec::new();
        path.delivered(*now, ASK_AFTER_BYTES);
        while let Some(size) = path.poll_probe(*now) {
            asked.push(size);
            let mut packet = vec![0; 12];
            path.put_probe(&mut packet, size);
            assert_eq!(packet.len(), size);
            if size <= carries {
                path.answered(&packet[16..28]);
            } else {
                *now += PATIENCE;
                path.handle_timeout(*now);
            }
        }
        asked
    }

    #[test]
    fn the_largest_size_that_the_path_carries_is_found() {
        let mut now = Instant::now();
        for (carries, asked, found) in
            [(65_535, 1, MOST), (9_000, 4, 8_900), (1_500, 7, 1_400), (1_280, 9, Settings::default().packet_bytes)]
        {
            let mut path = path();
            assert_eq!(search(&mut path, &mut now, carries).len(), asked, "{carries}");
            assert_eq!(path.packet_bytes(), found);
            assert_eq!(search(&mut path, &mut now, carries), [], "once is enough");
        }
    }

    #[test]
    fn who_does_not_say_that_he_takes_more_is_not_asked() {
        let mut now = Instant::now();
        for (remote_largest, found) in [(0, vec![]), (1_191, vec![]), (9_000, vec![8_900])] {
            let settings = Settings { largest_packet_bytes: MOST, ..Settings::default() };
            assert_eq!(search(&mut Path::new(&settings, remote_largest), &mut now, MOST), found);
        }
    }

    #[test]
    fn nobody_asks_for_a_few_messages() {
        let mut path = path();
        path.delivered(Instant::now(), ASK_AFTER_BYTES - 1);
        assert_eq!(path.poll_probe(Instant::now()), None);
    }

    #[test]
    fn a_path_that_falls_silent_is_suspected_and_asked_again_later() {
        let (mut path, mut now) = (path(), Instant::now());
        search(&mut path, &mut now, MOST);
        path.silent(now, 1);
        assert_eq!(path.packet_bytes(), MOST);
        path.silent(now, SUSPICIOUS_SILENCES);
        assert_eq!(path.packet_bytes(), Settings::default().packet_bytes);
        assert_eq!(search(&mut path, &mut now, MOST), []);
        now += ASK_AGAIN_AFTER_SILENCE;
        assert_eq!(search(&mut path, &mut now, 9_000), [MOST, MOST, MOST, 8_900]);
    }

    #[test]
    fn an_answer_that_was_never_asked_for_changes_nothing() {
        let mut path = path();
        assert_eq!(path.answered(&[0; 12]), None);
        path.delivered(Instant::now(), ASK_AFTER_BYTES);
        path.poll_probe(Instant::now()).unwrap();
        assert_eq!(path.answered(&[0; 12]), None);
        assert_eq!(path.answered(&[]), None);
    }
}
