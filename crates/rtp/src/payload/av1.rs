//! AV1 (RTP payload format of the Alliance for Open Media, v1.0.0): open bitstream units without their sizes, cut anywhere.

use super::{Joined, Part};

const CONTINUES: u8 = 0x80;
const IS_CONTINUED: u8 = 0x40;
const COUNT: u8 = 0x30;
const NEW_SEQUENCE: u8 = 0x08;
/// In the first byte of a unit.
const HAS_EXTENSION: u8 = 0x04;
const HAS_SIZE: u8 = 0x02;
const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const TILE_LIST: u8 = 8;
/// What two bytes of LEB128 can say.
const MAX_PIECE: usize = 0x3fff;

/// Of a frame's first packet only its number tells that it is the first; one that goes on with a unit is not.
pub(super) fn part(payload: &[u8], frame: &mut Joined) -> Option<Part> {
    let (&head, mut rest) = payload.split_first()?;
    let count = usize::from((head & COUNT) >> 4);
    let mut elements: Vec<&[u8]> = Vec::new();
    while !rest.is_empty() {
        let is_last = count > 0 && elements.len() + 1 == count;
        let (len, after) = if is_last { (rest.len(), rest) } else { leb128(rest)? };
        let (element, after) = after.split_at_checked(len)?;
        elements.push(element);
        rest = after;
    }
    let continues = head & CONTINUES != 0;
    // A unit that goes on without having begun cannot be told from garbage, nor can one that ends without an end.
    if elements.is_empty() || (count > 0 && elements.len() != count) || continues != frame.open.is_some() {
        return None;
    }
    let last = elements.len() - 1;
    for (place, element) in elements.into_iter().enumerate() {
        let begin = frame.open.take().unwrap_or(frame.bytes.len());
        frame.bytes.extend(element);
        if place == last && head & IS_CONTINUED != 0 {
            frame.open = Some(begin);
        } else {
            end_unit(&mut frame.bytes, begin);
        }
    }
    Some(Part { is_first: continues.then_some(false), is_key: head & NEW_SEQUENCE != 0 && !continues })
}

/// Gives a whole unit its size, which decoders want; what is no unit for them goes.
fn end_unit(bytes: &mut Vec<u8>, begin: usize) {
    let Some(&head) = bytes.get(begin) else { return };
    if is_dropped(head) {
        bytes.truncate(begin);
    } else if head & HAS_SIZE == 0 {
        let header_len = if head & HAS_EXTENSION != 0 { 2 } else { 1 };
        let at = (begin + header_len).min(bytes.len());
        bytes[begin] |= HAS_SIZE;
        let (mut size, mut encoded) = (bytes.len() - at, Vec::with_capacity(4));
        while size > 0x7f {
            encoded.push(0x80 | (size & 0x7f) as u8);
            size >>= 7;
        }
        encoded.push(size as u8);
        bytes.splice(at..at, encoded);
    }
}

fn kind(head: u8) -> u8 {
    head >> 3 & 0x0f
}

/// Packets tell where a frame ends, and tile lists are for large screens (§5).
fn is_dropped(head: u8) -> bool {
    matches!(kind(head), TEMPORAL_DELIMITER | TILE_LIST)
}

/// A number, and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (place, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[place + 1..]));
        }
    }
    None
}

/// A unit as it travels: without its size.
#[derive(Debug, Clone, Copy)]
struct Unit<'f> {
    head: [u8; 2],
    head_len: usize,
    body: &'f [u8],
}

/// The units of a temporal unit in the low-overhead format (AV1 bitstream specification §5.2); what is malformed ends them.
fn units(frame: &[u8]) -> Vec<Unit<'_>> {
    let (mut rest, mut found) = (frame, Vec::new());
    while let Some((&head, mut body)) = rest.split_first() {
        let mut unit = Unit { head: [head & !HAS_SIZE, 0], head_len: 1, body: &[] };
        if head & HAS_EXTENSION != 0 {
            let Some((&extension, after)) = body.split_first() else { break };
            (unit.head[1], unit.head_len, body) = (extension, 2, after);
        }
        (unit.body, rest) = if head & HAS_SIZE == 0 {
            (body, &[][..])
        } else {
            let Some(split) = leb128(body).and_then(|(len, after)| after.split_at_checked(len)) else { break };
            split
        };
        if !is_dropped(head) {
            found.push(unit);
        }
    }
    found
}

/// What is left of a frame.
#[derive(Debug, Clone)]
pub struct Payloads<'f> {
    units: Vec<Unit<'f>>,
    at: usize,
    /// How much of the unit at `at` has gone.
    sent: usize,
    max_len: usize,
    /// A decoder can begin here; said in the first packet.
    new_sequence: u8,
}

impl<'f> Payloads<'f> {
    pub(super) fn new(frame: &'f [u8], max_len: usize) -> Self {
        let units = units(frame);
        let is_new = units.iter().any(|unit| kind(unit.head[0]) == SEQUENCE_HEADER);
        Self { units, at: 0, sent: 0, max_len, new_sequence: if is_new { NEW_SEQUENCE } else { 0 } }
    }

    pub(super) fn write_next(&mut self, packet: &mut Vec<u8>) -> Option<bool> {
        self.units.get(self.at)?;
        let begin = packet.len();
        packet.push(std::mem::take(&mut self.new_sequence) | if self.sent > 0 { CONTINUES } else { 0 });
        while let Some(unit) = self.units.get(self.at) {
            // A length of two bytes, and something.
            let room = self.max_len.saturating_sub(packet.len() - begin + 2);
            if room == 0 {
                break;
            }
            let left = unit.head_len + unit.body.len() - self.sent;
            let len = left.min(room).min(MAX_PIECE);
            if len > 0x7f {
                packet.push(0x80 | (len & 0x7f) as u8);
                packet.push((len >> 7) as u8);
            } else {
                packet.push(len as u8);
            }
            let whole = unit.head[..unit.head_len].iter().chain(unit.body);
            if self.sent < unit.head_len {
                packet.extend(whole.skip(self.sent).take(len));
            } else {
                packet.extend(&unit.body[self.sent - unit.head_len..][..len]);
            }
            if len < left {
                self.sent += len;
                packet[begin] |= IS_CONTINUED;
                return Some(false);
            }
            (self.at, self.sent) = (self.at + 1, 0);
        }
        Some(self.at == self.units.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::payload::{Format, Packetizer};

    fn cut(frame: &[u8], max_len: usize) -> Vec<(Vec<u8>, bool)> {
        let mut payloads = Packetizer::new(Format::Av1).cut(frame, max_len);
        std::iter::from_fn(|| {
            let mut payload = Vec::new();
            payloads.write_next(&mut payload).map(|is_last| (payload, is_last))
        })
        .collect()
    }

    fn joined(payloads: &[(Vec<u8>, bool)]) -> (Vec<u8>, Vec<Part>) {
        let mut frame = Joined::default();
        let parts = payloads.iter().map(|(payload, _)| Format::Av1.part(payload, &mut frame).unwrap()).collect();
        assert_eq!(frame.open, None);
        (frame.bytes, parts)
    }

    #[test]
    fn units_lose_their_size_on_the_way_and_delimiters_stay_here() {
        let frame = b"\x12\0\x0a\x03seq\x32\x04tile";
        let payloads = cut(frame, 100);
        assert_eq!(payloads, [(b"\x08\x04\x08seq\x05\x30tile".to_vec(), true)]);
        let (again, parts) = joined(&payloads);
        assert_eq!(again, frame[2..]);
        assert_eq!(parts, [Part { is_first: None, is_key: true }]);
    }

    #[test]
    fn a_unit_goes_on_in_the_next_packet() {
        let mut frame = b"\x36\x10\x28".to_vec();
        frame.extend(0..40);
        let payloads = cut(&frame, 16);
        assert_eq!(payloads[0].0[..4], *b"\x40\x0d\x34\x10");
        assert_eq!(payloads[1].0[..2], *b"\xc0\x0d");
        assert_eq!(payloads.len(), 4);
        assert_eq!(payloads[3].0[..2], *b"\x80\x03");
        let (again, parts) = joined(&payloads);
        assert_eq!(again, frame);
        assert_eq!(parts[1], Part { is_first: Some(false), is_key: false });
    }

    #[test]
    fn what_browsers_send_is_read_counted_and_not() {
        for payload in
            [&b"\x28\x04\x08seq\x30tile"[..], b"\x08\x04\x08seq\x05\x30tile", b"\x08\x05\x0a\x03seq\x05\x30tile"]
        {
            let (frame, _) = joined(&[(payload.to_vec(), true)]);
            assert_eq!(frame, b"\x0a\x03seq\x32\x04tile", "{payload:?}");
        }
    }

    #[test]
    fn what_is_malformed_is_no_part() {
        for payload in [
            &b""[..],
            b"\0",
            b"\x10",
            b"\x20\x05abc",
            b"\x20\x03abc",
            b"\0\x09a",
            b"\0\xff\xff\xff\xff\x01a",
            b"\x80\x01a",
        ] {
            let mut frame = Joined::default();
            assert_eq!(Format::Av1.part(payload, &mut frame), None, "{payload:?}");
            assert_eq!(frame, Joined::default());
        }
    }

    proptest! {
        #[test]
        fn units_are_joined_as_they_were_cut(
            units in prop::collection::vec((0..16_u8, any::<bool>(), prop::collection::vec(any::<u8>(), 0..400)), 1..8),
            max_len in 16..300_usize,
        ) {
            let (mut frame, mut kept) = (Vec::new(), Vec::new());
            for (kind, has_extension, body) in &units {
                let mut unit = vec![kind << 3 | HAS_SIZE];
                if *has_extension {
                    unit[0] |= HAS_EXTENSION;
                    unit.push(0x28);
                }
                unit.extend(if body.len() > 127 { vec![0x80 | body.len() as u8 & 0x7f, (body.len() >> 7) as u8] } else { vec![body.len() as u8] });
                unit.extend(body);
                frame.extend(&unit);
                if !is_dropped(unit[0]) {
                    kept.extend(&unit);
                }
            }
            let payloads = cut(&frame, max_len);
            assert!(payloads.iter().all(|(payload, _)| payload.len() <= max_len));
            assert_eq!(payloads.iter().filter(|(_, is_last)| *is_last).count(), usize::from(!kept.is_empty()));
            assert_eq!(joined(&payloads).0, kept);
        }
    }
}
