//! `peerline._core`: the engine for Python. Classes are frozen, threads of the engine never attach to Python.

mod certificate;
mod engine;
mod errors;
mod events;
mod media;
mod peer;
mod turn;

use pyo3::prelude::*;

#[pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::certificate::Certificate;
    #[pymodule_export]
    use crate::engine::Engine;
    #[pymodule_export]
    use crate::peer::{Peer, ice_credentials};
    #[pymodule_export]
    use crate::turn::rest_password;

    #[pymodule_export]
    const EVENT_PONGED: u8 = crate::events::PONGED;
    #[pymodule_export]
    const EVENT_CLOSED: u8 = crate::events::CLOSED;
    #[pymodule_export]
    const EVENT_FAILED: u8 = crate::events::FAILED;
    #[pymodule_export]
    const EVENT_SHARD_FAILED: u8 = crate::events::SHARD_FAILED;
    #[pymodule_export]
    const EVENT_TURN_ALLOCATED: u8 = crate::events::TURN_ALLOCATED;
    #[pymodule_export]
    const EVENT_TURN_FREED: u8 = crate::events::TURN_FREED;
    #[pymodule_export]
    const EVENT_TURN_ASKED: u8 = crate::events::TURN_ASKED;
    #[pymodule_export]
    const EVENT_TURN_LISTED: u8 = crate::events::TURN_LISTED;
    #[pymodule_export]
    const EVENT_PEER: u8 = crate::events::PEER;
    #[pymodule_export]
    const EVENT_QUEUE_CAPACITY: usize = peerline_engine::QUEUE_CAPACITY;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
