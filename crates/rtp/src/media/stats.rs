//! Figures of a transport's media (W3C webrtc-stats).

use std::time::{Duration, Instant};

use peerline_wire::rtcp::SenderInfo;

use super::Media;
use crate::receiver::ReceivedCounts;
use crate::sender::{RemoteReport, SentCounts};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaStats {
    pub target_bps: u64,
    pub round_trip: Option<Duration>,
    pub unrouted: u64,
    pub malformed: u64,
    pub sent: Vec<SentStats>,
    pub received: Vec<ReceivedStats>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentStats {
    pub key: u32,
    pub ssrc: u32,
    pub rtx_ssrc: Option<u32>,
    pub counts: SentCounts,
    pub remote: Option<RemoteReport>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedStats {
    pub key: u32,
    pub ssrc: u32,
    pub counts: ReceivedCounts,
    pub packets: u64,
    pub bytes: u64,
    pub header_bytes: u64,
    /// Below zero where packets came twice.
    pub lost: i64,
    pub jitter: Duration,
    /// Since the last packet.
    pub silent_for: Option<Duration>,
    /// The last report of the source, how long ago it came, and how many there were.
    pub sender_report: Option<(Duration, SenderInfo, u64)>,
}

impl Media {
    pub fn stats(&self, now: Instant) -> MediaStats {
        let since = |at: Instant| now.saturating_duration_since(at);
        MediaStats {
            target_bps: self.bwe.target_bps(),
            round_trip: self.round_trip,
            unrouted: self.unrouted,
            malformed: self.malformed,
            sent: self
                .senders
                .iter()
                .map(|sender| SentStats {
                    key: sender.key,
                    ssrc: sender.sending.ssrc,
                    rtx_ssrc: sender.sending.rtx_ssrc,
                    counts: sender.counts,
                    remote: sender.remote,
                })
                .collect(),
            received: self
                .streams
                .iter()
                .map(|stream| ReceivedStats {
                    key: stream.key,
                    ssrc: stream.ssrc,
                    counts: stream.counts,
                    packets: stream.reception.packets,
                    bytes: stream.reception.bytes,
                    header_bytes: stream.reception.header_bytes,
                    lost: stream.reception.lost(),
                    jitter: stream.reception.jitter(stream.clock_hz()),
                    silent_for: stream.reception.last_at.map(since),
                    sender_report: stream
                        .reception
                        .last_sender_report()
                        .map(|(at, info)| (since(at), info, stream.reception.sender_reports)),
                })
                .collect(),
        }
    }
}
