//! The bounded queue between the shards and their one reader, and the rule of when to wake that reader.
//!
//! A shard never waits and never calls anybody. It moves a batch in under one short lock and rings the wake
//! descriptor only if the reader sleeps, so a busy reader costs no system call. The reader counts as asleep from the
//! moment it found the queue empty; until then the descriptor stays readable, so a reader that takes only some of
//! the events is called again.

use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::event::Event;
use crate::wake::Wake;

/// So many events may wait; what does not fit stays on its shard, which produces no more until it does.
pub const QUEUE_CAPACITY: usize = 65_536;

#[derive(Debug)]
pub(crate) struct EventQueue {
    state: Mutex<State>,
    wake: Wake,
}

#[derive(Debug)]
struct State {
    events: VecDeque<Event>,
    is_reader_asleep: bool,
    published: u64,
    wakes: u64,
}

impl EventQueue {
    pub(crate) fn new() -> io::Result<Self> {
        let state = State { events: VecDeque::new(), is_reader_asleep: true, published: 0, wakes: 0 };
        Ok(Self { state: Mutex::new(state), wake: Wake::new()? })
    }

    /// Moves in as many events of the batch as fit, in order; what is left did not fit.
    pub(crate) fn publish(&self, batch: &mut VecDeque<Event>) {
        let mut state = self.lock();
        let count = batch.len().min(QUEUE_CAPACITY.saturating_sub(state.events.len()));
        if count == 0 {
            return;
        }
        state.events.extend(batch.drain(..count));
        state.published += count as u64;
        let must_ring = std::mem::take(&mut state.is_reader_asleep);
        state.wakes += u64::from(must_ring);
        drop(state);
        if must_ring {
            self.wake.ring();
        }
    }

    /// For the one event after which a shard says nothing more: it fits even into a full queue.
    pub(crate) fn publish_last_words(&self, event: Event) {
        let mut state = self.lock();
        state.events.push_back(event);
        state.published += 1;
        state.wakes += 1;
        state.is_reader_asleep = false;
        drop(state);
        self.wake.ring();
    }

    /// Takes up to `max` events. Once the queue is empty the descriptor goes silent until the next batch.
    pub(crate) fn drain(&self, max: usize) -> Vec<Event> {
        let mut state = self.lock();
        let count = max.min(state.events.len());
        let events = state.events.drain(..count).collect();
        if state.events.is_empty() {
            // Under the lock: a ring that comes later comes from a batch that this drain did not see.
            self.wake.silence();
            state.is_reader_asleep = true;
        }
        events
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.wake.fd()
    }

    /// Events published and wakes rung since the start.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let state = self.lock();
        (state.published, state.wakes)
    }

    /// Nothing under this lock can panic halfway through a change, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pongs(count: usize) -> VecDeque<Event> {
        (0..count).map(|sequence| Event::Ponged { token: 0, sequence: sequence as u32 }).collect()
    }

    #[test]
    fn only_the_first_batch_after_sleep_rings() {
        let queue = EventQueue::new().unwrap();
        queue.publish(&mut pongs(3));
        queue.publish(&mut pongs(3));
        assert_eq!(queue.totals(), (6, 1));
        assert_eq!(queue.drain(5).len(), 5);
        queue.publish(&mut pongs(1));
        assert_eq!(queue.totals(), (7, 1), "the reader has not slept yet");
        assert_eq!(queue.drain(100).len(), 2);
        queue.publish(&mut pongs(1));
        assert_eq!(queue.totals(), (8, 2));
    }

    #[test]
    fn what_does_not_fit_stays_with_the_shard_in_order() {
        let queue = EventQueue::new().unwrap();
        let mut batch = pongs(QUEUE_CAPACITY + 2);
        queue.publish(&mut batch);
        assert_eq!(batch.len(), 2);
        queue.publish(&mut batch);
        assert_eq!(batch.len(), 2);
        queue.drain(1);
        queue.publish(&mut batch);
        let mut all = queue.drain(usize::MAX);
        assert_eq!(all.pop(), Some(Event::Ponged { token: 0, sequence: QUEUE_CAPACITY as u32 }));
        assert_eq!(batch.len(), 1);
    }

    #[test]
    fn an_empty_batch_wakes_nobody() {
        let queue = EventQueue::new().unwrap();
        queue.publish(&mut VecDeque::new());
        assert_eq!(queue.totals(), (0, 0));
    }
}
