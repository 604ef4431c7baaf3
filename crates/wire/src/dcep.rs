//! The Data Channel Establishment Protocol: OPEN and ACK (RFC 8832 §5).

use std::fmt;

const ACK: u8 = 0x02;
const OPEN: u8 = 0x03;
const OPEN_HEADER_LEN: usize = 12;
const UNORDERED: u8 = 0x80;

/// A message of the protocol; it travels with payload protocol identifier 50.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dcep<'a> {
    Open(Open<'a>),
    Ack,
}

/// DATA_CHANNEL_OPEN: what the other side wants a new channel to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open<'a> {
    pub is_ordered: bool,
    pub reliability: Reliability,
    /// 128 very low, 256 low, 512 medium, 1024 high (RFC 8831 §6.4).
    pub priority: u16,
    pub label: &'a str,
    pub protocol: &'a str,
}

/// When a message that was lost is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reliability {
    /// Never.
    Reliable,
    /// After so many retransmissions.
    MaxRetransmits(u32),
    /// So many milliseconds after it was sent.
    MaxLifetimeMs(u32),
}

/// Why bytes are no message of this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DcepError {
    /// The message ends before its own lengths say.
    Truncated,
    /// There is more than the lengths say.
    TrailingBytes,
    /// Neither OPEN nor ACK.
    UnknownMessage(u8),
    /// A channel type that no document defines.
    UnknownChannelType(u8),
    /// The label or the protocol is not UTF-8.
    NotUtf8,
}

impl fmt::Display for DcepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the message is cut short"),
            Self::TrailingBytes => f.write_str("bytes follow the message"),
            Self::UnknownMessage(kind) => write!(f, "unknown message type {kind:#04x}"),
            Self::UnknownChannelType(kind) => write!(f, "unknown channel type {kind:#04x}"),
            Self::NotUtf8 => f.write_str("the label or the protocol is not UTF-8"),
        }
    }
}

impl std::error::Error for DcepError {}

impl<'a> Dcep<'a> {
    /// Reads one message, which has to fill `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DcepError> {
        match bytes.first() {
            None => Err(DcepError::Truncated),
            Some(&OPEN) => Open::parse(bytes).map(Self::Open),
            Some(&ACK) if bytes.len() == 1 => Ok(Self::Ack),
            Some(&ACK) => Err(DcepError::TrailingBytes),
            Some(&other) => Err(DcepError::UnknownMessage(other)),
        }
    }

    /// The message as bytes; `None` if the label or the protocol is longer than 65,535 bytes.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Ack => Some(vec![ACK]),
            Self::Open(open) => open.to_bytes(),
        }
    }
}

impl<'a> Open<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, DcepError> {
        let header = bytes.first_chunk::<OPEN_HEADER_LEN>().ok_or(DcepError::Truncated)?;
        let value = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        let reliability = match header[1] & !UNORDERED {
            0 => Reliability::Reliable,
            1 => Reliability::MaxRetransmits(value),
            2 => Reliability::MaxLifetimeMs(value),
            _ => return Err(DcepError::UnknownChannelType(header[1])),
        };
        let label_len = usize::from(u16::from_be_bytes([header[8], header[9]]));
        let protocol_len = usize::from(u16::from_be_bytes([header[10], header[11]]));
        let names = &bytes[OPEN_HEADER_LEN..];
        match names.len().cmp(&(label_len + protocol_len)) {
            std::cmp::Ordering::Less => return Err(DcepError::Truncated),
            std::cmp::Ordering::Greater => return Err(DcepError::TrailingBytes),
            std::cmp::Ordering::Equal => {}
        }
        let (label, protocol) = names.split_at(label_len);
        Ok(Self {
            is_ordered: header[1] & UNORDERED == 0,
            reliability,
            priority: u16::from_be_bytes([header[2], header[3]]),
            label: std::str::from_utf8(label).map_err(|_| DcepError::NotUtf8)?,
            protocol: std::str::from_utf8(protocol).map_err(|_| DcepError::NotUtf8)?,
        })
    }

    fn to_bytes(&self) -> Option<Vec<u8>> {
        let label_len = u16::try_from(self.label.len()).ok()?;
        let protocol_len = u16::try_from(self.protocol.len()).ok()?;
        let (kind, value) = match self.reliability {
            Reliability::Reliable => (0, 0),
            Reliability::MaxRetransmits(count) => (1, count),
            Reliability::MaxLifetimeMs(lifetime_ms) => (2, lifetime_ms),
        };
        let mut bytes = Vec::with_capacity(OPEN_HEADER_LEN + self.label.len() + self.protocol.len());
        bytes.extend([OPEN, if self.is_ordered { kind } else { kind | UNORDERED }]);
        bytes.extend(self.priority.to_be_bytes());
        bytes.extend(value.to_be_bytes());
        bytes.extend(label_len.to_be_bytes());
        bytes.extend(protocol_len.to_be_bytes());
        bytes.extend(self.label.as_bytes());
        bytes.extend(self.protocol.as_bytes());
        Some(bytes)
    }
}
