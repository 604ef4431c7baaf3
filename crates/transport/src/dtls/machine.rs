//! The DTLS connection as a machine (RFC 6347, RFC 9147, RFC 8827 §6.5).

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use dimpl::{Error, Output, ProtocolVersion, UnexpectedMessageError};

use super::certificate::Certificate;
use super::config::config;
use super::event::{DtlsEvent, DtlsFailure, NotConnected, SrtpKeys};
use super::fingerprint::{Fingerprint, is_announced};
use super::settings::{DtlsRole, DtlsSettings, Versions};

/// While a piece of the peer's flight is missing, dimpl wants to acknowledge the others again and again, at once: an endless
/// row of packets for one that was lost. This lies between two of them.
const ACK_PAUSE: Duration = Duration::from_millis(100);
/// Largest plaintext of a record (RFC 8446 §5.1).
const MAX_RECORD: usize = 16 * 1024;

/// There is no fingerprint of a hash that is taken; nobody could be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoUsableFingerprint;

impl fmt::Display for NoUsableFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("without a fingerprint of the peer's certificate no peer can be trusted")
    }
}

impl std::error::Error for NoUsableFingerprint {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    Connected,
    Over,
}

/// A DTLS connection. Nothing it received is shown before the peer's certificate was found among the fingerprints.
#[derive(Debug)]
pub struct Dtls {
    inner: dimpl::Dtls,
    state: State,
    role: DtlsRole,
    fingerprints: Vec<Fingerprint>,
    /// Set when it was found to be the announced one.
    peer_certificate: Option<Vec<u8>>,
    srtp: Option<SrtpKeys>,
    is_handshake_done: bool,
    due: Option<Instant>,
    packets: VecDeque<Vec<u8>>,
    events: VecDeque<DtlsEvent>,
}

impl Dtls {
    /// `fingerprints`: all that the peer's description announces.
    pub fn new(
        now: Instant,
        certificate: &Certificate,
        settings: DtlsSettings,
        fingerprints: Vec<Fingerprint>,
    ) -> Result<Self, NoUsableFingerprint> {
        if fingerprints.is_empty() {
            return Err(NoUsableFingerprint);
        }
        let (config, own) = (config(settings.packet_bytes), certificate.for_handshake());
        let mut inner = match settings.versions {
            Versions::Newest => dimpl::Dtls::new_auto(config, own, now),
            Versions::Only12 => dimpl::Dtls::new_12(config, own, now),
            Versions::Only13 => dimpl::Dtls::new_13(config, own, now),
        };
        inner.set_active(settings.role == DtlsRole::Client);
        let mut dtls = Self {
            inner,
            state: State::Connecting,
            role: settings.role,
            fingerprints,
            peer_certificate: None,
            srtp: None,
            is_handshake_done: false,
            due: None,
            packets: VecDeque::new(),
            events: VecDeque::new(),
        };
        dtls.handle_timeout(now);
        Ok(dtls)
    }

    /// Who begins.
    pub fn role(&self) -> DtlsRole {
        self.role
    }

    pub fn is_connected(&self) -> bool {
        self.state == State::Connected
    }

    /// One datagram of this connection.
    pub fn handle_input(&mut self, now: Instant, datagram: &[u8]) {
        self.handle_timeout(now);
        if self.state == State::Over {
            return;
        }
        match self.inner.handle_packet(datagram) {
            // Something that is no answer at all: it may come from anyone, and the real answer may still come.
            Ok(()) | Err(Error::UnexpectedMessage(UnexpectedMessageError::UnrecognizedAutoServerResponse)) => {
                self.drain();
            }
            Err(error) => self.fail(&error),
        }
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if self.state == State::Over {
            return;
        }
        match self.inner.handle_timeout(now) {
            Ok(()) => {
                self.drain();
                self.due = self.due.map(|due| if due > now { due } else { now + ACK_PAUSE });
            }
            Err(error) => self.fail(&error),
        }
    }

    /// The next datagram for the peer.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.packets.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<DtlsEvent> {
        self.events.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due.filter(|_| self.state != State::Over)
    }

    /// One record of data, 16 KiB at most.
    pub fn send(&mut self, now: Instant, data: &[u8]) -> Result<(), NotConnected> {
        if self.state != State::Connected || data.len() > MAX_RECORD {
            return Err(NotConnected);
        }
        self.handle_timeout(now);
        if self.state != State::Connected {
            return Err(NotConnected);
        }
        // Drained at once: the tenth record that waits is the connection's end.
        match self.inner.send_application_data(data) {
            Ok(_) => self.drain(),
            Err(error) => {
                self.fail(&error);
                return Err(NotConnected);
            }
        }
        Ok(())
    }

    /// Says goodbye. Nothing comes after it.
    pub fn close(&mut self, now: Instant) {
        if self.state == State::Over {
            return;
        }
        self.handle_timeout(now);
        if self.state == State::Connected && self.inner.close().is_ok() {
            self.drain();
        }
        self.end();
    }

    fn drain(&mut self) {
        let mut small = [0; 2048];
        let mut large = Vec::new();
        // Packets of a step in which the peer turned out to be a stranger are not sent.
        let sent_before = self.packets.len();
        loop {
            let buffer = if large.is_empty() { &mut small[..] } else { &mut large[..] };
            match self.inner.poll_output(buffer) {
                Output::Packet(packet) => self.packets.push_back(packet.to_vec()),
                Output::BufferTooSmall { needed } => large.resize(needed, 0),
                Output::Timeout(at) => {
                    self.due = Some(at);
                    return self.establish();
                }
                Output::PeerCert(der) => {
                    if !is_announced(der, &self.fingerprints) {
                        self.packets.truncate(sent_before);
                        return self.fail_with(DtlsFailure::WrongFingerprint);
                    }
                    self.peer_certificate = Some(der.to_vec());
                }
                Output::KeyingMaterial(material, profile) => {
                    self.srtp = Some(SrtpKeys { profile, material: material.to_vec() });
                }
                Output::Connected => self.is_handshake_done = true,
                Output::ApplicationData(data) => {
                    self.establish();
                    if self.state != State::Connected {
                        continue;
                    }
                    self.events.push_back(DtlsEvent::Received(data.to_vec()));
                }
                Output::CloseNotify => {
                    self.establish();
                    self.events.push_back(DtlsEvent::Closed);
                    return self.end();
                }
                _ => {}
            }
        }
    }

    /// After the handshake, once its keys were told too. A peer without a checked certificate is nobody.
    fn establish(&mut self) {
        if self.state != State::Connecting || !self.is_handshake_done {
            return;
        }
        let Some(peer_certificate) = self.peer_certificate.take() else {
            return self.fail_with(DtlsFailure::WrongFingerprint);
        };
        self.state = State::Connected;
        let version = match self.inner.protocol_version() {
            Some(ProtocolVersion::DTLS1_3) => "1.3",
            _ => "1.2",
        };
        self.events.push_back(DtlsEvent::Connected { version, peer_certificate, srtp: self.srtp.take() });
    }

    fn fail(&mut self, error: &Error) {
        self.fail_with(match error {
            Error::Timeout(_) => DtlsFailure::TimedOut,
            _ => DtlsFailure::Handshake,
        });
    }

    fn fail_with(&mut self, failure: DtlsFailure) {
        if self.state != State::Over {
            self.events.push_back(DtlsEvent::Failed(failure));
            self.end();
        }
    }

    fn end(&mut self) {
        self.state = State::Over;
        self.srtp = None;
    }
}
