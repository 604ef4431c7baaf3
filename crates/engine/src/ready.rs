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
struct Flags(Vec<Flag>);

#[derive(Debug, Clone, Copy, Default)]
struct Flag {
    is_queued: bool,
    is_ending: bool,
}

impl ReadyList {
    /// mio tells of each arrival only once, and may tell of it again while it still waits here. `is_ending`: the other
    /// side has closed, which is told only once as well.
    pub(crate) fn push(&mut self, handle: Handle, id: SocketId, is_ending: bool) {
        if self.flags.len() <= handle.slot() {
            self.flags.resize_with(handle.slot() + 1, Flags::default);
        }
        let flags = &mut self.flags[handle.slot()].0;
        if flags.len() <= id as usize {
            flags.resize(id as usize + 1, Flag::default());
        }
        let flag = &mut flags[id as usize];
        flag.is_ending |= is_ending;
        if !std::mem::replace(&mut flag.is_queued, true) {
            self.queue.push_back((handle, id));
        }
    }

    /// The one that has waited longest, and whether it is ending.
    pub(crate) fn pop(&mut self) -> Option<(Handle, SocketId, bool)> {
        let (handle, id) = self.queue.pop_front()?;
        let flag = std::mem::take(&mut self.flags[handle.slot()].0[id as usize]);
        Some((handle, id, flag.is_ending))
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
        for (handle, id, is_ending) in [(a, 7, false), (b, 7, false), (a, 7, true), (a, 0, false)] {
            ready.push(handle, id, is_ending);
        }
        assert_eq!((ready.pop(), ready.len()), (Some((a, 7, true)), 2));
        ready.push(a, 7, false);
        let rest = [ready.pop(), ready.pop(), ready.pop(), ready.pop()];
        assert_eq!(rest, [Some((b, 7, false)), Some((a, 0, false)), Some((a, 7, false)), None]);
    }
}
