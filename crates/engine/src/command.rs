//! What the owner asks of a shard. Commands never wait for an answer; results come back as events.

use std::any::Any;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use mio::Waker;

use crate::handle::Handle;
use crate::service::Build;

pub(crate) enum Command {
    Open {
        handle: Handle,
        build: Build,
    },
    /// For the service itself.
    Tell {
        handle: Handle,
        command: Box<dyn Any + Send>,
    },
    Close {
        handle: Handle,
    },
    Ping {
        token: u64,
        count: u32,
        batch: u32,
    },
    Stop,
}

/// The owner's end of a shard's command queue.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    sender: Sender<Command>,
    waker: Arc<Waker>,
}

impl Mailbox {
    pub(crate) fn new(waker: Arc<Waker>) -> (Self, Receiver<Command>) {
        let (sender, receiver) = channel();
        (Self { sender, waker }, receiver)
    }

    /// A shard that is gone takes no commands; its owner has been told by an event.
    pub(crate) fn send(&self, command: Command) {
        if self.sender.send(command).is_ok() {
            // It can only fail when the poll it belongs to is gone, and then so is the shard.
            let _ = self.waker.wake();
        }
    }
}
