//! The sockets that may have something to read, each once, in the order in which they became so.

use std::collections::VecDeque;

use crate::handle::Handle;
use crate::service::SocketId;

#[derive(Debug, Default)]
pub(crate) struct ReadyList {
    queue: VecDeque<(Handle, SocketId)>,
    /// Of each service's slot, the sockets that stand in the queue.
    flags: Vec<Flags>,
}

#[derive(Debug, Default)]
struct Flags(Vec<bool>);

impl ReadyList {
    /// mio tells of each arrival only once, and may tell of it again while it still waits here.
    pub(crate) fn push(&mut self, handle: Handle, id: SocketId) {
        if self.flags.len() <= handle.slot() {
            self.flags.resize_with(handle.slot() + 1, Flags::default);
        }
        let flags = &mut self.flags[handle.slot()].0;
        if flags.len() <= id as usize {
            flags.resize(id as usize + 1, false);
        }
        if !std::mem::replace(&mut flags[id as usize], true) {
            self.queue.push_back((handle, id));
        }
    }

    pub(crate) fn pop(&mut self) -> Option<(Handle, SocketId)> {
        let (handle, id) = self.queue.pop_front()?;
        self.flags[handle.slot()].0[id as usize] = false;
        Some((handle, id))
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_waits_only_once() {
        let (a, b) = (Handle::new(0, 0, 1), Handle::new(0, 3, 1));
        let mut ready = ReadyList::default();
        for (handle, id) in [(a, 7), (b, 7), (a, 7), (a, 0)] {
            ready.push(handle, id);
        }
        assert_eq!((ready.pop(), ready.len()), (Some((a, 7)), 2));
        ready.push(a, 7);
        assert_eq!(
            [ready.pop(), ready.pop(), ready.pop(), ready.pop()],
            [Some((b, 7)), Some((a, 0)), Some((a, 7)), None]
        );
    }
}
