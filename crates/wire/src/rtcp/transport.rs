//! When each packet of a transport arrived (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).

use super::{append, format, kind};

/// Arrival times are told in steps of this many microseconds.
const TICK_US: i64 = 250;
/// And count from a reference in steps of this many.
const REFERENCE_US: i64 = 64_000;
const HEADER_LEN: usize = 8;
/// The most that one packet tells of: what follows in 16 bits.
const MAX_PACKETS: usize = u16::MAX as usize;
const LONGEST_RUN: usize = 0x1fff;
const SMALL: u8 = 1;
const LARGE: u8 = 2;

/// Which of the packets from `first_sequence` on arrived, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportFeedback<'a> {
    pub sender: u32,
    pub media: u32,
    pub first_sequence: u16,
    pub packet_count: u16,
    /// In microseconds of the receiver's clock, the same again every 12.4 days.
    pub reference_us: i64,
    /// One more with each feedback packet: a gap is one that was lost.
    pub number: u8,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

impl<'a> TransportFeedback<'a> {
    pub(super) fn parse(sender: u32, media: u32, body: &'a [u8]) -> Option<Self> {
        let (head, rest) = body.split_first_chunk::<HEADER_LEN>()?;
        let packet_count = u16::from_be_bytes([head[2], head[3]]);
        // A signed number of 24 bits.
        let reference = i32::from_be_bytes([head[4], head[5], head[6], 0]) >> 8;
        // Chunks are as many as the count needs; the deltas stand behind them.
        let mut told = 0;
        let mut chunks_len = 0;
        while told < usize::from(packet_count) {
            let chunk = rest.get(chunks_len..)?.first_chunk::<2>()?;
            // A run of none would tell of nothing for ever.
            told += Some(Chunk::parse(*chunk).len()).filter(|len| *len > 0)?;
            chunks_len += 2;
        }
        let (chunks, deltas) = rest.split_at(chunks_len);
        let feedback = Self {
            sender,
            media,
            first_sequence: u16::from_be_bytes([head[0], head[1]]),
            packet_count,
            reference_us: i64::from(reference) * REFERENCE_US,
            number: head[7],
            chunks,
            deltas,
        };
        let needed: usize = feedback.symbols().map(usize::from).sum();
        (needed <= deltas.len()).then_some(feedback)
    }

    /// Each packet: its number, and when it arrived, if it did, in microseconds of the receiver's clock.
    pub fn arrivals(&self) -> Arrivals<'a, impl Iterator<Item = u8> + use<'a>> {
        Arrivals {
            symbols: self.symbols(),
            deltas: self.deltas,
            sequence: self.first_sequence,
            at_us: self.reference_us,
        }
    }

    /// How many bytes of delta each packet has: none if it did not arrive.
    fn symbols(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.chunks
            .chunks_exact(2)
            .flat_map(|chunk| Chunk::parse([chunk[0], chunk[1]]).symbols())
            .take(usize::from(self.packet_count))
    }
}

/// See [`TransportFeedback::arrivals`].
#[derive(Debug, Clone)]
pub struct Arrivals<'a, S> {
    symbols: S,
    deltas: &'a [u8],
    sequence: u16,
    at_us: i64,
}

impl<S: Iterator<Item = u8>> Iterator for Arrivals<'_, S> {
    type Item = (u16, Option<i64>);

    fn next(&mut self) -> Option<Self::Item> {
        let symbol = self.symbols.next()?;
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let delta = match (symbol, self.deltas) {
            (SMALL, [delta, rest @ ..]) => {
                self.deltas = rest;
                i64::from(*delta)
            }
            (LARGE, [d1, d2, rest @ ..]) => {
                self.deltas = rest;
                i64::from(i16::from_be_bytes([*d1, *d2]))
            }
            _ => return Some((sequence, None)),
        };
        self.at_us += delta * TICK_US;
        Some((sequence, Some(self.at_us)))
    }
}

/// 16 bits that tell of several packets.
#[derive(Debug, Clone, Copy)]
enum Chunk {
    /// So many of one kind.
    Run { symbol: u8, len: u16 },
    /// Fourteen of one bit or seven of two, the first in the highest bits.
    Vector { bits: u16, width: u8 },
}

impl Chunk {
    fn parse(bytes: [u8; 2]) -> Self {
        let bits = u16::from_be_bytes(bytes);
        match bits >> 14 {
            0 | 1 => Self::Run { symbol: delta_len((bits >> 13 & 3) as u8), len: bits & 0x1fff },
            2 => Self::Vector { bits, width: 1 },
            _ => Self::Vector { bits, width: 2 },
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Run { len, .. } => usize::from(len),
            Self::Vector { width, .. } => 14 / usize::from(width),
        }
    }

    fn symbols(self) -> impl Iterator<Item = u8> {
        (0..self.len()).map(move |place| match self {
            Self::Run { symbol, .. } => symbol,
            Self::Vector { bits, width } => {
                let shift = 14 - usize::from(width) * (place + 1);
                delta_len((bits >> shift) as u8 & if width == 1 { 1 } else { 3 })
            }
        })
    }
}

/// 3 is reserved: such a packet has no delta.
fn delta_len(symbol: u8) -> u8 {
    if symbol <= LARGE { symbol } else { 0 }
}

/// Appends what is known of packets from `first_sequence` on: for each when it arrived, in microseconds of a clock of
/// ours, or that it did not. Returns how many it could tell of: where two arrived more than 8 seconds apart, another feedback has to go on.
pub fn write_transport_feedback(
    compound: &mut Vec<u8>,
    sender: u32,
    media: u32,
    number: u8,
    first_sequence: u16,
    arrivals: &[Option<i64>],
) -> usize {
    let reference = arrivals.iter().flatten().next().copied().unwrap_or(0).div_euclid(REFERENCE_US);
    let mut at = reference * REFERENCE_US / TICK_US;
    let mut symbols = Vec::with_capacity(arrivals.len());
    let mut deltas = Vec::with_capacity(arrivals.len());
    for arrival in arrivals.iter().take(MAX_PACKETS) {
        let Some(arrived_us) = arrival else {
            symbols.push(0);
            continue;
        };
        let delta = arrived_us.div_euclid(TICK_US) - at;
        if let Ok(delta) = u8::try_from(delta) {
            symbols.push(SMALL);
            deltas.push(delta);
        } else if let Ok(delta) = i16::try_from(delta) {
            symbols.push(LARGE);
            deltas.extend(delta.to_be_bytes());
        } else {
            break;
        }
        at += delta;
    }
    append(compound, kind::TRANSPORT_FEEDBACK, format::TRANSPORT_WIDE, |packet| {
        packet.extend(sender.to_be_bytes());
        packet.extend(media.to_be_bytes());
        packet.extend(first_sequence.to_be_bytes());
        packet.extend((symbols.len() as u16).to_be_bytes());
        packet.extend(&(reference as u32).to_be_bytes()[1..]);
        packet.push(number);
        write_chunks(packet, &symbols);
        packet.extend(&deltas);
    });
    symbols.len()
}

/// A run where it tells of more than a vector would.
fn write_chunks(packet: &mut Vec<u8>, symbols: &[u8]) {
    let mut rest = symbols;
    while let [first, ..] = rest {
        let run = rest.iter().take(LONGEST_RUN).take_while(|symbol| *symbol == first).count();
        let narrow = rest.iter().take(14).take_while(|symbol| **symbol <= SMALL).count();
        let (bits, told) = if run >= 14 || run == rest.len() || (run >= 7 && run >= narrow) {
            (u16::from(*first) << 13 | run as u16, run)
        } else if narrow == 14 || narrow == rest.len() {
            (vector(rest, 1), narrow)
        } else {
            (vector(rest, 2), rest.len().min(7))
        };
        packet.extend(bits.to_be_bytes());
        rest = &rest[told..];
    }
}

fn vector(symbols: &[u8], width: usize) -> u16 {
    let head = if width == 1 { 0x8000 } else { 0xc000 };
    symbols
        .iter()
        .take(14 / width)
        .enumerate()
        .fold(head, |bits, (place, symbol)| bits | u16::from(*symbol) << (14 - width * (place + 1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rtcp::{Rtcp, packets};

    type Told = Vec<(u16, Option<i64>)>;

    fn read(bytes: &[u8]) -> Option<(u8, Told)> {
        packets(bytes).find_map(|packet| match packet {
            Rtcp::TransportFeedback(feedback) => Some((feedback.number, feedback.arrivals().collect())),
            _ => None,
        })
    }

    fn written(first: u16, arrivals: &[Option<i64>]) -> (Vec<u8>, usize) {
        let mut bytes = Vec::new();
        let told = write_transport_feedback(&mut bytes, 1, 2, 3, first, arrivals);
        (bytes, told)
    }

    #[test]
    fn a_run_is_one_chunk_and_the_time_counts_from_the_reference() {
        let arrivals: Vec<_> = (0..20).map(|step| Some(64_000 + step * 1_000)).collect();
        let (bytes, told) = written(0xfffe, &arrivals);
        assert_eq!(told, 20);
        let head = b"\x8f\xcd\0\x0a\0\0\0\x01\0\0\0\x02\xff\xfe\0\x14\0\0\x01\x03\x20\x14\0\x04\x04";
        assert_eq!(bytes[..head.len()], *head);
        let (number, read) = read(&bytes).unwrap();
        assert_eq!((number, read[0], read[2]), (3, (0xfffe, Some(64_000)), (0, Some(66_000))));
    }

    #[test]
    fn vectors_of_both_widths_are_read() {
        // One bit: the draft's own example; two bits: not received, small, large, small …
        let one = b"\x8f\xcd\0\x07\0\0\0\x01\0\0\0\x02\0\x05\0\x0e\xff\xff\xff\x09\x9f\x1c\0\0\0\0\0\0\0\0\0\0";
        assert_eq!(read(one).map(|(_, arrivals)| arrivals.len()), Some(14));
        let arrived = read(one).unwrap().1.iter().filter(|(_, at)| *at == Some(-64_000)).count();
        assert_eq!(arrived, 8, "the clock may be below zero");
        let two = b"\x8f\xcd\0\x06\0\0\0\x01\0\0\0\x02\0\x05\0\x04\0\0\0\x09\xc6\x40\x04\xff\xfc\x08\0\0";
        let arrivals = read(two).unwrap().1;
        assert_eq!(arrivals, [(5, None), (6, Some(1_000)), (7, Some(0)), (8, Some(2_000))]);
    }

    #[test]
    fn what_lies_about_its_length_is_no_feedback() {
        let (bytes, _) = written(7, &[Some(0), None, Some(100_000)]);
        assert!(read(&bytes).is_some());
        let short = |count: u8| {
            let mut bytes = bytes.clone();
            bytes[15] = count;
            read(&bytes)
        };
        assert_eq!(short(200), None);
        assert_eq!(read(b"\x8f\xcd\0\x05\0\0\0\x01\0\0\0\x02\0\x05\xff\xff\0\0\0\x09\0\0\0\0"), None, "runs of none");
    }

    #[test]
    fn what_arrived_too_far_apart_is_told_in_another_one() {
        let arrivals = [Some(0), None, Some(8_000_000), Some(16_500_000), None];
        let (bytes, told) = written(0, &arrivals);
        assert_eq!(told, 3);
        assert_eq!(read(&bytes).unwrap().1.last(), Some(&(2, Some(8_000_000))));
        assert_eq!(written(3, &arrivals[3..]).1, 2);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            first: u16, begin in -1_000_000_000..1_000_000_000_i64,
            steps in prop::collection::vec((0..10_u8, -20_000..200_000_i64, 1..30_usize), 0..60),
        ) {
            let mut arrivals = Vec::new();
            let mut at = begin;
            for (kind, step, len) in steps {
                for _ in 0..len {
                    at += if kind < 5 { 1_000 } else { step };
                    arrivals.push((kind > 1).then_some(at));
                }
            }
            let (bytes, told) = written(first, &arrivals);
            assert_eq!((told, bytes.len() % 4), (arrivals.len(), 0));
            let (_, read) = read(&bytes).unwrap();
            assert_eq!(read.len(), arrivals.len());
            for (place, ((sequence, read), arrival)) in read.iter().zip(&arrivals).enumerate() {
                assert_eq!(*sequence, first.wrapping_add(place as u16));
                assert_eq!(*read, arrival.map(|at| at.div_euclid(TICK_US) * TICK_US));
            }
        }
    }
}
