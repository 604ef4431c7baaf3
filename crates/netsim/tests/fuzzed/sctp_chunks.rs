//! SCTP packets as somebody writes them who knows the association and means harm (RFC 9260 §3, RFC 3758, 6525, 8260).

use crate::bytes::Bytes;

pub(crate) const HEADER: usize = 12;
const TYPES: [u8; 22] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 64, 129, 130, 132, 192, 194];
const PPIDS: [u32; 8] = [50, 51, 53, 56, 57, 54, 0, u32::MAX];

/// What was seen on the wire, which is what a liar needs.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The first twelve bytes of what the victim accepts.
    header: Option<[u8; HEADER]>,
    /// The last number of a DATA chunk (RFC 9260 §3.3.1) either way, or the first one to come.
    pub(crate) to_victim: u32,
    pub(crate) from_victim: u32,
    /// The first numbers of both, which the numbers of requests start from (RFC 6525 §4.1).
    first_to_victim: u32,
    first_from_victim: u32,
    cookie: Vec<u8>,
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().unwrap()))
}

/// Of one packet: kind, flags, and the whole chunk.
fn chunks(packet: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = packet.get(HEADER..).unwrap_or_default();
    std::iter::from_fn(move || {
        let len = usize::from(u16::from_be_bytes(rest.get(2..4)?.try_into().unwrap()));
        let chunk = rest.get(..len).filter(|_| len >= 4)?;
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((chunk[0], chunk))
    })
}

impl Seen {
    pub(crate) fn note(&mut self, is_to_victim: bool, packet: &[u8]) {
        for (kind, chunk) in chunks(packet) {
            let number = match kind {
                0 | 64 => word(chunk, 4),
                1 | 2 => word(chunk, 16),
                _ => None,
            };
            if kind == 10 {
                self.cookie = chunk[4..].to_vec();
            }
            let Some(number) = number else { continue };
            let is_first = matches!(kind, 1 | 2);
            match is_to_victim {
                true if is_first => (self.first_to_victim, self.to_victim) = (number, number.wrapping_sub(1)),
                false if is_first => (self.first_from_victim, self.from_victim) = (number, number.wrapping_sub(1)),
                true => self.to_victim = number,
                false => self.from_victim = number,
            }
        }
        // An INIT has no tag yet.
        if is_to_victim && packet.len() >= HEADER && packet[4..8] != [0; 4] {
            self.header = packet[..HEADER].try_into().ok();
        }
    }

    /// A packet with up to three chunks in it.
    pub(crate) fn lie(&self, bytes: &mut Bytes<'_>) -> Vec<u8> {
        let mut packet = self.header.unwrap_or([0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 0]).to_vec();
        for _ in 0..=bytes.byte() % 3 {
            let chunk = self.chunk(bytes);
            packet.extend(chunk);
            packet.resize(packet.len().next_multiple_of(4), 0);
        }
        seal(&mut packet, bytes.byte().is_multiple_of(4));
        packet
    }

    fn chunk(&self, bytes: &mut Bytes<'_>) -> Vec<u8> {
        let near = |bytes: &mut Bytes<'_>, number: u32| match bytes.byte() {
            255 => number.wrapping_add(0x7fff_ffff),
            254 => number.wrapping_add(0x8000_0000),
            253 => 0,
            small => number.wrapping_add_signed(i32::from(small as i8)),
        };
        let flags = bytes.byte();
        let mut body = Vec::new();
        let kind = match bytes.byte() % 12 {
            0 | 1 => {
                body.extend(near(bytes, self.to_victim.wrapping_add(1)).to_be_bytes());
                body.extend(stream(bytes).to_be_bytes());
                body.extend(u16::from(bytes.byte()).to_be_bytes());
                body.extend(bytes.one_of(&PPIDS).to_be_bytes());
                body.extend(payload(bytes));
                0
            }
            2 => {
                body.extend(near(bytes, self.to_victim.wrapping_add(1)).to_be_bytes());
                body.extend(stream(bytes).to_be_bytes());
                body.extend([0, 0]);
                body.extend(u32::from(bytes.byte()).to_be_bytes());
                body.extend(bytes.one_of(&PPIDS).to_be_bytes());
                body.extend(payload(bytes));
                64
            }
            3 | 4 => {
                body.extend(near(bytes, self.from_victim).to_be_bytes());
                body.extend((u32::from(bytes.word()) << (bytes.byte() % 17)).to_be_bytes());
                let (gaps, duplicates) = (u16::from(bytes.byte() % 5), u16::from(bytes.byte() % 3));
                body.extend(gaps.to_be_bytes());
                body.extend(duplicates.to_be_bytes());
                for _ in 0..gaps {
                    body.extend(u16::from(bytes.byte()).to_be_bytes());
                    body.extend(u16::from(bytes.byte()).to_be_bytes());
                }
                for _ in 0..duplicates {
                    body.extend(near(bytes, self.to_victim).to_be_bytes());
                }
                3
            }
            5 => {
                body.extend(near(bytes, self.to_victim).to_be_bytes());
                for _ in 0..bytes.byte() % 4 {
                    body.extend(stream(bytes).to_be_bytes());
                    body.extend(bytes.word().to_be_bytes());
                }
                192
            }
            6 => {
                body.extend(near(bytes, self.to_victim).to_be_bytes());
                for _ in 0..bytes.byte() % 4 {
                    body.extend(stream(bytes).to_be_bytes());
                    body.extend(u16::from(bytes.byte()).to_be_bytes());
                    body.extend(u32::from(bytes.byte()).to_be_bytes());
                }
                194
            }
            7 => {
                for _ in 0..=bytes.byte() % 2 {
                    let parameter = self.request(bytes, near);
                    body.extend(parameter);
                }
                130
            }
            8 => {
                // INIT and INIT ACK.
                body.extend(u32::from(bytes.word()).to_be_bytes());
                body.extend((u32::from(bytes.word()) << (bytes.byte() % 17)).to_be_bytes());
                body.extend(bytes.word().to_be_bytes());
                body.extend(bytes.word().to_be_bytes());
                body.extend(near(bytes, self.first_to_victim).to_be_bytes());
                for _ in 0..bytes.byte() % 4 {
                    let kind = *bytes.one_of(&[7_u16, 0x8008, 0xc000, 0x8001, 5, 11, 0x8003]);
                    body.extend(parameter(kind, bytes.some()));
                }
                1 + (flags & 1)
            }
            9 => {
                body.clone_from(&self.cookie);
                10
            }
            _ => *bytes.one_of(&TYPES),
        };
        if bytes.byte().is_multiple_of(4) {
            body.extend(bytes.some());
        }
        let len = if bytes.byte().is_multiple_of(16) { bytes.word() } else { (body.len() + 4) as u16 };
        let mut chunk = vec![kind, flags];
        chunk.extend(len.to_be_bytes());
        chunk.extend(body);
        chunk
    }

    /// A parameter of RE-CONFIG.
    fn request(&self, bytes: &mut Bytes<'_>, near: impl Fn(&mut Bytes<'_>, u32) -> u32) -> Vec<u8> {
        let mut value = Vec::new();
        let kind = match bytes.byte() % 6 {
            0 | 1 => {
                value.extend(near(bytes, self.first_to_victim).to_be_bytes());
                value.extend(near(bytes, self.first_from_victim).to_be_bytes());
                value.extend(near(bytes, self.to_victim).to_be_bytes());
                for _ in 0..bytes.byte() % 4 {
                    value.extend(stream(bytes).to_be_bytes());
                }
                13
            }
            2 => {
                value.extend(near(bytes, self.first_to_victim).to_be_bytes());
                value.extend(stream(bytes).to_be_bytes());
                14
            }
            3 => {
                value.extend(near(bytes, self.first_from_victim).to_be_bytes());
                value.extend(u32::from(bytes.byte() % 8).to_be_bytes());
                16
            }
            4 => {
                value.extend(near(bytes, self.first_to_victim).to_be_bytes());
                value.extend(bytes.word().to_be_bytes());
                value.extend([0, 0]);
                17
            }
            _ => *bytes.one_of(&[15, 13, 14, 16, 18]),
        };
        if bytes.byte().is_multiple_of(8) {
            value.extend(bytes.some());
        }
        parameter(kind, &value)
    }
}

fn parameter(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut parameter = kind.to_be_bytes().to_vec();
    parameter.extend((value.len() as u16 + 4).to_be_bytes());
    parameter.extend(value);
    parameter.resize(parameter.len().next_multiple_of(4), 0);
    parameter
}

fn stream(bytes: &mut Bytes<'_>) -> u16 {
    match bytes.byte() {
        255 => bytes.word(),
        low => u16::from(low % 6),
    }
}

/// Short, or an OPEN (RFC 8832), or as long as fits.
fn payload(bytes: &mut Bytes<'_>) -> Vec<u8> {
    match bytes.byte() % 4 {
        0 => [&[3, bytes.byte(), 1, 0, 0, 0, 0, 0, 0, 1, 0, 0][..], b"x"].concat(),
        1 => vec![7; usize::from(bytes.word() % 1150)],
        _ => bytes.some().to_vec(),
    }
}

/// Gives the packet its checksum, or none, as both may have agreed (RFC 9653).
pub(crate) fn seal(packet: &mut [u8], is_zero: bool) {
    if packet.len() < HEADER {
        return;
    }
    packet[8..12].fill(0);
    if !is_zero {
        let checksum = crc32c(packet);
        packet[8..12].copy_from_slice(&checksum.to_le_bytes());
    }
}

/// RFC 9260 Appendix A, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0x82f6_3b78 })
    })
}

#[test]
fn a_checksum_is_that_of_rfc_3720() {
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
}
