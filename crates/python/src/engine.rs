//! The class `Engine`: a thin, frozen face of [`peerline_engine::Engine`].

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use peerline_engine::{
    AllocationId, Certificate, EngineConfig, Handle, ListenAddress, QuestionId, RateLimit, RelayAddress, RelayConfig,
    Transport, TurnConfig, TurnListener, Verdict,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::errors::to_python;
use crate::events::to_list;
use crate::turn::{SettingsIn, addresses};

/// Transport, host, port.
type Door = (&'static str, String, u16);

#[pyclass(frozen, module = "peerline._core")]
pub(crate) struct Engine {
    pub(crate) inner: peerline_engine::Engine,
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (shards=None))]
    fn new(py: Python<'_>, shards: Option<usize>) -> PyResult<Self> {
        let start = || peerline_engine::Engine::new(EngineConfig { shards });
        Ok(Self { inner: py.detach(start).map_err(to_python)? })
    }

    fn fileno(&self) -> PyResult<i32> {
        self.inner.fd().map_err(to_python)
    }

    /// Not detached: it takes one short lock, and letting Python's lock go and come back would cost more.
    fn drain<'py>(&self, py: Python<'py>, max: usize) -> PyResult<Bound<'py, PyList>> {
        to_list(py, self.inner.drain(max).map_err(to_python)?)
    }

    #[pyo3(signature = (ip, port, scope_id, answers_per_second, burst))]
    fn stun_listen(
        &self,
        py: Python<'_>,
        ip: &str,
        port: u16,
        scope_id: u32,
        answers_per_second: Option<u32>,
        burst: u32,
    ) -> PyResult<(u64, String, u16)> {
        let ip: IpAddr = ip.parse().map_err(|_| PyValueError::new_err("not an IPv4 or IPv6 address"))?;
        let address = match ip {
            IpAddr::V4(_) => SocketAddr::new(ip, port),
            IpAddr::V6(ip) => SocketAddrV6::new(ip, port, 0, scope_id).into(),
        };
        let limit = answers_per_second.map(|per_second| RateLimit { per_second, burst });
        let listener = py.detach(|| self.inner.stun_listen(address, limit)).map_err(to_python)?;
        Ok((listener.handle.to_bits(), listener.address.ip().to_string(), listener.address.port()))
    }

    /// Listening addresses and relay addresses in, handles of the shards' services and real addresses out.
    fn turn_listen(
        &self,
        py: Python<'_>,
        listen: Vec<(String, String, u16)>,
        relays: Vec<(String, String)>,
        ports: (u16, u16),
        settings: SettingsIn,
        certificate: Option<(Vec<u8>, Vec<u8>)>,
    ) -> PyResult<(Vec<u64>, Vec<Door>)> {
        let (bind, advertise): (Vec<String>, Vec<String>) = relays.into_iter().unzip();
        let relays = addresses(&bind)?.into_iter().zip(addresses(&advertise)?);
        let config = TurnConfig {
            listen: listen.into_iter().map(door).collect::<PyResult<_>>()?,
            certificate: certificate.map(pem).transpose()?,
            relay: RelayConfig {
                addresses: relays.map(|(bind, advertise)| RelayAddress { bind, advertise }).collect(),
                ports: ports.0..=ports.1,
            },
            settings: settings.check()?,
        };
        let server = py.detach(|| self.inner.turn_listen(config)).map_err(to_python)?;
        let named =
            |(transport, address): &ListenAddress| (name_of(*transport), address.ip().to_string(), address.port());
        let addresses = server.addresses.iter().map(named).collect();
        Ok((server.handles.iter().map(|handle| handle.to_bits()).collect(), addresses))
    }

    fn turn_reload(&self, handles: Vec<u64>, settings: SettingsIn) -> PyResult<()> {
        self.inner.turn_reload(&server(handles), &settings.check()?).map_err(to_python)
    }

    fn turn_recertify(&self, handles: Vec<u64>, certificate: (Vec<u8>, Vec<u8>)) -> PyResult<()> {
        self.inner.turn_recertify(&server(handles), &pem(certificate)?).map_err(to_python)
    }

    fn turn_drain(&self, handles: Vec<u64>) -> PyResult<()> {
        self.inner.turn_drain(&server(handles)).map_err(to_python)
    }

    fn turn_list(&self, handles: Vec<u64>, token: u64) -> PyResult<()> {
        self.inner.turn_list(&server(handles), token).map_err(to_python)
    }

    fn turn_kick(&self, handle: u64, allocation: u64) -> PyResult<()> {
        self.inner.turn_kick(Handle::from_bits(handle), AllocationId::from_bits(allocation)).map_err(to_python)
    }

    fn turn_decide(&self, handle: u64, question: u64, is_allowed: bool) -> PyResult<()> {
        let verdict = if is_allowed { Verdict::Allow } else { Verdict::Deny };
        self.inner.turn_decide(Handle::from_bits(handle), QuestionId(question), verdict).map_err(to_python)
    }

    fn close_handle(&self, handle: u64) -> PyResult<()> {
        self.inner.close_handle(Handle::from_bits(handle)).map_err(to_python)
    }

    #[pyo3(signature = (shard, token, count=1, batch=1))]
    fn ping(&self, shard: usize, token: u64, count: u32, batch: u32) -> PyResult<()> {
        self.inner.ping(shard, token, count, batch).map_err(to_python)
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.inner.stats().map_err(to_python)?;
        let totals = stats.totals;
        let record = PyDict::new(py);
        for (name, value) in [
            ("shards", stats.shards as u64),
            ("events_published", stats.events_published),
            ("wakes", stats.wakes),
            ("stun_received", totals.stun.received()),
            ("stun_answered", totals.stun.answered),
            ("stun_refused", totals.stun.refused),
            ("stun_malformed", totals.stun.malformed),
            ("stun_unserved", totals.stun.unserved),
            ("stun_rate_limited", totals.stun.rate_limited),
            ("turn_allocations", totals.turn.allocations),
            ("turn_allocated", totals.turn.allocated),
            ("turn_relayed_up", totals.turn.relayed_up),
            ("turn_relayed_down", totals.turn.relayed_down),
            ("turn_bindings", totals.turn.bindings),
            ("turn_refused", totals.turn.refused),
            ("turn_unauthorized", totals.turn.unauthorized),
            ("turn_malformed", totals.turn.malformed),
            ("turn_unserved", totals.turn.unserved),
            ("turn_unknown", totals.turn.unknown),
            ("turn_no_permission", totals.turn.no_permission),
            ("turn_over_quota", totals.turn.over_quota),
            ("turn_rate_limited", totals.turn.rate_limited),
            ("turn_unread", totals.turn.unread),
            ("turn_connections", totals.turn.connections),
            ("turn_refused_connections", totals.turn.refused_connections),
            ("turn_panics", totals.turn.panics),
            ("send_failed", totals.send_failed),
            ("receive_failed", totals.receive_failed),
        ] {
            record.set_item(name, value)?;
        }
        Ok(record)
    }

    /// Detached: it waits for the threads to end.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.inner.close()).map_err(to_python)
    }

    #[getter]
    fn shards(&self) -> usize {
        self.inner.shards()
    }

    #[getter]
    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }
}

fn server(handles: Vec<u64>) -> TurnListener {
    TurnListener { handles: handles.into_iter().map(Handle::from_bits).collect(), addresses: Vec::new() }
}

fn door((transport, host, port): (String, String, u16)) -> PyResult<ListenAddress> {
    let transport = match &*transport {
        "udp" => Transport::Udp,
        "tcp" => Transport::Tcp,
        "tls" => Transport::Tls,
        _ => return Err(PyValueError::new_err(format!("{transport:?} is no transport: udp, tcp or tls"))),
    };
    Ok((transport, SocketAddr::new(addresses(&[host])?[0], port)))
}

pub(crate) fn name_of(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    }
}

fn pem((chain, key): (Vec<u8>, Vec<u8>)) -> PyResult<Certificate> {
    Certificate::from_pem(&chain, &key).map_err(to_python)
}
