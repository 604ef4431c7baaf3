//! Data paths of peer connections: commands in, and events as (method of the listener, its arguments).

use std::net::{IpAddr, SocketAddr};

use peerline_engine::{
    ChannelAsked, ChannelSettings, Credentials, DtlsFailure, DtlsRole, Fingerprint, Handle, IceState, Kind, Payload,
    PeerCommand, PeerEvent, PeerSettings, RelayAsked, RelayTransport, Reliability, TlsTrust, Versions,
};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::certificate::Certificate;
use crate::engine::Engine;
use crate::errors::to_python;
use crate::media::{self, FrameIn, PlanIn};
use crate::turn::addresses;

/// New random ones: a name and a password.
#[pyfunction]
pub(crate) fn ice_credentials() -> (String, String) {
    let Credentials { ufrag, password } = Credentials::random();
    (ufrag, password)
}

/// See `peerline.engine.transport.TransportSettings`, which says what each of them means.
#[derive(FromPyObject)]
struct SettingsIn {
    certificate: Py<Certificate>,
    ufrag: String,
    password: String,
    is_controlling: bool,
    is_relay_only: bool,
    ports: Option<(u16, u16)>,
    shared_port: Option<u16>,
    advertised: Option<String>,
    dtls_versions: String,
    max_message_bytes: usize,
    streams: u16,
}

/// See `peerline.engine.transport.ChannelSettings`.
#[derive(FromPyObject)]
struct ChannelIn {
    label: String,
    protocol: String,
    ordered: bool,
    max_retransmits: Option<u32>,
    max_packet_lifetime_ms: Option<u32>,
    priority: u16,
    negotiated_id: Option<u16>,
    stream: Option<u16>,
}

/// One data path. It lives on a shard of its engine until it is closed.
#[pyclass(frozen, module = "peerline._core")]
pub(crate) struct Peer {
    engine: Py<Engine>,
    handle: Handle,
}

#[pymethods]
impl Peer {
    #[new]
    fn new(engine: Py<Engine>, settings: SettingsIn) -> PyResult<Self> {
        let advertised = match &settings.advertised {
            Some(ip) => Some(addresses(std::slice::from_ref(ip))?[0]),
            None => None,
        };
        let versions = match &*settings.dtls_versions {
            "newest" => Versions::Newest,
            "1.2" => Versions::Only12,
            "1.3" => Versions::Only13,
            other => return Err(PyValueError::new_err(format!("{other:?}: newest, 1.2 or 1.3"))),
        };
        let settings = PeerSettings {
            certificate: settings.certificate.get().inner.clone(),
            credentials: Credentials { ufrag: settings.ufrag, password: settings.password },
            is_controlling: settings.is_controlling,
            is_relay_only: settings.is_relay_only,
            ports: settings.ports.map(|(first, last)| first..=last),
            shared_port: settings.shared_port,
            advertised,
            versions,
            max_message_bytes: settings.max_message_bytes,
            streams: settings.streams,
        };
        let handle = engine.get().inner.peer_open(settings).map_err(to_python)?;
        Ok(Self { engine, handle })
    }

    #[getter]
    fn handle(&self) -> u64 {
        self.handle.to_bits()
    }

    fn gather(&self, ips: Vec<String>) -> PyResult<()> {
        self.tell(PeerCommand::Gather(addresses(&ips)?))
    }

    fn ask_stun(&self, ip: &str, port: u16, url: String) -> PyResult<()> {
        let ip: IpAddr = ip.parse().map_err(|_| PyValueError::new_err("not an IPv4 or IPv6 address"))?;
        self.tell(PeerCommand::AskStun { server: SocketAddr::new(ip, port), url })
    }

    /// `protocol`: udp, tcp or tls; `name`: what the server's certificate has to show.
    #[allow(clippy::too_many_arguments)] // Python's own list of them
    fn ask_turn(
        &self,
        py: Python<'_>,
        protocol: &str,
        ip: &str,
        port: u16,
        name: String,
        username: String,
        password: String,
        url: String,
    ) -> PyResult<()> {
        let ip: IpAddr = ip.parse().map_err(|_| PyValueError::new_err("not an IPv4 or IPv6 address"))?;
        let transport = match protocol {
            "udp" => RelayTransport::Udp,
            "tcp" => RelayTransport::Tcp,
            "tls" => {
                let trust = py.detach(TlsTrust::of_system).map_err(|error| PyOSError::new_err(error.to_string()))?;
                RelayTransport::Tls { name, trust }
            }
            other => return Err(PyValueError::new_err(format!("{other:?}: udp, tcp or tls"))),
        };
        let server = SocketAddr::new(ip, port);
        self.tell(PeerCommand::AskTurn(Box::new(RelayAsked { server, transport, username, password, url })))
    }

    fn asked_all(&self) -> PyResult<()> {
        self.tell(PeerCommand::AskedAll)
    }

    fn set_remote_credentials(&self, ufrag: String, password: String) -> PyResult<()> {
        self.tell(PeerCommand::SetRemoteCredentials(Credentials { ufrag, password }))
    }

    fn add_remote_candidate(&self, line: String) -> PyResult<()> {
        self.tell(PeerCommand::AddRemoteCandidate(line))
    }

    fn end_of_remote_candidates(&self) -> PyResult<()> {
        self.tell(PeerCommand::EndOfRemoteCandidates)
    }

    fn set_controlling(&self, is_controlling: bool) -> PyResult<()> {
        self.tell(PeerCommand::SetControlling(is_controlling))
    }

    fn restart(&self, ufrag: String, password: String) -> PyResult<()> {
        self.tell(PeerCommand::Restart(Credentials { ufrag, password }))
    }

    fn abort_restart(&self) -> PyResult<()> {
        self.tell(PeerCommand::AbortRestart)
    }

    /// Fingerprints of hashes that are not taken are left out; ValueError if none is left.
    fn start_dtls(&self, is_client: bool, fingerprints: Vec<String>) -> PyResult<()> {
        let usable: Vec<Fingerprint> = fingerprints.iter().filter_map(|text| text.parse().ok()).collect();
        if usable.is_empty() {
            return Err(PyValueError::new_err("without a fingerprint of sha-256, -384 or -512 no peer can be trusted"));
        }
        let role = if is_client { DtlsRole::Client } else { DtlsRole::Server };
        self.tell(PeerCommand::StartDtls(role, usable))
    }

    fn start_sctp(&self, local_port: u16, remote_port: u16, remote_max: u64) -> PyResult<()> {
        self.tell(PeerCommand::StartSctp { local_port, remote_port })?;
        self.tell(PeerCommand::SetRemoteMaxMessageBytes(remote_max))
    }

    fn set_remote_max(&self, remote_max: u64) -> PyResult<()> {
        self.tell(PeerCommand::SetRemoteMaxMessageBytes(remote_max))
    }

    fn open_channel(&self, channel: u32, settings: ChannelIn) -> PyResult<()> {
        let reliability = match (settings.max_retransmits, settings.max_packet_lifetime_ms) {
            (Some(count), _) => Reliability::MaxRetransmits(count),
            (None, Some(lifetime_ms)) => Reliability::MaxLifetimeMs(lifetime_ms),
            (None, None) => Reliability::Reliable,
        };
        let settings = ChannelSettings {
            label: settings.label,
            protocol: settings.protocol,
            is_ordered: settings.ordered,
            reliability,
            priority: settings.priority,
            negotiated: settings.negotiated_id,
            stream: settings.stream,
        };
        self.tell(PeerCommand::OpenChannel(Box::new(ChannelAsked { channel, settings })))
    }

    fn send_text(&self, channel: u32, text: &str) -> PyResult<()> {
        let bytes = text.as_bytes().to_vec();
        self.tell(PeerCommand::Send { channel, kind: Kind::Text, bytes })
    }

    fn send_bytes(&self, channel: u32, bytes: &[u8]) -> PyResult<()> {
        self.tell(PeerCommand::Send { channel, kind: Kind::Binary, bytes: bytes.to_vec() })
    }

    fn close_channel(&self, channel: u32) -> PyResult<()> {
        self.tell(PeerCommand::CloseChannel(channel))
    }

    /// What descriptions agree on of media, from now on.
    fn commit_media(&self, plan: PlanIn) -> PyResult<()> {
        self.tell(PeerCommand::CommitMedia(Box::new(plan.check()?)))
    }

    fn send_frames(&self, section: u32, frames: Vec<FrameIn>) -> PyResult<()> {
        self.tell(PeerCommand::SendFrames { section, frames: frames.into_iter().map(media::frame).collect() })
    }

    fn listen(&self, section: u32, is_listened_to: bool) -> PyResult<()> {
        self.tell(PeerCommand::Listen { section, is_listened_to })
    }

    fn request_key_frame(&self, section: u32) -> PyResult<()> {
        self.tell(PeerCommand::RequestKeyFrame { section })
    }

    fn stats(&self, token: u64) -> PyResult<()> {
        self.tell(PeerCommand::Stats(token))
    }

    /// Tells the other side and frees the sockets.
    fn close(&self) -> PyResult<()> {
        self.engine.get().inner.close_handle(self.handle).map_err(to_python)
    }
}

impl Peer {
    fn tell(&self, command: PeerCommand) -> PyResult<()> {
        self.engine.get().inner.peer_tell(self.handle, command).map_err(to_python)
    }
}

/// The name of the listener's method, and what it is called with.
pub(crate) fn news<'py>(py: Python<'py>, event: PeerEvent) -> PyResult<(&'static str, Bound<'py, PyTuple>)> {
    Ok(match event {
        PeerEvent::MessagesReceived(received) => {
            let channel = received.channel;
            let messages = received.taken().into_iter().map(|payload| message(py, payload));
            let messages = PyList::new(py, messages.collect::<Vec<_>>())?;
            ("messages_received", (channel, messages).into_pyobject(py)?)
        }
        PeerEvent::BytesSent { channel, amount } => ("bytes_sent", (channel, amount).into_pyobject(py)?),
        PeerEvent::CandidateFound { ufrag, line, url } => ("candidate_found", (ufrag, line, url).into_pyobject(py)?),
        PeerEvent::CandidateFailed { base, url, code, reason } => {
            let address = base.ip().to_string();
            ("candidate_failed", (address, base.port(), url, code, reason).into_pyobject(py)?)
        }
        PeerEvent::GatheringFinished { ufrag } => ("gathering_finished", (ufrag,).into_pyobject(py)?),
        PeerEvent::IceStateChanged(state) => ("ice_state_changed", (name_of(state),).into_pyobject(py)?),
        PeerEvent::IceRoleChanged { is_controlling } => ("ice_role_changed", (is_controlling,).into_pyobject(py)?),
        PeerEvent::PairSelected { local, remote } => ("pair_selected", (local, remote).into_pyobject(py)?),
        PeerEvent::DtlsConnecting => ("dtls_connecting", PyTuple::empty(py)),
        PeerEvent::DtlsConnected { version, srtp_profile, certificate } => {
            let certificates = [PyBytes::new(py, &certificate)];
            ("dtls_connected", (version, srtp_profile, PyList::new(py, certificates)?).into_pyobject(py)?)
        }
        PeerEvent::DtlsClosed => ("dtls_closed", PyTuple::empty(py)),
        PeerEvent::DtlsFailed(failure) => {
            let reason = match failure {
                DtlsFailure::WrongFingerprint => "wrong-fingerprint",
                DtlsFailure::TimedOut => "timed-out",
                DtlsFailure::Handshake => "handshake",
            };
            ("dtls_failed", (reason,).into_pyobject(py)?)
        }
        PeerEvent::SctpConnected { streams } => ("sctp_connected", (streams,).into_pyobject(py)?),
        PeerEvent::SctpClosed { is_failure } => ("sctp_closed", (is_failure,).into_pyobject(py)?),
        PeerEvent::ChannelAnnounced { channel, settings } => {
            let (retransmits, lifetime_ms) = match settings.reliability {
                Reliability::Reliable => (None, None),
                Reliability::MaxRetransmits(count) => (Some(count), None),
                Reliability::MaxLifetimeMs(lifetime_ms) => (None, Some(lifetime_ms)),
            };
            let ChannelSettings { label, protocol, is_ordered, priority, .. } = *settings;
            let settings = (label, protocol, is_ordered, retransmits, lifetime_ms, priority);
            ("channel_announced", (channel, settings).into_pyobject(py)?)
        }
        PeerEvent::ChannelOpened { channel, stream } => ("channel_opened", (channel, stream).into_pyobject(py)?),
        PeerEvent::ChannelClosing { channel } => ("channel_closing", (channel,).into_pyobject(py)?),
        PeerEvent::ChannelClosed { channel, error } => {
            ("channel_closed", (channel, error.map(|error| error.to_string())).into_pyobject(py)?)
        }
        PeerEvent::FramesReceived { section, frames } => {
            ("frames_received", (section, media::frames(py, frames)?).into_pyobject(py)?)
        }
        PeerEvent::SourceStarted { section, ssrc } => ("source_started", (section, ssrc).into_pyobject(py)?),
        PeerEvent::SourceEnded { section, ssrc } => ("source_ended", (section, ssrc).into_pyobject(py)?),
        PeerEvent::KeyFrameWanted { section } => ("key_frame_wanted", (section,).into_pyobject(py)?),
        PeerEvent::LossChanged { section, percent } => ("loss_changed", (section, percent).into_pyobject(py)?),
        PeerEvent::EstimateChanged { bitrate_bps } => ("estimate_changed", (bitrate_bps,).into_pyobject(py)?),
        PeerEvent::Stats { token, numbers, channels, media } => {
            let record = PyDict::new(py);
            for (name, value) in numbers {
                record.set_item(name, value)?;
            }
            let by_channel = PyDict::new(py);
            for (channel, counts) in channels {
                let counted = PyDict::new(py);
                counted.set_item("messages_sent", counts.messages_sent)?;
                counted.set_item("bytes_sent", counts.bytes_sent)?;
                counted.set_item("messages_received", counts.messages_received)?;
                counted.set_item("bytes_received", counts.bytes_received)?;
                by_channel.set_item(channel, counted)?;
            }
            record.set_item("channels", by_channel)?;
            record.set_item("media", media.map(|stats| media::stats(py, &stats)).transpose()?)?;
            ("stats_taken", (token, record).into_pyobject(py)?)
        }
    })
}

/// Text that is no UTF-8 is mended, as browsers do it.
fn message(py: Python<'_>, payload: Payload) -> Py<PyAny> {
    match payload.kind {
        Kind::Text => PyString::new(py, &String::from_utf8_lossy(&payload.bytes)).into_any().unbind(),
        Kind::Binary => PyBytes::new(py, &payload.bytes).into_any().unbind(),
    }
}

fn name_of(state: IceState) -> &'static str {
    match state {
        IceState::New => "new",
        IceState::Checking => "checking",
        IceState::Connected => "connected",
        IceState::Completed => "completed",
        IceState::Disconnected => "disconnected",
        IceState::Failed => "failed",
    }
}
