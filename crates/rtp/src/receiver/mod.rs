//! What comes from the other side: one [`Stream`] for each of its sources.
//!
//! Reading order: `stream` (packets in any order become frames in theirs) → `frame` (parts become one frame) → `holding`
//! (frames wait for their time) → `missing` (what is asked for again) → `reception` (what reports say).

mod frame;
mod holding;
mod missing;
mod reception;
mod stream;

pub use frame::ReceivedFrame;
pub use stream::ReceivedCounts;
pub(crate) use stream::{Arrived, Due, Stream};
