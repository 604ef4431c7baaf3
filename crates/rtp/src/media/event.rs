//! What media tells its owner, and what leaves it.

use crate::receiver::ReceivedFrame;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaEvent {
    /// The first packet of a source of this section came.
    Started { key: u32, ssrc: u32 },
    /// Of a section that somebody listens to.
    Frame { key: u32, frame: ReceivedFrame },
    /// The other side cannot show what we send without a picture that stands alone.
    KeyFrameWanted { key: u32 },
    /// Of a hundred packets of a source of ours so many are to be expected not to arrive, as far as reports tell.
    LossChanged { key: u32, percent: u8 },
    /// The source says goodbye.
    Ended { key: u32, ssrc: u32 },
    /// How much the path carries, as far as is known.
    EstimateChanged { bitrate_bps: u64 },
}

/// What kind of packet leaves; SRTP has a key for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    Rtp,
    Rtcp,
}

/// Why a frame does not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// Nothing is sent in this section.
    NoSource,
    /// The other side does not take its codec.
    Codec,
}
