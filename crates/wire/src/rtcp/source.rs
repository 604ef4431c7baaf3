//! Who a source is, and that it leaves: SDES and BYE (RFC 3550 §6.5, §6.6).

use super::{append, kind, number};

const CNAME: u8 = 1;

/// The CNAME of each source; what is cut short ends them.
pub(super) fn names(count: u8, body: &[u8]) -> Vec<(u32, &[u8])> {
    let mut found = Vec::new();
    let mut at = 0;
    for _ in 0..count {
        let Some(ssrc) = body.get(at..).and_then(number) else { break };
        at += 4;
        loop {
            match body.get(at..) {
                Some(&[0, ..]) => break,
                Some(&[item, len, ref rest @ ..]) if usize::from(len) <= rest.len() => {
                    if item == CNAME && found.last().is_none_or(|(last, _)| *last != ssrc) {
                        found.push((ssrc, &rest[..usize::from(len)]));
                    }
                    at += 2 + usize::from(len);
                }
                _ => return found,
            }
        }
        // The items end with at least one zero, and with a whole word.
        at = (at + 1).next_multiple_of(4);
    }
    found
}

/// Appends the name that all sources of one person share (RFC 3550 §6.5.1, RFC 7022); of it 255 bytes.
pub fn write_cname(compound: &mut Vec<u8>, ssrc: u32, name: &str) {
    let name = &name.as_bytes()[..name.len().min(255)];
    append(compound, kind::SOURCE_DESCRIPTION, 1, |packet| {
        packet.extend(ssrc.to_be_bytes());
        packet.extend([CNAME, name.len() as u8]);
        packet.extend(name);
        packet.push(0);
    });
}

/// Sources that send no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bye<'a> {
    sources: &'a [u8],
    /// For people; mostly empty.
    pub reason: &'a [u8],
}

impl<'a> Bye<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        let (sources, rest) = body.split_at_checked(4 * usize::from(count))?;
        let reason = match rest {
            [len, text @ ..] => text.get(..usize::from(*len)).unwrap_or_default(),
            [] => &[],
        };
        Some(Self { sources, reason })
    }

    pub fn sources(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.sources.chunks_exact(4).map(|ssrc| number(ssrc).unwrap_or_default())
    }
}

/// Appends a farewell of the first 31 sources.
pub fn write_bye(compound: &mut Vec<u8>, sources: &[u32]) {
    let sources = &sources[..sources.len().min(31)];
    append(compound, kind::BYE, sources.len() as u8, |packet| {
        sources.iter().for_each(|ssrc| packet.extend(ssrc.to_be_bytes()));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::{Rtcp, packets};

    #[test]
    fn names_of_every_length_are_read_as_written() {
        for len in 0..300 {
            let name = "n".repeat(len);
            let mut bytes = Vec::new();
            write_cname(&mut bytes, 7, &name);
            assert_eq!(bytes.len() % 4, 0);
            let read: Vec<_> = packets(&bytes).collect();
            assert_eq!(read, [Rtcp::SourceDescription(vec![(7, &name.as_bytes()[..len.min(255)])])], "{len}");
        }
    }

    #[test]
    fn other_items_are_passed_over_and_lies_end_them() {
        let body = b"\0\0\0\x01\x02\x03Ann\x01\x01a\x01\x01b\0\0\0\0\x02\x01\x02bb\0\0\0\0\0\0\0\x03\x01\xff";
        assert_eq!(names(3, body), [(1, &b"a"[..]), (2, b"bb")]);
        assert_eq!(names(1, b"\0\0"), []);
    }

    #[test]
    fn who_leaves_is_named_with_or_without_a_reason() {
        let mut bytes = Vec::new();
        write_bye(&mut bytes, &[1, 2]);
        let bye = |bytes: &[u8]| match packets(bytes).next() {
            Some(Rtcp::Bye(bye)) => (bye.sources().collect::<Vec<_>>(), bye.reason.to_vec()),
            other => panic!("{other:?}"),
        };
        assert_eq!(bye(&bytes), (vec![1, 2], vec![]));
        assert_eq!(bye(b"\x81\xcb\0\x02\0\0\0\x09\x03out"), (vec![9], b"out".to_vec()));
        assert_eq!(bye(b"\x81\xcb\0\x02\0\0\0\x09\xffout"), (vec![9], vec![]));
        assert_eq!(packets(b"\x82\xcb\0\x01\0\0\0\x09").count(), 0);
    }
}
