//! A hierarchical timer wheel of 1 ms: scheduling and firing cost the same however many timers there are.
//!
//! A time is a number of eight digits in base 64. A timer stands on the level of the highest digit in which its due
//! time differs from now, in the slot of that digit; when now reaches the slot, its timers move to lower levels or
//! fire. There is no cancelling: whoever is woken in vain looks at its own deadline and schedules again.

const LEVELS: usize = 8;
const BITS: usize = 6;
const SLOTS: usize = 1 << BITS;
/// 2⁴⁸ ms are 8,900 years.
const FOREVER_MS: u64 = (1 << (LEVELS * BITS)) - 1;

#[derive(Debug)]
pub(crate) struct TimerWheel<K> {
    /// Everything due before or at this millisecond has fired.
    now_ms: u64,
    levels: Box<[Level<K>]>,
    /// Due already when scheduled; they fire with the next advance.
    overdue: Vec<K>,
}

#[derive(Debug)]
struct Level<K> {
    /// One bit for each slot that holds something.
    occupied: u64,
    slots: [Vec<(u64, K)>; SLOTS],
}

impl<K> TimerWheel<K> {
    pub(crate) fn new() -> Self {
        let level = |_| Level { occupied: 0, slots: [const { Vec::new() }; SLOTS] };
        Self { now_ms: 0, levels: (0..LEVELS).map(level).collect(), overdue: Vec::new() }
    }

    pub(crate) fn schedule(&mut self, due_ms: u64, key: K) {
        let due_ms = due_ms.min(FOREVER_MS);
        if due_ms <= self.now_ms {
            self.overdue.push(key);
            return;
        }
        let level = (due_ms ^ self.now_ms).ilog2() as usize / BITS;
        let slot = digit(due_ms, level);
        self.levels[level].occupied |= 1 << slot;
        self.levels[level].slots[slot].push((due_ms, key));
    }

    /// When to look again: never later than the first timer, sometimes earlier (to sort a coarse slot).
    pub(crate) fn next_ms(&self) -> Option<u64> {
        if self.overdue.is_empty() { self.next_slot_ms() } else { Some(self.now_ms) }
    }

    /// Moves on to `now_ms` and collects every key that is due.
    pub(crate) fn advance(&mut self, now_ms: u64, due: &mut Vec<K>) {
        due.append(&mut self.overdue);
        while let Some(at_ms) = self.next_slot_ms().filter(|at_ms| *at_ms <= now_ms) {
            self.now_ms = at_ms;
            for level in (0..LEVELS).rev() {
                self.empty_slot(level, digit(at_ms, level), due);
            }
        }
        self.now_ms = self.now_ms.max(now_ms);
    }

    /// When the first occupied slot of any level begins.
    fn next_slot_ms(&self) -> Option<u64> {
        let of_level = |(level, it): (usize, &Level<K>)| {
            // Every occupied slot lies ahead of now's own digit, so the lowest bit is the first in time.
            let slot = (it.occupied != 0).then(|| u64::from(it.occupied.trailing_zeros()))?;
            let above = (level + 1) * BITS;
            Some(self.now_ms >> above << above | slot << (level * BITS))
        };
        self.levels.iter().enumerate().filter_map(of_level).min()
    }

    fn empty_slot(&mut self, level: usize, slot: usize, due: &mut Vec<K>) {
        if self.levels[level].occupied & 1 << slot == 0 {
            return;
        }
        self.levels[level].occupied &= !(1 << slot);
        let mut timers = std::mem::take(&mut self.levels[level].slots[slot]);
        for (due_ms, key) in timers.drain(..) {
            if due_ms <= self.now_ms { due.push(key) } else { self.schedule(due_ms, key) }
        }
        // What was put back went to lower levels, so the emptied slot may have its memory back.
        self.levels[level].slots[slot] = timers;
    }
}

fn digit(time_ms: u64, level: usize) -> usize {
    (time_ms >> (level * BITS)) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn timers_fire_in_their_millisecond_whatever_their_level() {
        let mut wheel = TimerWheel::new();
        let times = [1, 63, 64, 65, 4095, 4096, 262_144, 16_777_215, 16_777_216, 5_000_000_000];
        for at in times {
            wheel.schedule(at, at);
        }
        for at in times {
            let mut due = Vec::new();
            wheel.advance(at - 1, &mut due);
            assert_eq!(due, [], "before {at}");
            wheel.advance(at, &mut due);
            assert_eq!(due, [at]);
        }
        assert_eq!(wheel.next_ms(), None);
    }

    #[test]
    fn what_is_overdue_fires_with_the_next_advance() {
        let mut wheel = TimerWheel::new();
        wheel.advance(1000, &mut Vec::new());
        wheel.schedule(5, "late");
        assert_eq!(wheel.next_ms(), Some(1000));
        let mut due = Vec::new();
        wheel.advance(1000, &mut due);
        assert_eq!(due, ["late"]);
    }

    #[test]
    fn never_is_far_away_but_not_lost() {
        let mut wheel = TimerWheel::new();
        wheel.schedule(u64::MAX, ());
        let mut due = Vec::new();
        wheel.advance(FOREVER_MS - 1, &mut due);
        assert_eq!(due, []);
        wheel.advance(u64::MAX, &mut due);
        assert_eq!(due, [()]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_fires_what_a_sorted_list_would_fire(steps in proptest::collection::vec(
            (0_u64..300_000, proptest::collection::vec(0_u64..20_000_000, 0..6)), 1..40,
        )) {
            let mut wheel = TimerWheel::new();
            let mut model: Vec<u64> = Vec::new();
            let mut now = 0;
            for (pause, delays) in steps {
                for delay in delays {
                    wheel.schedule(now + delay, now + delay);
                    model.push(now + delay);
                }
                if let Some(first) = model.iter().min() {
                    prop_assert!(wheel.next_ms().unwrap() <= (*first).max(now), "never sleeps past the first timer");
                }
                now += pause;
                let mut fired = Vec::new();
                wheel.advance(now, &mut fired);
                fired.sort_unstable();
                let mut expected: Vec<u64> = model.extract_if(.., |due| *due <= now).collect();
                expected.sort_unstable();
                prop_assert_eq!(fired, expected);
            }
        }
    }
}
