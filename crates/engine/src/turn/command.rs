//! What the owner asks of a TURN server.

use std::sync::Arc;

use peerline_turn::{AllocationId, QuestionId, Settings, Verdict};

use crate::turn::certificate::Certificate;

#[derive(Debug)]
pub(crate) enum TurnCommand {
    Reload(Arc<Settings>),
    /// For TLS connections that come from now on.
    Recertify(Certificate),
    /// Allocate nothing more.
    Drain,
    Kick(AllocationId),
    Decide(QuestionId, Verdict),
    List {
        token: u64,
    },
}
