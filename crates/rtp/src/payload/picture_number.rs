//! Which picture a packet is of, in 7 bits or 15, as VP8 and VP9 have it (RFC 7741 §4.2, RFC 9628 §4.2).

const IS_LONG: u8 = 0x80;

/// Numbers those that we send: a receiver sees by them that a whole one is missing.
#[derive(Debug, Clone, Default)]
pub struct PictureNumbers {
    next: u16,
}

impl PictureNumbers {
    /// As it is written.
    pub(super) fn next(&mut self) -> [u8; 2] {
        let number = self.next;
        self.next = (number + 1) & 0x7fff;
        [IS_LONG | (number >> 8) as u8, number as u8]
    }
}

/// What stands behind the number.
pub(super) fn after(bytes: &[u8]) -> Option<&[u8]> {
    let is_long = bytes.first()? & IS_LONG != 0;
    bytes.get(if is_long { 2 } else { 1 }..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_round_in_15_bits() {
        let mut numbers = PictureNumbers { next: 0x7fff };
        assert_eq!((numbers.next(), numbers.next()), ([0xff, 0xff], [0x80, 0]));
    }

    #[test]
    fn a_number_has_one_byte_or_two() {
        assert_eq!(after(&[0x7f, 1]), Some(&[1][..]));
        assert_eq!(after(&[0x80, 1]), Some(&[][..]));
        assert_eq!((after(&[0x80]), after(&[])), (None, None));
    }
}
