//! What leaves next: RTCP, then what the pacer lets go, then what a probe needs.

use std::time::Instant;

use super::Media;
use super::event::Leaving;
use crate::bwe::Probe;

/// What IP, UDP and SRTP add to a packet.
const OVERHEAD: usize = 20 + 8 + 16;

/// A probe that is under way.
#[derive(Debug)]
pub(super) struct Probing {
    probe: Probe,
    packets: u32,
    bytes: usize,
    /// Which of the latest packets is repeated next.
    back: u16,
}

impl Probing {
    pub(super) fn bitrate_bps(&self) -> u64 {
        self.probe.bitrate_bps
    }

    fn is_over(&self) -> bool {
        self.packets >= self.probe.min_packets && self.bytes >= self.probe.bytes
    }
}

impl Media {
    /// The next packet that leaves now, before SRTP, in place of what `out` held.
    pub fn poll_packet(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Leaving> {
        if std::mem::take(&mut self.has_news) {
            self.say_what_is_due(now);
        }
        if let Some(compound) = self.rtcp.pop_front() {
            *out = compound;
            return Some(Leaving::Rtcp);
        }
        if self.senders.is_empty() {
            return None;
        }
        let clock = self.clock(now);
        let probe_bps = self.probing.as_ref().map(Probing::bitrate_bps);
        while let Some(waiting) = self.pacer.pop(now, probe_bps) {
            let Some(sender) = self.senders.iter_mut().find(|sender| sender.sending.ssrc == waiting.ssrc) else {
                continue;
            };
            let number = self.next_number as u16;
            let written = if waiting.is_repair {
                sender.write_repair(now, clock, waiting.sequence, number, out)
            } else {
                sender.write(now, clock, waiting.sequence, number, out)
            };
            // Nobody remembers it any more.
            let Some(is_numbered) = written else { continue };
            if !waiting.is_repair {
                sender.counts.total_waiting += now.saturating_duration_since(waiting.since);
            }
            self.count(now, is_numbered, out.len());
            return Some(Leaving::Rtp);
        }
        self.poll_probe_packet(now, out)
    }

    /// Starts the probe that is due, once there are pictures to probe with.
    pub(super) fn begin_probe(&mut self, now: Instant) {
        if self.probing.is_none()
            && self.senders.iter_mut().any(|sender| sender.is_video && sender.probe_packet(0).is_some())
        {
            self.probing = self.bwe.poll_probe(now).map(|probe| Probing { probe, packets: 0, bytes: 0, back: 0 });
        }
    }

    fn poll_probe_packet(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Leaving> {
        let clock = self.clock(now);
        let probing = self.probing.as_mut()?;
        let back = probing.back;
        let found = self.senders.iter_mut().filter(|sender| sender.is_video).find_map(|sender| {
            sender.probe_packet(back).or_else(|| sender.probe_packet(0)).map(|found| (sender, found))
        });
        let Some((sender, sequence)) = found else {
            self.probing = None;
            return None;
        };
        if !self.pacer.take_for_probe(now, probing.probe.bitrate_bps, 1200) {
            return None;
        }
        probing.back = (back + 1) % 32;
        let is_numbered = sender.write_repair(now, clock, sequence, self.next_number as u16, out)?;
        self.count(now, is_numbered, out.len());
        Some(Leaving::Rtp)
    }

    fn count(&mut self, now: Instant, is_numbered: bool, len: usize) {
        let size = len + OVERHEAD;
        if is_numbered {
            self.bwe.sent(now, self.next_number, size, self.probing.as_ref().map(|probing| probing.probe.cluster));
            self.next_number += 1;
        }
        if let Some(probing) = &mut self.probing {
            probing.packets += 1;
            probing.bytes += size;
            if probing.is_over() {
                self.probing = None;
                self.begin_probe(now);
            }
        } else if self.next_number == 2 {
            self.begin_probe(now);
        }
    }
}
