//! What a server tells its owner, and asks it.

use std::sync::Arc;

use crate::allocation::Usage;
use crate::host::AllocationId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnEvent {
    Allocated { id: AllocationId, username: Arc<str> },
    Freed { id: AllocationId, username: Arc<str>, why: FreeReason, usage: Usage },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreeReason {
    /// The client has said so.
    Released,
    /// It was not refreshed.
    Expired,
    /// The client's connection is closed.
    Disconnected,
    /// The owner has said so.
    Kicked,
}

/// May this user allocate?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub id: QuestionId,
    pub username: Arc<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QuestionId(pub u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    Deny,
}
