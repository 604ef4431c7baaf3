//! What the owner asks of a TURN server.

use std::sync::Arc;

use peerline_turn::{AllocationId, QuestionId, Settings, Verdict};

#[derive(Debug)]
pub(crate) enum TurnCommand {
    Reload(Arc<Settings>),
    /// Allocate nothing more.
    Drain,
    Kick(AllocationId),
    Decide(QuestionId, Verdict),
    List {
        token: u64,
    },
}
