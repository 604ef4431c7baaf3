//! FINGERPRINT: a CRC-32 that tells STUN from other traffic on the same port (RFC 8489 §14.7).

use super::attribute::kind;
use super::header::HEADER_LEN;
use super::message::Message;

/// XORed into the CRC so that it differs from the one an enclosing protocol may use ("STUN" in ASCII).
const XOR: u32 = 0x5354_554E;

/// What a received message says about its own FINGERPRINT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FingerprintCheck {
    Absent,
    Right,
    /// Wrong value, wrong length, or not the last attribute.
    Wrong,
}

impl Message<'_> {
    pub fn check_fingerprint(&self) -> FingerprintCheck {
        let Some(found) = self.attribute(kind::FINGERPRINT) else { return FingerprintCheck::Absent };
        let bytes = self.as_bytes();
        let is_last = found.offset + 8 == bytes.len();
        // The length field already counts the FINGERPRINT, just as it did when the sender computed it.
        if is_last && found.value == (crc32(&bytes[..found.offset]) ^ XOR).to_be_bytes() {
            FingerprintCheck::Right
        } else {
            FingerprintCheck::Wrong
        }
    }
}

/// The value for a message whose length field already counts the FINGERPRINT attribute.
pub(super) fn fingerprint_of(message: &[u8]) -> u32 {
    debug_assert!(message.len() >= HEADER_LEN);
    crc32(message) ^ XOR
}

/// CRC-32 of ITU V.42 (the one of Ethernet and zip).
pub fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| crc >> 8 ^ TABLE[usize::from(crc as u8 ^ byte)];
    !bytes.iter().fold(!0, step)
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    #[test]
    fn crc32_has_the_check_value_of_the_catalogue() {
        assert_eq!(super::crc32(b"123456789"), 0xCBF4_3926);
    }
}
