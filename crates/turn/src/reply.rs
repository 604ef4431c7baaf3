//! Answers: as short as the RFC allows, sealed as the client's request was.

use aws_lc_rs::hmac;
use peerline_wire::stun::{BufferFull, Class, MessageWriter, Method, TransactionId, kind};

use crate::auth::{ALGORITHMS, Authenticated, features, make_nonce};
use crate::credentials::LongTermKey;
use crate::nonce::{NonceKeys, PASSWORD_ALGORITHMS};
use crate::request::{Integrity, Request};
use crate::settings::Settings;
use crate::tuple::FiveTuple;

/// No answer is longer; the buffer is cut to what was written.
const MAX_LEN: usize = 1280;
/// Whoever forges a source address gets at most so many tenths of its packet sent to its victim.
const MAX_GROWTH_TENTHS: usize = 36;
/// Shorter than the shortest Allocate; with a short answer to it one could talk a client out of the better algorithm.
const MIN_CHALLENGED_LEN: usize = 28;

/// By what an answer shows that it is from us.
#[derive(Clone, Copy)]
pub(crate) struct Seal<'a> {
    pub(crate) key: &'a LongTermKey,
    pub(crate) integrity: Integrity,
}

impl<'a> From<&'a Authenticated> for Seal<'a> {
    fn from(client: &'a Authenticated) -> Self {
        Self { key: &client.key, integrity: client.integrity }
    }
}

/// To which request an answer belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    method: Method,
    transaction: TransactionId,
    has_fingerprint: bool,
}

impl From<&Request<'_>> for Asked {
    fn from(request: &Request<'_>) -> Self {
        let Request { has_fingerprint, .. } = *request;
        Self { method: request.method(), transaction: request.transaction(), has_fingerprint }
    }
}

/// Writes an answer; `body` adds its attributes.
pub(crate) fn write(
    reply: &mut Vec<u8>,
    asked: impl Into<Asked>,
    class: Class,
    seal: Option<Seal<'_>>,
    body: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), BufferFull>,
) {
    reply.resize(MAX_LEN, 0);
    // What does not fit is a bug of ours, and silence is the answer that harms nobody.
    let len = try_write(reply, asked.into(), class, seal, body).unwrap_or(0);
    reply.truncate(len);
}

fn try_write(
    buffer: &mut [u8],
    asked: Asked,
    class: Class,
    seal: Option<Seal<'_>>,
    body: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), BufferFull>,
) -> Result<usize, BufferFull> {
    let mut writer = MessageWriter::new(buffer, class, asked.method, asked.transaction)?;
    body(&mut writer)?;
    if let Some(Seal { key, integrity }) = seal {
        let sign = |bytes: &[u8]| hmac::sign(&integrity.key(key), bytes);
        match integrity {
            Integrity::Sha1 => writer.integrity::<20>(integrity.kind(), |bytes| first(sign(bytes).as_ref()))?,
            Integrity::Sha256 => writer.integrity::<32>(integrity.kind(), |bytes| first(sign(bytes).as_ref()))?,
        };
    }
    if asked.has_fingerprint {
        writer.fingerprint()?;
    }
    Ok(writer.finish())
}

fn first<const N: usize>(tag: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&tag[..N]);
    bytes
}

/// An error with nothing but its code.
pub(crate) fn error(reply: &mut Vec<u8>, asked: impl Into<Asked>, code: u16, seal: Option<Seal<'_>>) {
    write(reply, asked, Class::Error, seal, |writer| writer.error_code(code).map(drop));
}

/// 420 with what was not understood.
pub(crate) fn unknown_attributes(reply: &mut Vec<u8>, request: &Request<'_>, kinds: &[u16], seal: Option<Seal<'_>>) {
    write(reply, request, Class::Error, seal, |writer| {
        writer.error_code(420)?.unknown_attributes(kinds.iter().copied(), 64).map(drop)
    });
}

/// 401 or 438 with what the client needs to try again: the algorithms too if its request is long enough for such an
/// answer, else only what RFC 5389 knows, else a bare 400. All that real clients send is long enough, unless the realm
/// is very long.
pub(crate) fn challenge(
    reply: &mut Vec<u8>,
    request: &Request<'_>,
    code: u16,
    settings: &Settings,
    keys: &NonceKeys,
    tuple: &FiveTuple,
    unix_s: u64,
) {
    for features in [features(settings), 0] {
        let nonce = make_nonce(settings, keys, tuple, unix_s, features);
        write(reply, request, Class::Error, None, |writer| {
            writer
                .error_code(code)?
                .attribute(kind::REALM, settings.realm.as_bytes())?
                .attribute(kind::NONCE, &nonce)?;
            if features & PASSWORD_ALGORITHMS != 0 {
                writer.attribute(kind::PASSWORD_ALGORITHMS, &ALGORITHMS)?;
            }
            Ok(())
        });
        if reply.len() * 10 <= request.len() * MAX_GROWTH_TENTHS && request.len() >= MIN_CHALLENGED_LEN {
            return;
        }
    }
    error(reply, request, 400, None);
}
