//! One TLS session: records in, bytes out, and back (RFC 8446, RFC 5246).

use std::sync::Arc;

use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus};
use rustls::{Error, ServerConfig};

/// No record is longer (RFC 8446 §5.2), and what is in it is shorter.
pub(crate) const MAX_SEALED_LEN: usize = 17 * 1024;
/// What a record adds to its contents at most: header, nonce, tag.
const SEAL_LEN: usize = 64;
const RECORD_LEN: usize = 16 * 1024;

pub(crate) struct Tls {
    session: UnbufferedServerConnection,
    /// The beginning of a record whose rest has not come.
    partial: Vec<u8>,
}

/// What became of received records.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Opened {
    /// How many bytes they held.
    pub(crate) plain_len: usize,
    /// The client will send no more.
    pub(crate) is_closed: bool,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    pub(crate) fn new(config: Arc<ServerConfig>) -> Result<Self, Error> {
        let session = UnbufferedServerConnection::new(config)?;
        Ok(Self { session, partial: Vec::new() })
    }

    /// What has come and is no whole record; it belongs before what comes next.
    pub(crate) fn partial(&self) -> &[u8] {
        &self.partial
    }

    /// Opens `sealed`, which begins with [`Self::partial`], into `plain`, which is not shorter. What the client has to be
    /// told is put behind `out`, also when it fails.
    pub(crate) fn open(&mut self, sealed: &mut [u8], plain: &mut [u8], out: &mut Vec<u8>) -> Result<Opened, Error> {
        let mut opened = Opened::default();
        let mut at = 0;
        loop {
            let UnbufferedStatus { mut discard, state, .. } = self.session.process_tls_records(&mut sealed[at..]);
            let is_over = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        let end = opened.plain_len + record.payload.len();
                        plain[opened.plain_len..end].copy_from_slice(record.payload);
                        opened.plain_len = end;
                    }
                    false
                }
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => {
                    opened.is_closed = true;
                    true
                }
                Ok(state) => !answer(state, out),
                Err(error) => {
                    self.say_why(out);
                    return Err(error);
                }
            };
            at += discard;
            if is_over {
                break;
            }
        }
        self.partial.clear();
        self.partial.extend_from_slice(&sealed[at..]);
        Ok(opened)
    }

    /// Puts `plain` behind `out` as records. Before the end of the handshake, and after the session's, it is lost.
    pub(crate) fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        loop {
            match self.session.process_tls_records(&mut []).state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    let room = plain.len() + plain.len().div_ceil(RECORD_LEN) * SEAL_LEN;
                    write(out, room, |out| match traffic.encrypt(plain, out) {
                        Ok(len) => Ok(len),
                        Err(EncryptError::InsufficientSize(size)) => Err(Some(size)),
                        Err(EncryptError::EncryptExhausted) => Err(None),
                    });
                    return;
                }
                Ok(state) => {
                    if !answer(state, out) {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// Puts behind `out` that nothing more will be sent.
    pub(crate) fn end(&mut self, out: &mut Vec<u8>) {
        loop {
            match self.session.process_tls_records(&mut []).state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    write(out, SEAL_LEN, |out| match traffic.queue_close_notify(out) {
                        Ok(len) => Ok(len),
                        Err(EncryptError::InsufficientSize(size)) => Err(Some(size)),
                        Err(EncryptError::EncryptExhausted) => Err(None),
                    });
                    return;
                }
                Ok(state) => {
                    if !answer(state, out) {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// The alert that tells the client what was wrong with it.
    fn say_why(&mut self, out: &mut Vec<u8>) {
        while let Ok(state) = self.session.process_tls_records(&mut []).state {
            if !answer(state, out) {
                return;
            }
        }
    }
}

/// Does what a state of the handshake asks for. False: it asks for nothing but more from the client.
fn answer(state: ConnectionState<'_, '_, ServerConnectionData>, out: &mut Vec<u8>) -> bool {
    match state {
        ConnectionState::EncodeTlsData(mut data) => {
            write(out, RECORD_LEN, |out| match data.encode(out) {
                Ok(len) => Ok(len),
                Err(EncodeError::InsufficientSize(size)) => Err(Some(size)),
                Err(EncodeError::AlreadyEncoded) => Err(None),
            });
            true
        }
        // It has been put behind `out`, and will be sent before anything that comes later.
        ConnectionState::TransmitTlsData(data) => {
            data.done();
            true
        }
        _ => false,
    }
}

/// Lets `fill` write behind `out`, where it finds `room` bytes, or as many as it asks for instead.
fn write(
    out: &mut Vec<u8>,
    room: usize,
    mut fill: impl FnMut(&mut [u8]) -> Result<usize, Option<InsufficientSizeError>>,
) {
    let start = out.len();
    out.resize(start + room, 0);
    let mut len = fill(&mut out[start..]);
    if let Err(Some(InsufficientSizeError { required_size })) = len {
        out.resize(start + required_size, 0);
        len = fill(&mut out[start..]);
    }
    out.truncate(start + len.unwrap_or(0));
}
