//! What a datagram of a peer connection is, by its first bytes (RFC 7983, RFC 5761 §4).

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Stun,
    Dtls,
    /// ChannelData of a TURN connection.
    TurnChannel,
    Rtp,
    Rtcp,
    /// Nothing that a peer connection carries.
    Unknown,
}

impl Protocol {
    pub fn of(datagram: &[u8]) -> Self {
        match datagram {
            [0..=3, ..] => Self::Stun,
            [20..=63, ..] => Self::Dtls,
            [64..=79, ..] => Self::TurnChannel,
            // RTCP packet types 192 to 223 lie where RTP has payload types 64 to 95, which nobody uses with it.
            [128..=191, 192..=223, ..] => Self::Rtcp,
            [128..=191, _, ..] => Self::Rtp,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_decides_and_rtcp_is_known_by_the_second() {
        for (first, expected) in [
            (0, Protocol::Stun),
            (3, Protocol::Stun),
            (4, Protocol::Unknown),
            (19, Protocol::Unknown),
            (20, Protocol::Dtls),
            (63, Protocol::Dtls),
            (64, Protocol::TurnChannel),
            (79, Protocol::TurnChannel),
            (80, Protocol::Unknown),
            (127, Protocol::Unknown),
            (128, Protocol::Rtp),
            (191, Protocol::Rtp),
            (192, Protocol::Unknown),
        ] {
            assert_eq!(Protocol::of(&[first, 0]), expected, "{first}");
        }
        assert_eq!(Protocol::of(&[128, 200]), Protocol::Rtcp);
        assert_eq!(Protocol::of(&[128, 224]), Protocol::Rtp);
        assert_eq!(Protocol::of(&[128]), Protocol::Unknown);
        assert_eq!(Protocol::of(&[]), Protocol::Unknown);
    }
}
