//! Messages from the moment they are given to us until nobody can ask for them again.

use std::time::Instant;

use crate::api::Message;

pub(crate) type MessageId = u32;

#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) message: Message,
    pub(crate) is_unordered: bool,
    pub(crate) max_retransmits: Option<u16>,
    pub(crate) expires: Option<Instant>,
    /// SSN or MID, from the first piece on.
    pub(crate) number: u32,
    /// So many pieces were made of it.
    pub(crate) pieces: u32,
    /// Pieces that were sent and whose end is not known.
    pub(crate) under_way: u32,
    pub(crate) is_sent: bool,
    pub(crate) is_abandoned: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Messages {
    slots: Vec<Option<Outgoing>>,
    free: Vec<MessageId>,
}

impl Messages {
    pub(crate) fn insert(&mut self, message: Outgoing) -> MessageId {
        if let Some(id) = self.free.pop() {
            self.slots[id as usize] = Some(message);
            return id;
        }
        self.slots.push(Some(message));
        (self.slots.len() - 1) as MessageId
    }

    /// Ids come from here and are used until the message is removed.
    pub(crate) fn at(&self, id: MessageId) -> &Outgoing {
        self.slots[id as usize].as_ref().expect("a message lives as long as its pieces")
    }

    pub(crate) fn at_mut(&mut self, id: MessageId) -> &mut Outgoing {
        self.slots[id as usize].as_mut().expect("a message lives as long as its pieces")
    }

    pub(crate) fn remove(&mut self, id: MessageId) {
        self.slots[id as usize] = None;
        self.free.push(id);
        if self.free.len() == self.slots.len() && self.slots.len() > 64 {
            // A burst is over; an idle association keeps nothing of it.
            *self = Self::default();
        }
    }

    /// Nobody can ask for this piece any more.
    pub(crate) fn settle(&mut self, id: MessageId) {
        let message = self.at_mut(id);
        message.under_way -= 1;
        if message.under_way == 0 && (message.is_sent || message.is_abandoned) {
            self.remove(id);
        }
    }
}
