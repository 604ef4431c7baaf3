//! A STUN message read from one datagram, without copying (RFC 8489 §5, §6.3).

use super::attribute::{Attribute, Attributes};
use super::header::{Class, HEADER_LEN, MAGIC_COOKIE, Method, TransactionId, split_message_type};

/// Why bytes are not a STUN message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseError {
    /// Fewer than 20 bytes.
    TooShort,
    /// One of the two highest bits is set: RTP, DTLS, ChannelData or noise.
    NotStun,
    /// Not the cookie of RFC 5389 and later; RFC 3489 is not served.
    WrongCookie,
    /// The length field is no multiple of four or disagrees with the datagram.
    WrongLength,
    /// The attribute that begins at this offset runs past the end of the message.
    AttributeTooLong { offset: usize },
}

impl core::fmt::Display for ParseError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooShort => f.write_str("shorter than the 20-byte STUN header"),
            Self::NotStun => f.write_str("the two highest bits are not zero"),
            Self::WrongCookie => f.write_str("wrong magic cookie"),
            Self::WrongLength => f.write_str("the length field does not fit the datagram"),
            Self::AttributeTooLong { offset } => write!(f, "the attribute at byte {offset} runs past the end"),
        }
    }
}

impl core::error::Error for ParseError {}

/// A message whose header and attribute lengths hold together. It borrows the datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    pub class: Class,
    pub method: Method,
    pub transaction: TransactionId,
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads exactly one message that fills the whole datagram.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, ParseError> {
        let header = datagram.first_chunk::<HEADER_LEN>().ok_or(ParseError::TooShort)?;
        let bits = u16::from_be_bytes([header[0], header[1]]);
        let (class, method) = split_message_type(bits).ok_or(ParseError::NotStun)?;
        if header[4..8] != MAGIC_COOKIE.to_be_bytes() {
            return Err(ParseError::WrongCookie);
        }
        let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if len % 4 != 0 || HEADER_LEN + len != datagram.len() {
            return Err(ParseError::WrongLength);
        }
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&header[8..]);

        // Walk once here, so that every later walk may trust the lengths.
        let mut attributes = Attributes::of(datagram);
        while attributes.next().is_some() {}
        if !attributes.rest.is_empty() {
            return Err(ParseError::AttributeTooLong { offset: attributes.offset });
        }
        Ok(Self { class, method, transaction: TransactionId(transaction), bytes: datagram })
    }

    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::of(self.bytes)
    }

    /// The first attribute of this type; later ones of the same type are ignored (RFC 8489 §14).
    pub fn attribute(&self, kind: u16) -> Option<Attribute<'a>> {
        self.attributes().find(|attribute| attribute.kind == kind)
    }

    /// What an integrity attribute of this message is computed over: the first four bytes, with a length that ends with
    /// that attribute, and what follows them up to it (RFC 8489 §14.5).
    pub fn covered_by(&self, integrity: &Attribute<'a>) -> ([u8; 4], &'a [u8]) {
        let len = (integrity.offset + 4 + integrity.value.len() - HEADER_LEN) as u16;
        let ([t1, t2], [l1, l2]) = ([self.bytes[0], self.bytes[1]], len.to_be_bytes());
        ([t1, t2, l1, l2], &self.bytes[4..integrity.offset])
    }

    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}
