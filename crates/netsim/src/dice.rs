//! Chance from a seed (xorshift64*): good enough to shuffle packets, and the same on every machine.

use std::time::Duration;

/// A row of numbers that its seed decides.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        // Seeds that differ in one bit begin alike.
        for _ in 0..4 {
            dice.number();
        }
        dice
    }

    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From 0 to `limit - 1`.
    pub fn below(&mut self, limit: u64) -> u64 {
        (self.number() >> 11) % limit.max(1)
    }

    /// True in this share of all throws, 0 to 1.
    pub fn chance(&mut self, share: f64) -> bool {
        // 53 bits, as many as a double has.
        ((self.number() >> 11) as f64) < share * (1_u64 << 53) as f64
    }

    /// From nothing to just below `most`.
    pub fn duration(&mut self, most: Duration) -> Duration {
        Duration::from_nanos(self.below(u64::try_from(most.as_nanos()).unwrap_or(u64::MAX)))
    }

    pub fn one_of<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len() as u64) as usize]
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            bytes.extend(self.number().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same_and_another_one_does_not() {
        let row = |seed| {
            let mut dice = Dice::new(seed);
            (0..8).map(|_| dice.number()).collect::<Vec<_>>()
        };
        assert_eq!(row(7), row(7));
        assert!(row(0).iter().all(|number| *number != 0) && row(0) != row(1));
    }

    #[test]
    fn a_share_is_about_that_share() {
        let mut dice = Dice::new(1);
        let hits = (0..100_000).filter(|_| dice.chance(0.02)).count();
        assert!((1_800..2_200).contains(&hits), "{hits}");
        assert!((0..1000).all(|_| dice.chance(1.0) && !dice.chance(0.0)));
    }
}
