//! Events as Python sees them: the tuple (kind, handle or token, detail), the cheapest thing that can be dispatched.

use peerline_engine::{AllocationView, Event, FreeReason, TurnEvent, Usage};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

pub(crate) const PONGED: u8 = 1;
pub(crate) const CLOSED: u8 = 2;
pub(crate) const FAILED: u8 = 3;
pub(crate) const SHARD_FAILED: u8 = 4;
pub(crate) const TURN_ALLOCATED: u8 = 5;
pub(crate) const TURN_FREED: u8 = 6;
pub(crate) const TURN_ASKED: u8 = 7;
pub(crate) const TURN_LISTED: u8 = 8;
pub(crate) const PEER: u8 = 9;

pub(crate) fn to_list<'py>(py: Python<'py>, events: Vec<Event>) -> PyResult<Bound<'py, PyList>> {
    let tuples = events.into_iter().map(|event| to_tuple(py, event)).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, tuples)
}

fn to_tuple<'py>(py: Python<'py>, event: Event) -> PyResult<Bound<'py, PyTuple>> {
    match event {
        Event::Ponged { token, sequence } => (PONGED, token, sequence).into_pyobject(py),
        Event::Closed { handle } => (CLOSED, handle.to_bits(), py.None()).into_pyobject(py),
        Event::Failed { handle, reason } => (FAILED, handle.to_bits(), reason).into_pyobject(py),
        Event::Peer { handle, event } => (PEER, handle.to_bits(), crate::peer::news(py, event)?).into_pyobject(py),
        Event::ShardFailed { shard, reason } => (SHARD_FAILED, shard, reason).into_pyobject(py),
        Event::Turn { handle, event: TurnEvent::Allocated { id, username } } => {
            (TURN_ALLOCATED, handle.to_bits(), (id.to_bits(), &*username)).into_pyobject(py)
        }
        Event::Turn { handle, event: TurnEvent::Freed { id, username, why, usage } } => {
            (TURN_FREED, handle.to_bits(), (id.to_bits(), &*username, name_of(why), counts(usage))).into_pyobject(py)
        }
        Event::TurnAsked { handle, question } => {
            (TURN_ASKED, handle.to_bits(), (question.id.0, &*question.username)).into_pyobject(py)
        }
        Event::TurnListed { handle, token, allocations } => {
            let rows = allocations.into_iter().map(|a| row(py, handle.to_bits(), a)).collect::<PyResult<Vec<_>>>()?;
            (TURN_LISTED, token, PyList::new(py, rows)?).into_pyobject(py)
        }
    }
}

fn name_of(why: FreeReason) -> &'static str {
    match why {
        FreeReason::Released => "released",
        FreeReason::Expired => "expired",
        FreeReason::Disconnected => "disconnected",
        FreeReason::Kicked => "kicked",
    }
}

fn counts(usage: Usage) -> (u64, u64, u64, u64) {
    (usage.packets_up, usage.bytes_up, usage.packets_down, usage.bytes_down)
}

fn row(py: Python<'_>, handle: u64, a: AllocationView) -> PyResult<Bound<'_, PyTuple>> {
    let relayed: Vec<String> = a.relayed.iter().map(ToString::to_string).collect();
    let (client, transport) = (a.tuple.client.to_string(), crate::engine::name_of(a.tuple.transport));
    (
        handle,
        a.id.to_bits(),
        a.username.to_string(),
        transport,
        client,
        relayed,
        a.age_s,
        a.left_s,
        a.permissions,
        a.channels,
        counts(a.usage),
    )
        .into_pyobject(py)
}
