//! Media over RTP, as machines without a clock and without a socket.
//!
//! Reading order: `plan` (what descriptions agreed on) → `media` (one transport's media: packets in and out) → `sender` and
//! `receiver` (one source each) → `payload` (frames and packets) → `pacer`, `arrivals`, `bwe` (how fast it may be).

#![forbid(unsafe_code)]

mod arrivals;
pub mod bwe;
mod media;
mod pacer;
pub mod payload;
mod plan;
mod receiver;
mod sender;
mod sequence;

pub use media::{Leaving, Media, MediaEvent, MediaStats, NotSent, ReceivedStats, SentStats};
pub use peerline_wire::rtp_ext::{AudioLevel, VideoOrientation};
pub use plan::{Codec, ExtensionIds, Plan, Section, Sending};
pub use receiver::{ReceivedCounts, ReceivedFrame};
pub use sender::{Frame, RemoteReport, SentCounts};
