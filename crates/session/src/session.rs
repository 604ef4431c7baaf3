//! The machines joined (RFC 8827, RFC 8261): datagrams in and out on one side, channels and media on the other.

use std::collections::VecDeque;
use std::time::Instant;

use peerline_rtp::{Frame, Leaving, Media, NotSent, Plan};
use peerline_transport::data_channel::DataChannels;
use peerline_transport::dtls::{
    Certificate, Dtls, DtlsEvent, DtlsRole, DtlsSettings, Fingerprint, NoUsableFingerprint,
};
use peerline_transport::ice::{Address, Credentials, Ice, Transmit};
use peerline_transport::sctp::{Association, SctpSettings, association};
use peerline_transport::srtp::{SrtpReceiver, SrtpSender, srtp};
use peerline_wire::demux::Protocol;

use super::event::{SessionEvent, SessionSettings};

/// A peer's first flight may come before its description does.
const MAX_EARLY: usize = 8;

/// One peer connection. After every call: poll events until there are none, then poll datagrams.
#[derive(Debug)]
pub struct Session {
    ice: Ice,
    dtls: Handshake,
    channels: DataChannels<Association>,
    /// Whether data channels were negotiated; their handshake begins when DTLS stands as well.
    is_sctp_wanted: bool,
    certificate: Certificate,
    /// There is none before descriptions agree on any.
    media: Option<Box<Media>>,
    /// Both directions, once DTLS stands.
    srtp: Option<Box<(SrtpSender, SrtpReceiver)>>,
    ntp: u64,
    /// The packet that is being sent, or decrypted.
    packet: Vec<u8>,
    early: Vec<Vec<u8>>,
    events: VecDeque<SessionEvent>,
    now: Instant,
}

/// How far DTLS is.
#[derive(Debug)]
enum Handshake {
    /// The descriptions do not say yet who the peer is.
    Unknown,
    /// There is no way to the peer yet.
    Waiting(DtlsSettings, Vec<Fingerprint>),
    Running(Box<Dtls>),
}

impl Session {
    pub fn new(now: Instant, certificate: Certificate, settings: &SessionSettings) -> Self {
        Self::with_credentials(now, certificate, settings, Credentials::random())
    }

    /// With ICE credentials that a description has told already.
    pub fn with_credentials(
        now: Instant,
        certificate: Certificate,
        settings: &SessionSettings,
        credentials: Credentials,
    ) -> Self {
        Self {
            ice: Ice::with_credentials(now, settings.ice, credentials),
            is_sctp_wanted: !settings.is_sctp_later,
            dtls: Handshake::Unknown,
            channels: DataChannels::new(now, association(now, &settings.sctp), settings.channels),
            certificate,
            media: None,
            srtp: None,
            ntp: settings.ntp,
            packet: Vec::new(),
            early: Vec::new(),
            events: VecDeque::new(),
            now,
        }
    }

    /// For credentials, candidates and restarts.
    pub fn ice(&mut self) -> &mut Ice {
        &mut self.ice
    }

    /// For opening, sending and closing.
    pub fn channels(&mut self) -> &mut DataChannels<Association> {
        &mut self.channels
    }

    /// Data channels were negotiated, with these ports. To be said once, before any channel is opened, where the settings
    /// say that this comes later.
    pub fn start_sctp(&mut self, now: Instant, settings: &SessionSettings, local_port: u16, remote_port: u16) {
        if self.is_sctp_wanted {
            return;
        }
        self.is_sctp_wanted = true;
        let sctp = SctpSettings { local_port, remote_port, ..settings.sctp.clone() };
        self.channels = DataChannels::new(now, association(now, &sctp), settings.channels);
        match &self.dtls {
            Handshake::Unknown => {}
            Handshake::Waiting(dtls, _) => self.channels.set_role(dtls.role),
            Handshake::Running(dtls) => {
                self.channels.set_role(dtls.role());
                if dtls.is_connected() {
                    self.channels.connect(now);
                }
            }
        }
        self.now = now;
    }

    /// What descriptions agree on of media, from now on.
    pub fn commit_media(&mut self, now: Instant, plan: Plan) {
        self.now = now;
        if self.media.is_none() && plan.sections.is_empty() {
            return;
        }
        let ntp = self.ntp;
        self.media.get_or_insert_with(|| Box::new(Media::new(now, ntp))).commit(now, plan);
    }

    /// For who listens to what; `None` before anything was agreed on.
    pub fn media(&mut self) -> Option<&mut Media> {
        self.media.as_deref_mut()
    }

    /// Queues a frame of a section. Before DTLS stands there is nobody to send it to.
    pub fn send_frame(&mut self, now: Instant, key: u32, frame: &Frame) -> Result<(), NotSent> {
        self.now = now;
        match &mut self.media {
            Some(media) if self.srtp.is_some() => media.send(now, key, frame),
            _ => Err(NotSent::NoSource),
        }
    }

    /// Whether the handshake of DTLS is under way.
    pub fn is_connecting(&self) -> bool {
        matches!(&self.dtls, Handshake::Running(dtls) if !dtls.is_connected())
    }

    /// Who the peer is and which part of the handshake is ours, as the descriptions say. It begins when there is a way.
    pub fn start_dtls(
        &mut self,
        now: Instant,
        settings: DtlsSettings,
        fingerprints: Vec<Fingerprint>,
    ) -> Result<(), NoUsableFingerprint> {
        if fingerprints.is_empty() {
            return Err(NoUsableFingerprint);
        }
        if matches!(self.dtls, Handshake::Unknown) {
            self.channels.set_role(settings.role);
            self.dtls = Handshake::Waiting(settings, fingerprints);
            self.advance(now);
        }
        Ok(())
    }

    /// One datagram. False: nobody here wanted it.
    pub fn handle_input(&mut self, now: Instant, address: Address, datagram: &[u8]) -> bool {
        let is_taken = match Protocol::of(datagram) {
            Protocol::Stun => self.ice.handle_input(now, address, datagram),
            Protocol::Dtls => {
                match &mut self.dtls {
                    Handshake::Running(dtls) => dtls.handle_input(now, datagram),
                    _ if self.early.len() < MAX_EARLY => self.early.push(datagram.to_vec()),
                    _ => {}
                }
                true
            }
            Protocol::Rtp => self.handle_rtp(now, datagram),
            Protocol::Rtcp => self.handle_rtcp(now, datagram),
            _ => false,
        };
        self.advance(now);
        is_taken
    }

    /// What is not by the peer is dropped without a word, as anybody can send it.
    fn handle_rtp(&mut self, now: Instant, datagram: &[u8]) -> bool {
        let (Some(srtp), Some(media)) = (&mut self.srtp, &mut self.media) else { return false };
        self.packet.clear();
        self.packet.extend_from_slice(datagram);
        let Ok(len) = srtp.1.unprotect_rtp(&mut self.packet) else { return false };
        media.handle_rtp(now, &self.packet[..len]);
        true
    }

    fn handle_rtcp(&mut self, now: Instant, datagram: &[u8]) -> bool {
        let (Some(srtp), Some(media)) = (&mut self.srtp, &mut self.media) else { return false };
        self.packet.clear();
        self.packet.extend_from_slice(datagram);
        let Ok(len) = srtp.1.unprotect_rtcp(&mut self.packet) else { return false };
        media.handle_rtcp(now, &self.packet[..len]);
        true
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if is_due(self.ice.poll_timeout()) {
            self.ice.handle_timeout(now);
        }
        if let Handshake::Running(dtls) = &mut self.dtls
            && is_due(dtls.poll_timeout())
        {
            dtls.handle_timeout(now);
        }
        if is_due(self.channels.poll_timeout()) {
            self.channels.handle_timeout(now);
        }
        if self.srtp.is_some()
            && let Some(media) = &mut self.media
            && is_due(media.poll_timeout(now))
        {
            media.handle_timeout(now);
        }
        self.advance(now);
    }

    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        if let Some(event) = self.ice.poll_event() {
            self.advance(self.now);
            return Some(SessionEvent::Ice(event));
        }
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        if let Some(event) = self.media.as_mut().and_then(|media| media.poll_event()) {
            return Some(SessionEvent::Media(event));
        }
        self.channels.poll_event().map(SessionEvent::Channel)
    }

    /// The next datagram. Without a pair that consents, everything but checks is dropped: SCTP and DTLS send it again.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        if let Some(transmit) = self.ice.poll_transmit() {
            return Some(transmit);
        }
        if let Some(transmit) = self.poll_media() {
            return Some(transmit);
        }
        let Handshake::Running(dtls) = &mut self.dtls else { return None };
        loop {
            while let Some(bytes) = dtls.poll_transmit() {
                if let Some(address) = self.ice.selected_pair() {
                    return Some(Transmit { address, bytes });
                }
            }
            // Before DTLS stands there is nothing to send, and after its end nobody to send it to.
            self.channels.transmit(&mut self.packet)?;
            let _ = dtls.send(self.now, &self.packet);
        }
    }

    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let dtls = if let Handshake::Running(dtls) = &self.dtls { dtls.poll_timeout() } else { None };
        let media = self.media.as_ref().filter(|_| self.srtp.is_some()).and_then(|media| media.poll_timeout(self.now));
        [self.ice.poll_timeout(), dtls, self.channels.poll_timeout(), media].into_iter().flatten().min()
    }

    /// Ends everything and tells the peer. What [`Session::poll_transmit`] still gives is to be sent.
    pub fn close(&mut self, now: Instant) {
        self.now = now;
        self.channels.abort(now);
        if let Handshake::Running(dtls) = &mut self.dtls {
            while let Some(packet) = self.channels.poll_transmit() {
                let _ = dtls.send(now, &packet);
            }
            dtls.close(now);
        }
    }

    /// What media has to say; nothing before DTLS stands. Without a pair that consents it is dropped.
    fn poll_media(&mut self) -> Option<Transmit> {
        let (srtp, media) = (self.srtp.as_mut()?, self.media.as_mut()?);
        loop {
            let mut bytes = Vec::new();
            let protected = match media.poll_packet(self.now, &mut bytes)? {
                Leaving::Rtp => srtp.0.protect_rtp(&mut bytes),
                Leaving::Rtcp => srtp.0.protect_rtcp(&mut bytes),
            };
            if let (Ok(()), Some(address)) = (protected, self.ice.selected_pair()) {
                return Some(Transmit { address, bytes });
            }
        }
    }

    fn advance(&mut self, now: Instant) {
        self.now = now;
        if self.ice.selected_pair().is_some() {
            self.begin_dtls(now);
        }
        let Handshake::Running(dtls) = &mut self.dtls else { return };
        while let Some(event) = dtls.poll_event() {
            match event {
                DtlsEvent::Connected { version, peer_certificate, srtp: keys } => {
                    let is_client = dtls.role() == DtlsRole::Client;
                    self.srtp = keys.as_ref().and_then(|keys| srtp(keys, is_client)).map(Box::new);
                    if self.is_sctp_wanted {
                        self.channels.connect(now);
                    }
                    self.events.push_back(SessionEvent::DtlsConnected { version, peer_certificate, srtp: keys });
                }
                DtlsEvent::Received(packet) => {
                    if self.is_sctp_wanted {
                        self.channels.handle_input(now, &packet);
                    }
                }
                DtlsEvent::Closed => {
                    self.channels.abort(now);
                    self.events.push_back(SessionEvent::DtlsClosed);
                }
                DtlsEvent::Failed(failure) => {
                    self.channels.abort(now);
                    self.events.push_back(SessionEvent::DtlsFailed(failure));
                }
            }
        }
    }

    fn begin_dtls(&mut self, now: Instant) {
        let Handshake::Waiting(settings, fingerprints) = &mut self.dtls else { return };
        let (settings, fingerprints) = (*settings, std::mem::take(fingerprints));
        let mut dtls = Dtls::new(now, &self.certificate, settings, fingerprints).expect("there is a fingerprint");
        for datagram in self.early.drain(..) {
            dtls.handle_input(now, &datagram);
        }
        self.dtls = Handshake::Running(Box::new(dtls));
    }
}
