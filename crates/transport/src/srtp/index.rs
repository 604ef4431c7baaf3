//! The index of a packet: 48 bits, of which it shows 16 (RFC 3711 §3.3.1).

/// One more, and the key stream would repeat.
pub(super) const LAST_INDEX: u64 = (1 << 48) - 1;

/// The index that is nearest to the highest one seen.
pub(super) fn nearest(highest: u64, sequence: u16) -> u64 {
    let round = highest & !0xffff;
    let candidate = round | u64::from(sequence);
    let shown = highest as u16;
    let index = if sequence > shown && sequence - shown > 0x8000 {
        // Before the wrap; of the very first round there is none before.
        candidate.checked_sub(0x1_0000).unwrap_or(candidate)
    } else if shown > sequence && shown - sequence > 0x8000 {
        candidate + 0x1_0000
    } else {
        candidate
    };
    index & LAST_INDEX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_round_is_taken() {
        assert_eq!(nearest(10, 12), 12);
        assert_eq!(nearest(10, 65_530), 65_530, "there is no round before the first");
        assert_eq!(nearest(65_530, 10), 65_536 + 10);
        assert_eq!(nearest(65_536 + 10, 65_530), 65_530);
        assert_eq!(nearest(3 * 65_536 + 40_000, 39_000), 3 * 65_536 + 39_000);
        assert_eq!(nearest(LAST_INDEX, 0), 0, "there is no round after the last");
    }

    #[test]
    fn whatever_is_less_than_half_a_round_away_is_found() {
        for highest in [100_000_u64, 65_536, 131_071, 1 << 40] {
            for distance in [-32_767_i64, -1, 0, 1, 32_767] {
                let index = highest.checked_add_signed(distance).unwrap();
                assert_eq!(nearest(highest, index as u16), index, "{highest} {distance}");
            }
        }
    }
}
