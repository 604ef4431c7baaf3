//! What goes to the other side: one [`Sender`] for each of our sources.
//!
//! Reading order: `source` (frames become packets) → `history` (packets that can be sent again).

mod history;
mod source;

pub(crate) use source::Sender;
pub use source::{Frame, RemoteReport, SentCounts};
