//! H.264 (RFC 6184), packetization-mode 1: units alone, aggregated (STAP-A) or cut (FU-A).

use super::{Joined, Part, even_len};

const START_CODE: [u8; 4] = [0, 0, 0, 1];
const TYPE: u8 = 0x1f;
const REFERENCE: u8 = 0x60;
const IDR: u8 = 5;
const SEQUENCE_PARAMETERS: u8 = 7;
const PICTURE_PARAMETERS: u8 = 8;
const ACCESS_UNIT_DELIMITER: u8 = 9;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
const BEGINS: u8 = 0x80;
const ENDS: u8 = 0x40;

/// Whether a frame begins is not told: it does where the timestamp changes.
pub(super) fn part(payload: &[u8], frame: &mut Joined) -> Option<Part> {
    let (&head, body) = payload.split_first()?;
    let is_key = match head & TYPE {
        1..=23 => {
            append(payload, &mut frame.bytes);
            is_key(head)
        }
        STAP_A => {
            let is_key = aggregated(body).try_fold(false, |is_key, unit| Some(is_key | is_key_unit(unit?)))?;
            aggregated(body).flatten().for_each(|unit| append(unit, &mut frame.bytes));
            is_key
        }
        FU_A => {
            let (&fragment, piece) = body.split_first()?;
            if piece.is_empty() {
                return None;
            }
            let unit = head & !TYPE | fragment & TYPE;
            if fragment & BEGINS != 0 {
                frame.bytes.extend(START_CODE);
                frame.bytes.push(unit);
            }
            frame.bytes.extend(piece);
            fragment & BEGINS != 0 && is_key(unit)
        }
        _ => return None,
    };
    Some(Part { is_first: None, is_key })
}

fn append(unit: &[u8], frame: &mut Vec<u8>) {
    frame.extend(START_CODE);
    frame.extend(unit);
}

/// A decoder begins with the parameters, or where they are known with a picture that needs no other.
fn is_key(head: u8) -> bool {
    matches!(head & TYPE, IDR | SEQUENCE_PARAMETERS)
}

fn is_key_unit(unit: &[u8]) -> bool {
    unit.first().is_some_and(|head| is_key(*head))
}

/// The units of a STAP-A; `None` for one that is not there.
fn aggregated(body: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = body;
    let mut is_malformed = body.is_empty();
    std::iter::from_fn(move || {
        if is_malformed {
            is_malformed = false;
            rest = &[];
            return Some(None);
        }
        if rest.is_empty() {
            return None;
        }
        let unit = rest.split_first_chunk::<2>().and_then(|(len, after)| {
            let (unit, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
            rest = after;
            (!unit.is_empty()).then_some(unit)
        });
        if unit.is_none() {
            rest = &[];
        }
        Some(unit)
    })
}

/// The units of a byte stream (H.264 annex B), without start codes and the zeros before them.
fn units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = stream;
    // What stands before the first start code is no unit, unless there is none at all.
    if let Some((at, len)) = start_code(rest) {
        rest = &rest[at + len..];
    }
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (end, next) = start_code(rest).map_or((rest.len(), rest.len()), |(at, len)| (at, at + len));
            let unit = &rest[..end];
            rest = &rest[next..];
            let kept = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            if kept > 0 {
                return Some(&unit[..kept]);
            }
        }
        None
    })
}

/// Where the next start code is, and its length.
fn start_code(bytes: &[u8]) -> Option<(usize, usize)> {
    let at = bytes.windows(3).position(|window| window == [0, 0, 1])?;
    Some((at, 3))
}

/// What is left of a frame. The delimiter between frames is not sent: packets tell where they end.
#[derive(Debug, Clone)]
pub struct Payloads<'f> {
    units: Vec<&'f [u8]>,
    at: usize,
    max_len: usize,
    /// Of the unit that is being cut: what is left, and how long the pieces are.
    cut: Option<(&'f [u8], usize)>,
}

impl<'f> Payloads<'f> {
    pub(super) fn new(frame: &'f [u8], max_len: usize) -> Self {
        let units = units(frame).filter(|unit| unit[0] & TYPE != ACCESS_UNIT_DELIMITER).collect();
        Self { units, at: 0, max_len, cut: None }
    }

    pub(super) fn write_next(&mut self, packet: &mut Vec<u8>) -> Option<bool> {
        let unit = *self.units.get(self.at)?;
        if let Some((rest, piece_len)) = self.cut {
            return Some(self.write_piece(packet, unit[0], rest, piece_len, 0));
        }
        if unit.len() > self.max_len {
            let body = &unit[1..];
            let piece_len = even_len(body.len(), self.max_len - 2);
            return Some(self.write_piece(packet, unit[0], body, piece_len, BEGINS));
        }
        let together = self.fitting();
        if together.len() > 1 {
            let importance = together.iter().map(|unit| unit[0] & REFERENCE).max().unwrap_or_default();
            packet.push(importance | STAP_A);
            for unit in together {
                packet.extend((unit.len() as u16).to_be_bytes());
                packet.extend(*unit);
            }
        } else {
            packet.extend(unit);
        }
        self.at += together.len();
        Some(self.at == self.units.len())
    }

    /// Parameters travel with what follows them; other units alone.
    fn fitting(&self) -> &[&'f [u8]] {
        let rest = &self.units[self.at..];
        let mut len = 1;
        let mut count = 0;
        for unit in rest {
            len += 2 + unit.len();
            if len > self.max_len {
                break;
            }
            count += 1;
            if !matches!(unit[0] & TYPE, SEQUENCE_PARAMETERS | PICTURE_PARAMETERS) {
                break;
            }
        }
        &rest[..count.max(1)]
    }

    fn write_piece(&mut self, packet: &mut Vec<u8>, head: u8, rest: &'f [u8], piece_len: usize, begins: u8) -> bool {
        let (piece, rest) = rest.split_at(piece_len.min(rest.len()));
        let ends = if rest.is_empty() { ENDS } else { 0 };
        packet.extend([head & !TYPE | FU_A, begins | ends | head & TYPE]);
        packet.extend(piece);
        self.cut = (!rest.is_empty()).then_some((rest, piece_len));
        self.at += usize::from(rest.is_empty());
        self.at == self.units.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::payload::{Format, Packetizer};

    fn cut(frame: &[u8], max_len: usize) -> Vec<(Vec<u8>, bool)> {
        let mut payloads = Packetizer::new(Format::H264).cut(frame, max_len);
        std::iter::from_fn(|| {
            let mut payload = Vec::new();
            payloads.write_next(&mut payload).map(|is_last| (payload, is_last))
        })
        .collect()
    }

    fn joined(payloads: &[(Vec<u8>, bool)]) -> (Vec<u8>, Vec<bool>) {
        let mut frame = Joined::default();
        let keys = payloads.iter().map(|(payload, _)| Format::H264.part(payload, &mut frame).unwrap().is_key).collect();
        (frame.bytes, keys)
    }

    #[test]
    fn parameters_travel_with_the_picture_if_it_fits() {
        let frame = b"\0\0\0\x01\x09\x10\0\0\0\x01\x67sps\0\0\x01\x68pps\0\0\0\x01\x65idr";
        let payloads = cut(frame, 100);
        assert_eq!(payloads, [(b"\x78\0\x04\x67sps\0\x04\x68pps\0\x04\x65idr".to_vec(), true)]);
        let (frame, keys) = joined(&payloads);
        assert_eq!(frame, b"\0\0\0\x01\x67sps\0\0\0\x01\x68pps\0\0\0\x01\x65idr");
        assert_eq!(keys, [true]);
    }

    #[test]
    fn a_long_unit_is_cut_evenly() {
        let mut frame = b"\0\0\0\x01\x67s\0\0\0\x01\x65".to_vec();
        frame.extend([7; 41]);
        let payloads = cut(&frame, 16);
        assert_eq!(payloads[0], (b"\x67s".to_vec(), false));
        assert_eq!(payloads[1].0[..2], [0x7c, 0x85]);
        assert_eq!(payloads[2].0[..2], [0x7c, 0x05]);
        assert_eq!(payloads[3].0[..2], [0x7c, 0x45]);
        assert_eq!(payloads.iter().map(|(payload, _)| payload.len()).collect::<Vec<_>>(), [2, 16, 16, 15]);
        assert_eq!(payloads.iter().map(|(_, is_last)| *is_last).collect::<Vec<_>>(), [false, false, false, true]);
        let (again, keys) = joined(&payloads);
        assert_eq!(again, frame);
        assert_eq!(keys, [true, true, false, false]);
    }

    #[test]
    fn what_is_malformed_is_no_part() {
        let unknown = [&b"\x1eabc"[..], b"\x18\0\x09", b"\x18\0\0\0", b"\x1c\x85", b"\0abc"];
        for payload in [&b""[..], b"\x18", b"\x18\0\x01\x65\0", b"\x1c"].into_iter().chain(unknown) {
            let mut frame = Joined::default();
            assert_eq!(Format::H264.part(payload, &mut frame), None, "{payload:?}");
            assert_eq!(frame, Joined::default());
        }
    }

    #[test]
    fn a_stream_without_start_codes_is_one_unit_and_zeros_are_none() {
        assert_eq!(cut(b"\x41abc", 100), [(b"\x41abc".to_vec(), true)]);
        assert_eq!(cut(b"\0\0\0\x01\0\0\0\0\0\x01", 100), []);
        assert_eq!(cut(b"", 100), []);
    }

    proptest! {
        #[test]
        fn units_are_joined_as_they_were_cut(
            units in prop::collection::vec((1..=8_u8, prop::collection::vec(1..=255_u8, 0..400)), 1..6),
            max_len in 16..300_usize,
        ) {
            let mut frame = Vec::new();
            for (kind, body) in &units {
                frame.extend(START_CODE);
                frame.push(0x60 | kind);
                frame.extend(body);
            }
            let payloads = cut(&frame, max_len);
            assert!(payloads.iter().all(|(payload, _)| payload.len() <= max_len));
            assert_eq!(payloads.iter().filter(|(_, is_last)| *is_last).count(), 1);
            assert_eq!(joined(&payloads).0, frame);
        }
    }
}
