//! Deadlines to the second, up to an hour ahead; an entry is only a hint to look again.

use crate::host::AllocationId;

/// Longer than the longest lifetime, so that no entry comes a round too early.
const SLOTS: usize = 4096;

#[derive(Debug)]
pub(crate) struct Wheel {
    slots: Vec<Vec<AllocationId>>,
    /// Everything before this second has been taken out.
    next_s: u32,
    len: usize,
}

impl Wheel {
    pub(crate) fn new() -> Self {
        Self { slots: vec![Vec::new(); SLOTS], next_s: 0, len: 0 }
    }

    pub(crate) fn insert(&mut self, due_s: u32, id: AllocationId) {
        let due_s = due_s.clamp(self.next_s, self.next_s + SLOTS as u32 - 1);
        self.slots[due_s as usize % SLOTS].push(id);
        self.len += 1;
    }

    /// Takes out one entry that is due.
    pub(crate) fn pop(&mut self, now_s: u32) -> Option<AllocationId> {
        if self.len == 0 {
            self.next_s = self.next_s.max(now_s + 1);
            return None;
        }
        while self.next_s <= now_s {
            if let Some(id) = self.slots[self.next_s as usize % SLOTS].pop() {
                self.len -= 1;
                return Some(id);
            }
            self.slots[self.next_s as usize % SLOTS].shrink_to(64);
            self.next_s += 1;
        }
        None
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_out_when_they_are_due() {
        let id = AllocationId::from_bits;
        let mut wheel = Wheel::new();
        for due_s in [5, 1, 3600, 5] {
            wheel.insert(due_s, id(due_s.into()));
        }
        let mut all_due =
            |now_s| std::iter::from_fn(|| wheel.pop(now_s)).map(AllocationId::to_bits).collect::<Vec<_>>();
        assert_eq!(all_due(0), [0u64; 0]);
        assert_eq!(all_due(4), [1]);
        assert_eq!(all_due(5), [5, 5]);
        assert_eq!(all_due(10_000), [3600]);
        assert!(wheel.is_empty());
        wheel.insert(7, id(7));
        assert_eq!(wheel.pop(20_000).map(AllocationId::to_bits), Some(7), "too late is at once");
    }
}
