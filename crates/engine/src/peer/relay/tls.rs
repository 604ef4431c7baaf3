//! One TLS session with a server: records in, bytes out, and back (RFC 8446, RFC 5246).

use std::io::{self, Read, Write};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, Error};

use super::trust::TlsTrust;

pub(super) struct Tls(ClientConnection);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// With a server that can show a certificate for this name or address.
    pub(super) fn new(trust: &TlsTrust, name: &str) -> Result<Self, Error> {
        let name =
            ServerName::try_from(name.to_owned()).map_err(|_| Error::General("no name of a server".to_owned()))?;
        let mut session = ClientConnection::new(trust.0.clone(), name)?;
        // What is sealed is taken at once, and bounded where it waits.
        session.set_buffer_limit(None);
        Ok(Self(session))
    }

    /// Whether the server has shown who it is.
    pub(super) fn is_up(&self) -> bool {
        !self.0.is_handshaking()
    }

    /// Puts what is in these records behind `plain`. False: the server will send no more.
    pub(super) fn open(&mut self, mut sealed: &[u8], plain: &mut Vec<u8>) -> Result<bool, Error> {
        while !sealed.is_empty() {
            let before = (sealed.len(), plain.len());
            // It can only fail when it is given too much at once, and then what is read first makes room.
            let _ = self.0.read_tls(&mut sealed);
            self.0.process_new_packets()?;
            match self.0.reader().read_to_end(plain) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return Ok(false),
            }
            if (sealed.len(), plain.len()) == before {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Seals all of `plain`, which is to be empty before the handshake has ended.
    pub(super) fn seal(&mut self, plain: &[u8]) {
        let _ = self.0.writer().write_all(plain);
    }

    pub(super) fn end(&mut self) {
        self.0.send_close_notify();
    }

    /// Puts what is to be sent behind `out`.
    pub(super) fn take(&mut self, out: &mut Vec<u8>) {
        while self.0.wants_write() {
            if self.0.write_tls(out).is_err() {
                return;
            }
        }
    }
}
