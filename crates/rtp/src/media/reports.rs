//! RTCP of ours: reports each second (RFC 3550 §6), and at once what cannot wait (RFC 4585).

use std::time::{Duration, Instant};

use peerline_wire::rtcp::{
    FullIntraRequest, ReportBlock, write_bye, write_cname, write_full_intra, write_nack, write_picture_loss,
    write_receiver_report, write_remb, write_sender_report,
};

use super::Media;
use crate::receiver::Due;

/// After the first packet: soon both sides know how far they are from each other.
pub(super) const FIRST: Duration = Duration::from_millis(150);
pub(super) const INTERVAL: Duration = Duration::from_secs(1);
/// Where nothing comes from a source for so long, nothing is said of it.
const SILENT: Duration = Duration::from_secs(5);
/// Who sends nothing needs a number to speak under; libwebrtc takes the same.
const NOBODY: u32 = 1;

impl Media {
    /// Everything that is to be said by now.
    pub(super) fn say_what_is_due(&mut self, now: Instant) {
        let mut compound = Vec::new();
        let ours = self.our_ssrc();
        if self.reports_due.is_some_and(|due| due <= now) {
            self.write_reports(now, ours, &mut compound);
        }
        self.write_requests(now, ours, &mut compound);
        if self.arrivals.poll_timeout().is_some_and(|due| due <= now) {
            self.begin(ours, &mut compound);
            self.arrivals.write(now, ours, &mut compound);
        }
        if let Some(bitrate_bps) = self.remote.poll(now) {
            let is_limited = |key| self.plan.sections.iter().any(|section| section.key == key && section.wants_remb());
            let limited: Vec<u32> =
                self.streams.iter().filter(|stream| is_limited(stream.key)).map(|stream| stream.ssrc).collect();
            self.begin(ours, &mut compound);
            write_remb(&mut compound, ours, bitrate_bps, &limited);
        }
        if !compound.is_empty() {
            self.rtcp.push_back(compound);
        }
    }

    /// A source of ours ends.
    pub(super) fn say_bye(&mut self, ssrc: u32) {
        let mut compound = Vec::new();
        write_receiver_report(&mut compound, ssrc, &[]);
        write_cname(&mut compound, ssrc, &self.plan.cname);
        write_bye(&mut compound, &[ssrc]);
        self.rtcp.push_back(compound);
    }

    fn our_ssrc(&self) -> u32 {
        self.senders.first().map_or(NOBODY, |sender| sender.sending.ssrc)
    }

    /// Feedback stands behind a report, unless both sides agreed that it need not.
    fn begin(&self, ours: u32, compound: &mut Vec<u8>) {
        if compound.is_empty() && !self.plan.has_reduced_size {
            write_receiver_report(compound, ours, &[]);
            write_cname(compound, ours, &self.plan.cname);
        }
    }

    fn write_reports(&mut self, now: Instant, ours: u32, compound: &mut Vec<u8>) {
        let is_heard = |at: Option<Instant>| at.is_some_and(|at| now.saturating_duration_since(at) < SILENT);
        let mut blocks: Vec<ReportBlock> = Vec::new();
        let mut is_active = false;
        for stream in &mut self.streams {
            if is_heard(stream.reception.last_at) {
                blocks.push(stream.block(now));
                is_active = true;
            }
        }
        blocks.truncate(31);
        let ntp = self.ntp(now);
        let mut has_sent = false;
        for sender in &self.senders {
            let Some(info) = sender.report(now, ntp) else { continue };
            let said = if has_sent { &[][..] } else { &blocks };
            write_sender_report(compound, sender.sending.ssrc, &info, said);
            has_sent = true;
        }
        if !has_sent && !blocks.is_empty() {
            write_receiver_report(compound, ours, &blocks);
        }
        if !compound.is_empty() {
            write_cname(compound, ours, &self.plan.cname);
        }
        is_active |= self.senders.iter().any(|sender| sender.is_active(now));
        self.reports_due = is_active.then(|| now + INTERVAL);
    }

    fn write_requests(&mut self, now: Instant, ours: u32, compound: &mut Vec<u8>) {
        let round_trip = self.round_trip();
        let mut lost = Vec::new();
        for at in 0..self.streams.len() {
            while let Some(due) = self.streams[at].poll_due(now, round_trip) {
                let ssrc = self.streams[at].ssrc;
                match due {
                    Due::Nack => {
                        self.begin(ours, compound);
                        lost.clear();
                        self.streams[at].take_missing(now, round_trip, &mut lost);
                        write_nack(compound, ours, ssrc, &lost);
                    }
                    Due::KeyFrame => {
                        let Some(codec) = self.streams[at].ask_key_frame(now) else { continue };
                        self.begin(ours, compound);
                        if codec.has_picture_loss {
                            self.streams[at].counts.picture_losses += 1;
                            write_picture_loss(compound, ours, ssrc);
                        } else {
                            self.full_intras = self.full_intras.wrapping_add(1);
                            self.streams[at].counts.full_intras += 1;
                            let request = FullIntraRequest { media: ssrc, number: self.full_intras };
                            write_full_intra(compound, ours, &[request]);
                        }
                    }
                }
            }
        }
    }
}
