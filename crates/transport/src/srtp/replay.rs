//! Which of the last packets of a source were here before (RFC 3711 §3.3.2).

/// As many as a second of fast video has.
const WINDOW: u64 = 1024;
const WORD: u64 = u64::BITS as u64;

/// A ring of bits, one for each number up to the highest.
#[derive(Debug, Clone)]
pub(super) struct Replay {
    pub(super) highest: u64,
    seen: [u64; (WINDOW / WORD) as usize],
}

/// Why a number is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stale {
    Seen,
    TooOld,
}

impl Replay {
    /// Nothing was here yet; numbers are expected from around this one on.
    pub(super) fn new(highest: u64) -> Self {
        Self { highest, seen: [0; (WINDOW / WORD) as usize] }
    }

    pub(super) fn check(&self, number: u64) -> Result<(), Stale> {
        if number > self.highest {
            Ok(())
        } else if self.highest - number >= WINDOW {
            Err(Stale::TooOld)
        } else if self.seen[word(number)] >> (number % WORD) & 1 != 0 {
            Err(Stale::Seen)
        } else {
            Ok(())
        }
    }

    /// Remembers a number that was checked, and whose packet is authentic.
    pub(super) fn accept(&mut self, number: u64) {
        if number > self.highest {
            if number - self.highest >= WINDOW {
                self.seen.fill(0);
            } else {
                for passed in self.highest + 1..=number {
                    self.seen[word(passed)] &= !(1 << (passed % WORD));
                }
            }
            self.highest = number;
        }
        self.seen[word(number)] |= 1 << (number % WORD);
    }
}

fn word(number: u64) -> usize {
    (number % WINDOW / WORD) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_number_is_taken_once_and_late_ones_not_at_all() {
        let mut replay = Replay::new(5000);
        assert_eq!(replay.check(5000), Ok(()), "the first of all");
        replay.accept(5000);
        assert_eq!(replay.check(5000), Err(Stale::Seen));
        replay.accept(6000);
        assert_eq!(replay.check(5001), Ok(()));
        assert_eq!(replay.check(6000 - WINDOW), Err(Stale::TooOld));
        assert_eq!(replay.check(5000), Err(Stale::Seen), "still in the window");
        replay.accept(20_000);
        assert_eq!(replay.check(19_999), Ok(()), "a leap forgets what it leaves behind");
    }

    proptest! {
        #[test]
        fn it_is_a_set_of_the_last_numbers(steps in prop::collection::vec(-1500..1500_i64, 1..300)) {
            let (mut replay, mut model, mut highest) = (Replay::new(100_000), HashSet::new(), 100_000_u64);
            for step in steps {
                let number = highest.checked_add_signed(step).unwrap();
                let expected = if highest.saturating_sub(number) >= WINDOW {
                    Err(Stale::TooOld)
                } else if model.contains(&number) {
                    Err(Stale::Seen)
                } else {
                    Ok(())
                };
                assert_eq!(replay.check(number), expected);
                if expected.is_ok() {
                    replay.accept(number);
                    model.insert(number);
                    highest = highest.max(number);
                }
            }
        }
    }
}
