//! Deadlines to the second; an entry is only a hint to look again, and comes early for what is far away.

use crate::host::AllocationId;

/// Longer than an hour, the longest lifetime unless the operator says otherwise: until then no entry comes early.
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

    /// Says when the entry will come out: in one round of the wheel at the latest.
    pub(crate) fn insert(&mut self, now_s: u32, due_s: u32, id: AllocationId) -> u32 {
        if self.len == 0 {
            self.next_s = self.next_s.max(now_s);
        }
        let due_s = due_s.clamp(self.next_s, self.next_s.saturating_add(SLOTS as u32 - 1));
        self.slots[due_s as usize % SLOTS].push(id);
        self.len += 1;
        due_s
    }

    /// Takes out one entry that is due.
    pub(crate) fn pop(&mut self, now_s: u32) -> Option<AllocationId> {
        while self.len > 0 && self.next_s <= now_s {
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
            assert_eq!(wheel.insert(0, due_s, id(due_s.into())), due_s);
        }
        let mut all_due =
            |now_s| std::iter::from_fn(|| wheel.pop(now_s)).map(AllocationId::to_bits).collect::<Vec<_>>();
        assert_eq!(all_due(0), [0u64; 0]);
        assert_eq!(all_due(4), [1]);
        assert_eq!(all_due(5), [5, 5]);
        assert_eq!(all_due(10_000), [3600]);
        assert!(wheel.is_empty());
        wheel.insert(10_000, 7, id(7));
        assert_eq!(wheel.pop(20_000).map(AllocationId::to_bits), Some(7), "too late is at once");
    }

    #[test]
    fn what_is_far_away_comes_once_in_a_round_and_an_idle_wheel_catches_up() {
        let id = AllocationId::from_bits(1);
        let mut wheel = Wheel::new();
        let round = SLOTS as u32;
        assert_eq!(wheel.insert(0, 50_000, id), round - 1);
        assert_eq!((wheel.pop(round - 2), wheel.pop(round - 1)), (None, Some(id)));
        assert_eq!(wheel.insert(1_000_000, 1_000_600, id), 1_000_600, "after a long time without an entry");
        assert_eq!((wheel.pop(1_000_599), wheel.pop(1_000_600)), (None, Some(id)));
        assert_eq!(wheel.insert(u32::MAX - 1, u32::MAX, id), u32::MAX);
        assert_eq!(wheel.pop(u32::MAX), Some(id));
    }
}
