//! Numbers that wrap on the wire (RFC 9260 §1.6), and do not in here.

/// An ordinary number for the first one of a sequence; never so small that one before it would be negative.
pub(crate) fn first(wire: u32) -> u64 {
    1 << 40 | u64::from(wire)
}

/// The number nearest to one that is known.
pub(crate) fn near32(known: u64, wire: u32) -> u64 {
    known.wrapping_add_signed(i64::from(wire.wrapping_sub(known as u32) as i32))
}

/// The same for numbers of 16 bits.
pub(crate) fn near16(known: u64, wire: u16) -> u64 {
    known.wrapping_add_signed(i64::from(wire.wrapping_sub(known as u16) as i16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_where_the_wire_begins_anew() {
        let known = first(u32::MAX - 1);
        assert_eq!(near32(known, u32::MAX), known + 1);
        assert_eq!(near32(known, 3), known + 5);
        assert_eq!(near32(known + 5, u32::MAX), known + 1);
        let known = first(0) + 65_535;
        assert_eq!(near16(known, 0), known + 1);
        assert_eq!(near16(known, 65_000), known - 535);
    }
}
