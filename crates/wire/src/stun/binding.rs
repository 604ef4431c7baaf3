//! The server's side of a Binding: which datagrams deserve an answer, and the smallest legal one (RFC 8489 §6.3.1, §12).
//!
//! A server on an open port is a reflector for whoever forges a source address, so it says as little as it may:
//! XOR-MAPPED-ADDRESS alone, 32 bytes for IPv4 and 44 for IPv6, and nothing at all to what is not a clean request.

use std::net::SocketAddr;

use super::attribute::{Attribute, kind};
use super::fingerprint::FingerprintCheck;
use super::header::{Class, Method, TransactionId};
use super::message::{Message, ParseError};
use super::writer::{BufferFull, MessageWriter};

/// No answer is longer than this; a request with more unknown attributes than fit gets the first ones named.
pub const MAX_ANSWER_LEN: usize = 548;

/// Why a datagram gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    Malformed(ParseError),
    /// A response or an indication: answering one could make two servers talk for ever.
    NotARequest,
    /// A method that is not served here.
    OtherMethod,
    WrongFingerprint,
}

/// A clean Binding request, waiting for the address it came from.
#[derive(Debug, Clone, Copy)]
pub struct BindingRequest<'a> {
    message: Message<'a>,
    has_fingerprint: bool,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A success response of this many bytes.
    Success(usize),
    /// Error 420 (Unknown Attribute) of this many bytes.
    UnknownAttributes(usize),
}

impl Answer {
    /// The part of the buffer that was written.
    pub fn bytes<'b>(&self, buffer: &'b [u8; MAX_ANSWER_LEN]) -> &'b [u8] {
        let (Self::Success(len) | Self::UnknownAttributes(len)) = *self;
        &buffer[..len]
    }
}

impl<'a> BindingRequest<'a> {
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Silence> {
        let message = Message::parse(datagram).map_err(Silence::Malformed)?;
        if message.class != Class::Request {
            return Err(Silence::NotARequest);
        }
        if message.method != Method::BINDING {
            return Err(Silence::OtherMethod);
        }
        let has_fingerprint = match message.check_fingerprint() {
            FingerprintCheck::Absent => false,
            FingerprintCheck::Right => true,
            FingerprintCheck::Wrong => return Err(Silence::WrongFingerprint),
        };
        Ok(Self { message, has_fingerprint })
    }

    pub fn transaction(&self) -> TransactionId {
        self.message.transaction
    }

    /// The first attribute of this type, unless it follows an integrity attribute.
    pub fn attribute(&self, kind: u16) -> Option<Attribute<'a>> {
        self.covered().find(|attribute| attribute.kind == kind)
    }

    /// Writes the answer for a client seen at `source`.
    pub fn answer(&self, source: SocketAddr, buffer: &mut [u8; MAX_ANSWER_LEN]) -> Answer {
        self.answer_with(source, &[], buffer, |_| Ok(()))
    }

    /// As [`Self::answer`], for a server that also understands `known`, and adds `body` to a success.
    pub fn answer_with(
        &self,
        source: SocketAddr,
        known: &[u16],
        buffer: &mut [u8; MAX_ANSWER_LEN],
        body: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), BufferFull>,
    ) -> Answer {
        // The buffer holds either answer by construction, so that running out of room is a bug of ours and not an
        // input; the service that calls us survives even that panic.
        if self.unknown_attributes(known).next().is_some() {
            Answer::UnknownAttributes(self.write_unknown_attributes(known, buffer).expect("420 fits"))
        } else {
            Answer::Success(self.write_success(source, buffer, body).expect("a success fits"))
        }
    }

    /// Writes an error with nothing but its code, and says how long it is.
    pub fn refuse(&self, code: u16, buffer: &mut [u8; MAX_ANSWER_LEN]) -> usize {
        self.write_error(code, buffer).expect("an error fits")
    }

    fn write_success(
        &self,
        source: SocketAddr,
        buffer: &mut [u8],
        body: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), BufferFull>,
    ) -> Result<usize, BufferFull> {
        let mut writer = MessageWriter::new(buffer, Class::Success, Method::BINDING, self.message.transaction)?;
        writer.xor_mapped_address(SocketAddr::new(source.ip().to_canonical(), source.port()))?;
        body(&mut writer)?;
        self.finish(writer)
    }

    fn write_unknown_attributes(&self, known: &[u16], buffer: &mut [u8]) -> Result<usize, BufferFull> {
        let mut writer = MessageWriter::new(buffer, Class::Error, Method::BINDING, self.message.transaction)?;
        writer.error_code(420)?.unknown_attributes(self.unknown_attributes(known), FINGERPRINT_LEN)?;
        self.finish(writer)
    }

    fn write_error(&self, code: u16, buffer: &mut [u8]) -> Result<usize, BufferFull> {
        let mut writer = MessageWriter::new(buffer, Class::Error, Method::BINDING, self.message.transaction)?;
        writer.error_code(code)?;
        self.finish(writer)
    }

    /// FINGERPRINT (RFC 8489 §7) only for a client that used it: to the others it would be eight bytes of reflection.
    fn finish(&self, mut writer: MessageWriter<'_>) -> Result<usize, BufferFull> {
        if self.has_fingerprint {
            writer.fingerprint()?;
        }
        Ok(writer.finish())
    }

    /// The comprehension-required types that nobody here knows.
    fn unknown_attributes<'k>(&self, known: &'k [u16]) -> impl Iterator<Item = u16> + use<'a, 'k> {
        let is_known = |kind| KNOWN.contains(&kind) || known.contains(&kind);
        self.covered().filter(move |a| a.is_comprehension_required() && !is_known(a.kind)).map(|a| a.kind)
    }

    /// What follows an integrity attribute is not looked at (RFC 8489 §14.5).
    fn covered(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let integrity = [kind::MESSAGE_INTEGRITY, kind::MESSAGE_INTEGRITY_SHA256];
        self.message.attributes().take_while(move |a| !integrity.contains(&a.kind))
    }
}

const FINGERPRINT_LEN: usize = 8;

/// Understood and, since Binding needs no authentication here, ignored: the credentials of RFC 8489 §9 and what
/// belongs in responses. Not known: CHANGE-REQUEST (RFC 5780), unless the server says so, and the ICE attributes, which
/// mean nothing to a server.
const KNOWN: [u16; 11] = [
    kind::MAPPED_ADDRESS,
    kind::USERNAME,
    kind::MESSAGE_INTEGRITY,
    kind::ERROR_CODE,
    kind::UNKNOWN_ATTRIBUTES,
    kind::REALM,
    kind::NONCE,
    kind::MESSAGE_INTEGRITY_SHA256,
    kind::PASSWORD_ALGORITHM,
    kind::USERHASH,
    kind::XOR_MAPPED_ADDRESS,
];
