//! What the owner asks of a shard. Commands never wait for an answer; results come back as events.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    is_rung: Arc<AtomicBool>,
}

/// The shard's end. It is rung once for all commands that it has not looked at.
pub(crate) struct Commands {
    receiver: Receiver<Command>,
    is_rung: Arc<AtomicBool>,
}

impl Commands {
    /// Before the first [`Commands::next`] of a turn: what comes after the last rings again.
    pub(crate) fn begin(&self) {
        self.is_rung.store(false, Ordering::SeqCst);
    }

    pub(crate) fn next(&self) -> Option<Command> {
        self.receiver.try_recv().ok()
    }
}

impl Mailbox {
    pub(crate) fn new(waker: Arc<Waker>) -> (Self, Commands) {
        let (sender, receiver) = channel();
        let is_rung = Arc::new(AtomicBool::new(false));
        (Self { sender, waker, is_rung: is_rung.clone() }, Commands { receiver, is_rung })
    }

    /// A shard that is gone takes no commands; its owner has been told by an event.
    pub(crate) fn send(&self, command: Command) {
        if self.sender.send(command).is_ok() && !self.is_rung.swap(true, Ordering::SeqCst) {
            // It can only fail when the poll it belongs to is gone, and then so is the shard.
            let _ = self.waker.wake();
        }
    }
}
