//! What goes to the other side: one [`Sender`] for each of our sources.
//!
//! Reading order: `sender` (frames become packets) → `history` (packets that can be sent again) → `report` (what the other
//! side said of us).

mod history;
#[expect(clippy::module_inception, reason = "the thing that the folder is named for")]
mod sender;

pub(crate) use sender::Sender;
pub use sender::{Frame, RemoteReport, SentCounts};
