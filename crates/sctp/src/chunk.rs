//! Chunks, read and written (RFC 9260 §3.3, RFC 3758 §3.2, RFC 6525 §3.1, RFC 8260 §2).

use crate::api::Message;

pub(crate) const DATA: u8 = 0;
pub(crate) const INIT: u8 = 1;
pub(crate) const INIT_ACK: u8 = 2;
pub(crate) const SACK: u8 = 3;
pub(crate) const HEARTBEAT: u8 = 4;
pub(crate) const HEARTBEAT_ACK: u8 = 5;
pub(crate) const ABORT: u8 = 6;
pub(crate) const SHUTDOWN: u8 = 7;
pub(crate) const SHUTDOWN_ACK: u8 = 8;
pub(crate) const ERROR: u8 = 9;
pub(crate) const COOKIE_ECHO: u8 = 10;
pub(crate) const COOKIE_ACK: u8 = 11;
pub(crate) const SHUTDOWN_COMPLETE: u8 = 14;
pub(crate) const I_DATA: u8 = 64;
pub(crate) const RE_CONFIG: u8 = 130;
pub(crate) const FORWARD_TSN: u8 = 192;
pub(crate) const I_FORWARD_TSN: u8 = 194;

pub(crate) const HEADER_LEN: usize = 4;
/// Header and fields of a chunk with data, by whether it is an I-DATA.
pub(crate) const fn data_header_len(is_interleaved: bool) -> usize {
    if is_interleaved { 20 } else { 16 }
}

const END: u8 = 1;
const BEGIN: u8 = 2;
const UNORDERED: u8 = 4;
const IMMEDIATE: u8 = 8;

/// A chunk as it stands in a packet; the value without padding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk<'a> {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) value: &'a [u8],
}

/// The chunks of a packet, up to the first that does not fit in it.
pub(crate) fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    std::iter::from_fn(move || {
        let [kind, flags, high, low, ..] = *bytes else { return None };
        let len = usize::from(u16::from_be_bytes([high, low]));
        let value = bytes.get(HEADER_LEN..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(Chunk { kind, flags, value })
    })
}

/// Writes a chunk whose value `write` appends, with its length and padding.
pub(crate) fn put(packet: &mut Vec<u8>, kind: u8, flags: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let start = packet.len();
    packet.extend([kind, flags, 0, 0]);
    write(packet);
    let len = packet.len() - start;
    packet[start + 2..start + 4].copy_from_slice(&(len as u16).to_be_bytes());
    packet.resize(start + len.next_multiple_of(4), 0);
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A piece of a message, DATA or I-DATA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Data<'a> {
    pub(crate) tsn: u32,
    pub(crate) stream: u16,
    /// Which message of the stream: SSN (16 bits) of DATA, MID of I-DATA.
    pub(crate) number: u32,
    /// Which piece of the message, of I-DATA alone; 0 for the first.
    pub(crate) fsn: u32,
    /// Known in the first piece.
    pub(crate) ppid: u32,
    pub(crate) is_unordered: bool,
    pub(crate) is_begin: bool,
    pub(crate) is_end: bool,
    /// The sender wants to hear of it at once (RFC 7053).
    pub(crate) is_immediate: bool,
    pub(crate) payload: &'a [u8],
}

impl<'a> Data<'a> {
    /// `None`: too short, or without a byte of payload.
    pub(crate) fn parse(chunk: Chunk<'a>) -> Option<Self> {
        let is_interleaved = chunk.kind == I_DATA;
        let value = chunk.value;
        let payload =
            value.get(data_header_len(is_interleaved) - HEADER_LEN..).filter(|payload| !payload.is_empty())?;
        let is_begin = chunk.flags & BEGIN != 0;
        let (number, ppid, fsn) = if is_interleaved {
            let either = u32_at(value, 12)?;
            (u32_at(value, 8)?, if is_begin { either } else { 0 }, if is_begin { 0 } else { either })
        } else {
            (u16_at(value, 6)?.into(), u32_at(value, 8)?, 0)
        };
        Some(Self {
            tsn: u32_at(value, 0)?,
            stream: u16_at(value, 4)?,
            number,
            fsn,
            ppid,
            is_unordered: chunk.flags & UNORDERED != 0,
            is_begin,
            is_end: chunk.flags & END != 0,
            is_immediate: chunk.flags & IMMEDIATE != 0,
            payload,
        })
    }

    pub(crate) fn put(&self, packet: &mut Vec<u8>, is_interleaved: bool) {
        let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let flags = flag(self.is_unordered, UNORDERED)
            | flag(self.is_begin, BEGIN)
            | flag(self.is_end, END)
            | flag(self.is_immediate, IMMEDIATE);
        put(packet, if is_interleaved { I_DATA } else { DATA }, flags, |packet| {
            packet.extend(self.tsn.to_be_bytes());
            packet.extend(self.stream.to_be_bytes());
            if is_interleaved {
                packet.extend([0, 0]);
                packet.extend(self.number.to_be_bytes());
                packet.extend(if self.is_begin { self.ppid } else { self.fsn }.to_be_bytes());
            } else {
                packet.extend((self.number as u16).to_be_bytes());
                packet.extend(self.ppid.to_be_bytes());
            }
            packet.extend_from_slice(self.payload);
        });
    }

    pub(crate) fn into_message(self) -> Message {
        Message { stream: self.stream, ppid: self.ppid, payload: self.payload.to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_read_as_it_was_written() {
        for is_interleaved in [false, true] {
            for is_begin in [false, true] {
                let data = Data {
                    tsn: 0xFFFF_FFFF,
                    stream: 7,
                    number: 65_535,
                    fsn: if is_interleaved && !is_begin { 9 } else { 0 },
                    ppid: if is_interleaved && !is_begin { 0 } else { 53 },
                    is_unordered: true,
                    is_begin,
                    is_end: !is_begin,
                    is_immediate: is_begin,
                    payload: b"hello",
                };
                let mut bytes = Vec::new();
                data.put(&mut bytes, is_interleaved);
                assert_eq!(bytes.len() % 4, 0);
                let read: Vec<Chunk<'_>> = chunks(&bytes).collect();
                assert_eq!(read.len(), 1);
                assert_eq!(Data::parse(read[0]), Some(data));
            }
        }
    }

    #[test]
    fn a_chunk_that_is_longer_than_its_packet_ends_it() {
        assert_eq!(chunks(&[SACK, 0, 0, 200, 1, 2]).count(), 0);
        assert_eq!(chunks(&[SACK, 0, 0, 3]).count(), 0, "shorter than its own header");
        assert_eq!(chunks(&[COOKIE_ACK, 0, 0, 4, DATA, 0]).count(), 1);
    }

    #[test]
    fn data_without_a_byte_is_none() {
        assert_eq!(Data::parse(Chunk { kind: DATA, flags: 3, value: &[0; 12] }), None);
        assert_eq!(Data::parse(Chunk { kind: I_DATA, flags: 3, value: &[0; 15] }), None);
    }
}
