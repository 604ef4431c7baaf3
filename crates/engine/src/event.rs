//! What the engine tells its owner, as past participles.

use peerline_turn::{AllocationView, Question, TurnEvent};

use crate::handle::Handle;
use crate::peer::PeerEvent;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// One of the answers to [`crate::Engine::ping`]; `sequence` counts from 0.
    Ponged { token: u64, sequence: u32 },
    /// The thing is gone because it was asked to go; its handle is stale from now on.
    Closed { handle: Handle },
    /// The thing is gone because of a bug in it. It takes nothing else with it.
    Failed { handle: Handle, reason: String },
    /// An allocation of a TURN server began or ended.
    Turn { handle: Handle, event: TurnEvent },
    /// May this client allocate? [`crate::Engine::turn_decide`] answers.
    TurnAsked { handle: Handle, question: Question },
    /// What [`crate::Engine::turn_list`] asked of one shard.
    TurnListed { handle: Handle, token: u64, allocations: Vec<AllocationView> },
    /// News of a peer connection's data path.
    Peer { handle: Handle, event: PeerEvent },
    /// A whole shard is gone, and everything that lived on it.
    ShardFailed { shard: usize, reason: String },
}
