//! Writes a STUN message into a buffer the caller owns (RFC 8489 §5, §14).

use std::net::SocketAddr;

use super::address::{encode_address, encode_xor_address};
use super::attribute::{kind, padded};
use super::fingerprint::fingerprint_of;
use super::header::{Class, HEADER_LEN, MAGIC_COOKIE, Method, TransactionId, message_type};

/// The buffer, or the 16-bit length field, cannot hold what was asked for. What was written before still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferFull;

impl core::fmt::Display for BufferFull {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the buffer cannot hold the STUN message")
    }
}

impl core::error::Error for BufferFull {}

/// A message under construction. After each call the buffer holds a complete, valid message.
#[derive(Debug)]
pub struct MessageWriter<'b> {
    buffer: &'b mut [u8],
    len: usize,
    transaction: TransactionId,
}

impl<'b> MessageWriter<'b> {
    pub fn new(
        buffer: &'b mut [u8],
        class: Class,
        method: Method,
        transaction: TransactionId,
    ) -> Result<Self, BufferFull> {
        let header = buffer.first_chunk_mut::<HEADER_LEN>().ok_or(BufferFull)?;
        header[..2].copy_from_slice(&message_type(class, method).to_be_bytes());
        header[2..4].fill(0);
        header[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        header[8..].copy_from_slice(&transaction.0);
        Ok(Self { buffer, len: HEADER_LEN, transaction })
    }

    /// Appends an attribute, padded with zeros.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> Result<&mut Self, BufferFull> {
        let room = self.reserve(kind, value.len())?;
        room[..value.len()].copy_from_slice(value);
        room[value.len()..].fill(0);
        Ok(self)
    }

    /// XOR-MAPPED-ADDRESS (RFC 8489 §14.2).
    pub fn xor_mapped_address(&mut self, address: SocketAddr) -> Result<&mut Self, BufferFull> {
        self.xor_address(kind::XOR_MAPPED_ADDRESS, address)
    }

    /// An attribute whose value is an address hidden by XOR.
    pub fn xor_address(&mut self, kind: u16, address: SocketAddr) -> Result<&mut Self, BufferFull> {
        let (value, len) = encode_xor_address(address, self.transaction);
        self.attribute(kind, &value[..len])
    }

    /// An attribute whose value is an address in the clear, in the form of MAPPED-ADDRESS (RFC 8489 §14.1).
    pub fn address(&mut self, kind: u16, address: SocketAddr) -> Result<&mut Self, BufferFull> {
        let (value, len) = encode_address(address);
        self.attribute(kind, &value[..len])
    }

    /// MESSAGE-INTEGRITY or its SHA-256 sister (RFC 8489 §14.5, §14.6): `seal` is given all that stands before it, with a
    /// length that counts it already.
    pub fn integrity<const N: usize>(
        &mut self,
        kind: u16,
        seal: impl FnOnce(&[u8]) -> [u8; N],
    ) -> Result<&mut Self, BufferFull> {
        let end = self.len;
        self.reserve(kind, N)?;
        let value = seal(&self.buffer[..end]);
        self.buffer[end + 4..end + 4 + N].copy_from_slice(&value);
        Ok(self)
    }

    /// ERROR-CODE with an empty reason phrase, the smallest legal one (RFC 8489 §14.8). `code` is 300 to 699.
    pub fn error_code(&mut self, code: u16) -> Result<&mut Self, BufferFull> {
        self.attribute(kind::ERROR_CODE, &[0, 0, (code / 100) as u8, (code % 100) as u8])
    }

    /// UNKNOWN-ATTRIBUTES (RFC 8489 §14.13), as many of the types as the buffer holds while leaving `reserved` bytes.
    pub fn unknown_attributes(
        &mut self,
        kinds: impl Iterator<Item = u16>,
        reserved: usize,
    ) -> Result<&mut Self, BufferFull> {
        let start = self.len + 4;
        let limit = self.buffer.len().saturating_sub(reserved) & !3;
        let mut end = start;
        for kind in kinds {
            if end + 2 > limit {
                break;
            }
            self.buffer[end..end + 2].copy_from_slice(&kind.to_be_bytes());
            end += 2;
        }
        let len = end.checked_sub(start).ok_or(BufferFull)?;
        let room = self.reserve(kind::UNKNOWN_ATTRIBUTES, len)?;
        room[len..].fill(0);
        Ok(self)
    }

    /// FINGERPRINT over all that stands so far (RFC 8489 §14.7). It must be the last attribute.
    pub fn fingerprint(&mut self) -> Result<&mut Self, BufferFull> {
        let end = self.len;
        self.reserve(kind::FINGERPRINT, 4)?;
        let crc = fingerprint_of(&self.buffer[..end]);
        self.buffer[end + 4..end + 8].copy_from_slice(&crc.to_be_bytes());
        Ok(self)
    }

    /// How many bytes of the buffer the message takes.
    pub fn finish(self) -> usize {
        self.len
    }

    /// Writes the attribute header and the message length, and gives the place of value and padding.
    fn reserve(&mut self, kind: u16, value_len: usize) -> Result<&mut [u8], BufferFull> {
        let end = self.len + 4 + padded(value_len);
        let value_len = u16::try_from(value_len).map_err(|_| BufferFull)?;
        let message_len = u16::try_from(end - HEADER_LEN).map_err(|_| BufferFull)?;
        let room = self.buffer.get_mut(self.len..end).ok_or(BufferFull)?;
        room[..2].copy_from_slice(&kind.to_be_bytes());
        room[2..4].copy_from_slice(&value_len.to_be_bytes());
        self.buffer[2..4].copy_from_slice(&message_len.to_be_bytes());
        let value = self.len + 4..end;
        self.len = end;
        Ok(&mut self.buffer[value])
    }
}
