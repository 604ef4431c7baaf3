//! STUN messages (RFC 8489) and the answer to a Binding request.

mod address;
mod attribute;
pub mod binding;
mod error;
mod fingerprint;
mod header;
mod message;
mod writer;

pub use address::{decode_address, decode_xor_address, encode_address, encode_xor_address, xor_address_len};
pub use attribute::{Attribute, Attributes, kind};
pub use error::ErrorCode;
pub use fingerprint::{FingerprintCheck, crc32};
pub use header::{Class, HEADER_LEN, MAGIC_COOKIE, Method, TransactionId};
pub use message::{Message, ParseError};
pub use writer::{BufferFull, MessageWriter};
