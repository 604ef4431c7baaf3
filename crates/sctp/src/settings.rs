//! What an association is built with.

use std::time::Duration;

#[derive(Debug, Clone)]
pub struct Settings {
    pub local_port: u16,
    pub remote_port: u16,
    /// Streams announced each way; the smaller of both sides' numbers counts.
    pub streams: u16,
    /// Largest SCTP packet, before DTLS, UDP and IP put theirs around it.
    pub packet_bytes: usize,
    /// What packets may grow to where the path carries it (RFC 8899) and the other side has said that it takes it; 16 KiB
    /// is what a DTLS record holds. No more than `packet_bytes`: nobody asks.
    pub largest_packet_bytes: usize,
    /// What the other side may have under way to us, messages that nobody has taken yet included.
    pub receive_window_bytes: usize,
    /// What may be queued for one stream, and for all together.
    pub stream_queue_bytes: usize,
    pub queue_bytes: usize,
    /// Whether a long message lets messages of other streams pass, if the other side can (RFC 8260).
    pub interleaving: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            local_port: 5000,
            remote_port: 5000,
            streams: 1024,
            packet_bytes: 1191,
            largest_packet_bytes: 1191,
            receive_window_bytes: 5 * 1024 * 1024,
            stream_queue_bytes: 16 * 1024 * 1024,
            queue_bytes: 64 * 1024 * 1024,
            interleaving: true,
        }
    }
}

/// Random numbers, which the machine does not make by itself (RFC 9260 §5.3.1).
#[derive(Debug, Clone, Copy)]
pub struct Nonces {
    /// What the other side's packets have to carry.
    pub tag: u32,
    /// The number of the first chunk.
    pub first_tsn: u32,
}

/// The first wait for an answer, and the bounds of later ones. RFC 9260 §16 says 1 s at least, for paths that are not
/// known to carry anything; ours is known, by ICE.
pub(crate) const RTO_INITIAL: Duration = Duration::from_millis(500);
pub(crate) const RTO_MIN: Duration = Duration::from_millis(200);
/// After an outage the association lives again within this time.
pub(crate) const RTO_MAX: Duration = Duration::from_secs(3);
/// A single packet is acknowledged after this, unless something goes the other way before (RFC 9260 §6.2).
pub(crate) const ACK_DELAY: Duration = Duration::from_millis(20);
