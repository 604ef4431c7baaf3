//! The services of one TURN server on all shards, and how one of them gives a connection to another.

use std::sync::{Arc, OnceLock};

use crate::command::{Command, Mailbox};
use crate::handle::Handle;
use crate::turn::command::TurnCommand;

/// Shared by its clones. Empty until all of them have been opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Siblings(Arc<OnceLock<Vec<(Handle, Mailbox)>>>);

impl Siblings {
    pub(crate) fn introduce(&self, all: Vec<(Handle, Mailbox)>) {
        // Only who has opened them does this, once.
        let _ = self.0.set(all);
    }

    /// `None`: there is no such shard.
    pub(crate) fn tell(&self, shard: u32, command: TurnCommand) -> Option<()> {
        let (handle, mailbox) = self.0.get()?.get(shard as usize)?;
        mailbox.send(Command::Tell { handle: *handle, command: Box::new(command) });
        Some(())
    }
}

/// Which of how many this is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) shard: u32,
    pub(crate) shards: u32,
    pub(crate) siblings: Siblings,
}
