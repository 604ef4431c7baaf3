//! An orderly end, which the other side alone begins (RFC 9260 §9.2). Ours is an ABORT: a data channel that is to send
//! everything is closed before.

use crate::api::AssociationEvent;
use crate::association::{Association, State};
use crate::chunk::{self, u32_at};
use crate::sack::Sack;

impl Association {
    pub(crate) fn on_shutdown(&mut self, value: &[u8]) {
        let (Some(cumulative), Some(link)) = (u32_at(value, 0), &self.link) else { return };
        if !matches!(self.state, State::Established | State::ShuttingDown) {
            return;
        }
        self.state = State::ShuttingDown;
        // It acknowledges as a SACK does, and leaves the window as it was.
        let window = link.remote_window + link.flight.bytes();
        self.acknowledged(&Sack::without_gaps(cumulative, u32::try_from(window).unwrap_or(u32::MAX)));
        let is_done = self.queue.total() == 0 && self.link.as_ref().is_some_and(|link| link.flight.is_empty());
        if is_done {
            self.reply(|packet| chunk::put(packet, chunk::SHUTDOWN_ACK, 0, |_| {}));
        }
    }

    pub(crate) fn on_shutdown_complete(&mut self) {
        if self.state == State::ShuttingDown {
            self.end(AssociationEvent::Closed);
        }
    }
}
