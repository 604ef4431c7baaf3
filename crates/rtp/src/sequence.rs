//! Sequence numbers that wrap become numbers that do not (RFC 3550 appendix A.1).

/// The first round begins here, so that what came before the first packet has a number, too.
const FIRST_ROUND: u64 = 1 << 16;

/// Follows one stream of 16-bit numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unwrapper {
    highest: Option<u64>,
}

impl Unwrapper {
    /// The number that is nearest to the highest one so far.
    pub(crate) fn unwrap(&mut self, sequence: u16) -> u64 {
        let number = self.peek(sequence);
        self.highest = Some(self.highest.unwrap_or(number).max(number));
        number
    }

    /// The same, without having seen it.
    pub(crate) fn peek(&self, sequence: u16) -> u64 {
        let Some(highest) = self.highest else { return FIRST_ROUND + u64::from(sequence) };
        let distance = sequence.wrapping_sub(highest as u16).cast_signed();
        highest.saturating_add_signed(distance.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_past_the_wrap_and_late_ones_stay_before_it() {
        let mut unwrapper = Unwrapper::default();
        let first = unwrapper.unwrap(0xfffe);
        assert_eq!(unwrapper.unwrap(0xffff), first + 1);
        assert_eq!(unwrapper.unwrap(1), first + 3);
        assert_eq!(unwrapper.unwrap(0), first + 2);
        assert_eq!(unwrapper.unwrap(0xfffd), first - 1);
        assert_eq!(unwrapper.peek(2), first + 4);
    }

    #[test]
    fn what_came_before_the_first_has_a_number() {
        let mut unwrapper = Unwrapper::default();
        let first = unwrapper.unwrap(0);
        assert_eq!(unwrapper.unwrap(0xffff), first - 1);
        assert_eq!(unwrapper.unwrap(0x8001), first - 0x7fff);
    }
}
