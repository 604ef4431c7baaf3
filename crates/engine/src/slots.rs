//! Slots with generations: the caller's side gives handles out, the shard's side looks them up.

use std::collections::VecDeque;

use crate::handle::{Handle, MAX_SLOTS};

/// Gives handles out before the shard knows of them, so that a command never waits for an answer.
#[derive(Debug)]
pub(crate) struct SlotAllocator {
    shard: usize,
    slots: Vec<Slot>,
    free: VecDeque<usize>,
}

#[derive(Debug)]
struct Slot {
    /// The generation it has now, or will have when it is given out next.
    generation: u32,
    is_taken: bool,
}

impl SlotAllocator {
    pub(crate) fn new(shard: usize) -> Self {
        Self { shard, slots: Vec::new(), free: VecDeque::new() }
    }

    /// `None` when every slot is taken.
    pub(crate) fn allocate(&mut self) -> Option<Handle> {
        let index = match self.free.pop_front() {
            Some(index) => index,
            None if self.slots.len() < MAX_SLOTS => {
                self.slots.push(Slot { generation: 1, is_taken: false });
                self.slots.len() - 1
            }
            None => return None,
        };
        self.slots[index].is_taken = true;
        Some(Handle::new(self.shard, index, self.slots[index].generation))
    }

    /// Makes every copy of the handle stale. Releasing a stale handle does nothing.
    pub(crate) fn release(&mut self, handle: Handle) {
        let Some(slot) = self.slots.get_mut(handle.slot()) else { return };
        if !slot.is_taken || slot.generation != handle.generation() {
            return;
        }
        slot.is_taken = false;
        // A slot that has used up its generations is retired: a handle must never name two things.
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            self.free.push_back(handle.slot());
        }
    }
}

/// The things themselves, on the shard.
#[derive(Debug)]
pub(crate) struct Slots<T>(Vec<Option<(Handle, T)>>);

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn insert(&mut self, handle: Handle, thing: T) {
        if self.0.len() <= handle.slot() {
            self.0.resize_with(handle.slot() + 1, || None);
        }
        self.0[handle.slot()] = Some((handle, thing));
    }

    /// `None` for a stale handle.
    pub(crate) fn get_mut(&mut self, handle: Handle) -> Option<&mut T> {
        self.0.get_mut(handle.slot())?.as_mut().filter(|(owner, _)| *owner == handle).map(|(_, thing)| thing)
    }

    pub(crate) fn remove(&mut self, handle: Handle) -> Option<T> {
        self.0.get_mut(handle.slot())?.take_if(|(owner, _)| *owner == handle).map(|(_, thing)| thing)
    }

    /// Whoever lives in the slot now.
    pub(crate) fn handle_at(&self, slot: usize) -> Option<Handle> {
        self.0.get(slot)?.as_ref().map(|(handle, _)| *handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_handle_is_stale_for_ever() {
        let mut allocator = SlotAllocator::new(3);
        let mut slots = Slots::new();
        let first = allocator.allocate().unwrap();
        slots.insert(first, "first");
        assert_eq!(slots.remove(first), Some("first"));
        allocator.release(first);
        allocator.release(first);
        let second = allocator.allocate().unwrap();
        slots.insert(second, "second");
        assert_eq!((first.slot(), first.shard()), (second.slot(), 3));
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get_mut(second), Some(&mut "second"));
        assert_ne!(allocator.allocate().unwrap().slot(), second.slot());
    }

    #[test]
    fn handles_that_never_were_name_nothing() {
        let mut allocator = SlotAllocator::new(0);
        let mut slots = Slots::<()>::new();
        for bits in [0, 1, u64::MAX] {
            assert_eq!(slots.get_mut(Handle::from_bits(bits)), None);
            allocator.release(Handle::from_bits(bits));
        }
        assert_ne!(allocator.allocate().unwrap().to_bits(), 0);
    }

    #[test]
    fn a_slot_out_of_generations_is_retired() {
        let mut allocator = SlotAllocator::new(0);
        let slot = allocator.allocate().unwrap().slot();
        allocator.slots[slot].generation = u32::MAX;
        allocator.release(Handle::new(0, slot, u32::MAX));
        assert_ne!(allocator.allocate().unwrap().slot(), slot);
    }
}
