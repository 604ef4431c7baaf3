//! Messages that arrived and were not asked for yet, within limits: a peer cannot fill memory by our not reading.

use std::collections::VecDeque;

use super::association::Message;

/// What is taken out of the association before its owner asks.
const MAX_BYTES: usize = 1024 * 1024;
const MAX_MESSAGES: usize = 4096;
/// More whole messages than this behind a full inbox, and packets with data are dropped; the peer sends them again.
/// The receive window alone would not do: it counts bytes, and a message of one byte costs a hundred.
const MAX_WAITING: usize = 16_384;

#[derive(Debug, Default)]
pub(super) struct Inbox {
    messages: VecDeque<Message>,
    bytes: usize,
}

impl Inbox {
    pub(super) fn has_room(&self) -> bool {
        self.bytes < MAX_BYTES && self.messages.len() < MAX_MESSAGES
    }

    /// Whether a packet with data is to be dropped while so many messages wait behind this inbox.
    pub(super) fn refuses_data(&self, waiting: usize) -> bool {
        waiting >= MAX_WAITING && !self.has_room()
    }

    pub(super) fn push(&mut self, message: Message) {
        self.bytes += message.payload.len();
        self.messages.push_back(message);
    }

    pub(super) fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.payload.len();
        Some(message)
    }
}
