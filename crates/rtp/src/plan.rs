//! What descriptions agreed on, committed as a whole (RFC 9429 §5.9, §5.11): who sends what under which numbers.

use std::time::Duration;

use crate::payload::Format;

/// Everything that one transport carries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The name that all our sources share (RFC 7022).
    pub cname: String,
    /// Feedback need not come with a report (RFC 5506).
    pub has_reduced_size: bool,
    pub sections: Vec<Section>,
}

/// A media section: at most one source of ours, and what comes from the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What its owner calls it, from plan to plan.
    pub key: u32,
    pub mid: String,
    pub is_video: bool,
    pub extensions: ExtensionIds,
    /// What may come; empty: nothing.
    pub receive: Vec<Codec>,
    /// Sources that were announced, each with that of its retransmissions.
    pub sources: Vec<(u32, Option<u32>)>,
    /// Frames that come are held back for so long, that they go out evenly (`jitterBufferTarget`).
    pub playout_delay: Duration,
    pub send: Option<Sending>,
}

impl Section {
    /// Its sender goes by what we say of the rate, and gets no better feedback.
    pub(crate) fn wants_remb(&self) -> bool {
        self.receive.iter().any(|codec| codec.has_remb && !codec.has_transport_feedback)
    }
}

/// Our source in a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    pub ssrc: u32,
    pub rtx_ssrc: Option<u32>,
    pub codecs: Vec<Codec>,
    /// Headers included; the other side or the application has set it.
    pub max_bitrate_bps: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codec {
    pub payload_type: u8,
    pub format: Format,
    pub clock_hz: u32,
    /// The payload type of its retransmissions (RFC 4588).
    pub rtx: Option<u8>,
    pub has_nack: bool,
    pub has_picture_loss: bool,
    pub has_full_intra: bool,
    pub has_transport_feedback: bool,
    pub has_remb: bool,
}

/// The ids of header extensions, where they were agreed on (RFC 8285).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExtensionIds {
    pub mid: Option<u8>,
    pub transport_sequence: Option<u8>,
    pub absolute_send_time: Option<u8>,
    pub audio_level: Option<u8>,
    pub orientation: Option<u8>,
    pub playout_delay: Option<u8>,
}
