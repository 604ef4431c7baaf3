//! The allocations of one shard, by their names and by the 5-tuples of their clients.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::allocation::Allocation;
use crate::host::AllocationId;
use crate::tuple::FiveTuple;

#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// How many of the slots are taken.
    live: usize,
    /// Only who has authenticated itself stands in here, so nobody can choose keys that collide: the fast hash will do.
    by_tuple: HashMap<FiveTuple, AllocationId, RandomState>,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    allocation: Option<Box<Allocation>>,
}

impl Table {
    #[inline]
    pub(super) fn find(&self, tuple: &FiveTuple) -> Option<AllocationId> {
        self.by_tuple.get(tuple).copied()
    }

    #[inline]
    pub(super) fn get(&self, id: AllocationId) -> Option<&Allocation> {
        let slot = self.slots.get(id.index as usize).filter(|slot| slot.generation == id.generation)?;
        slot.allocation.as_deref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: AllocationId) -> Option<&mut Allocation> {
        let slot = self.slots.get_mut(id.index as usize).filter(|slot| slot.generation == id.generation)?;
        slot.allocation.as_deref_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.live
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (AllocationId, &Allocation)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let id = AllocationId { index: index as u32, generation: slot.generation };
            Some((id, slot.allocation.as_deref()?))
        })
    }

    /// The name that the next allocation will have.
    pub(super) fn next_id(&mut self) -> AllocationId {
        let index = self.free.last().copied().unwrap_or(self.slots.len() as u32);
        if index as usize == self.slots.len() {
            self.slots.push(Slot { generation: 1, allocation: None });
            self.free.push(index);
        }
        AllocationId { index, generation: self.slots[index as usize].generation }
    }

    /// `id` is that of `next_id`.
    pub(super) fn insert(&mut self, id: AllocationId, allocation: Allocation) {
        debug_assert_eq!(self.free.last(), Some(&id.index));
        self.free.pop();
        self.by_tuple.insert(allocation.tuple, id);
        self.slots[id.index as usize].allocation = Some(Box::new(allocation));
        self.live += 1;
    }

    pub(super) fn remove(&mut self, id: AllocationId) -> Option<Box<Allocation>> {
        self.leave(id);
        let slot = self.slots.get_mut(id.index as usize).filter(|slot| slot.generation == id.generation)?;
        let gone = slot.allocation.take()?;
        // A slot that has used up its generations is retired: an id must never name two allocations.
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            self.free.push(id.index);
        }
        self.live -= 1;
        Some(gone)
    }

    /// From now on the allocation is found by this 5-tuple alone.
    pub(super) fn move_to(&mut self, id: AllocationId, tuple: FiveTuple) {
        self.leave(id);
        if let Some(allocation) = self.get_mut(id) {
            allocation.tuple = tuple;
            allocation.is_left = false;
            self.by_tuple.insert(tuple, id);
        }
    }

    /// The allocation is no longer found by its 5-tuple, nor is anything sent there.
    pub(super) fn leave(&mut self, id: AllocationId) {
        if let Some(tuple) = self.get(id).map(|allocation| allocation.tuple)
            && self.by_tuple.get(&tuple) == Some(&id)
        {
            self.by_tuple.remove(&tuple);
        }
        if let Some(allocation) = self.get_mut(id) {
            allocation.is_left = true;
        }
    }
}
