//! Events as Python sees them: the tuple (kind, handle or token, detail), the cheapest thing that can be dispatched.

use peerline_engine::Event;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

pub(crate) const PONGED: u8 = 1;
pub(crate) const CLOSED: u8 = 2;
pub(crate) const FAILED: u8 = 3;
pub(crate) const SHARD_FAILED: u8 = 4;

pub(crate) fn to_list<'py>(py: Python<'py>, events: Vec<Event>) -> PyResult<Bound<'py, PyList>> {
    let tuples = events.into_iter().map(|event| to_tuple(py, event)).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, tuples)
}

fn to_tuple<'py>(py: Python<'py>, event: Event) -> PyResult<Bound<'py, PyTuple>> {
    match event {
        Event::Ponged { token, sequence } => (PONGED, token, sequence).into_pyobject(py),
        Event::Closed { handle } => (CLOSED, handle.to_bits(), py.None()).into_pyobject(py),
        Event::Failed { handle, reason } => (FAILED, handle.to_bits(), reason).into_pyobject(py),
        Event::ShardFailed { shard, reason } => (SHARD_FAILED, shard, reason).into_pyobject(py),
    }
}
