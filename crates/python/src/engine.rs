//! The class `Engine`: a thin, frozen face of [`peerline_engine::Engine`].

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use peerline_engine::{EngineConfig, Handle, RateLimit};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::errors::to_python;
use crate::events::to_list;

#[pyclass(frozen, module = "peerline._core")]
pub(crate) struct Engine {
    inner: peerline_engine::Engine,
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
