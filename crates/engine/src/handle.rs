//! The name of a thing on a shard: u64 {shard 12, slot 20, generation 32}.

pub const MAX_SHARDS: usize = 1 << 12;
pub(crate) const MAX_SLOTS: usize = 1 << 20;

/// Names one service for its whole life. Its slot may be used again afterwards, but never with the same generation,
/// so that an old handle names nothing instead of somebody else. Zero is never given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle(u64);

impl Handle {
    pub(crate) fn new(shard: usize, slot: usize, generation: u32) -> Self {
        debug_assert!(shard < MAX_SHARDS && slot < MAX_SLOTS && generation > 0);
        Self((shard as u64) << 52 | (slot as u64) << 32 | u64::from(generation))
    }

    /// Any number is accepted: one that names nothing is simply stale.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub const fn to_bits(self) -> u64 {
        self.0
    }

    pub const fn shard(self) -> usize {
        (self.0 >> 52) as usize
    }

    pub(crate) const fn slot(self) -> usize {
        (self.0 >> 32) as usize & (MAX_SLOTS - 1)
    }

    pub(crate) const fn generation(self) -> u32 {
        self.0 as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_parts_do_not_touch_each_other() {
        let handle = Handle::new(MAX_SHARDS - 1, 0, 1);
        assert_eq!((handle.shard(), handle.slot(), handle.generation()), (4095, 0, 1));
        let handle = Handle::new(0, MAX_SLOTS - 1, u32::MAX);
        assert_eq!((handle.shard(), handle.slot(), handle.generation()), (0, (1 << 20) - 1, u32::MAX));
        assert_eq!(Handle::from_bits(handle.to_bits()), handle);
    }
}
