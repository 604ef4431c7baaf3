//! What the owner asks of a TURN server.

use std::sync::Arc;

use peerline_turn::{AllocationId, QuestionId, Settings, Verdict};

use crate::turn::certificate::Certificate;
use crate::turn::stream::Stream;

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
    /// A client's connection that belongs to an allocation of this shard (RFC 6062 §5.4), and what has come on it.
    TakeOver {
        stream: Box<Stream>,
        bytes: Vec<u8>,
    },
}
