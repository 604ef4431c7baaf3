//! The one place where the engine's errors become Python exceptions.

use peerline_engine::EngineError;
use pyo3::PyErr;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};

pub(crate) fn to_python(error: EngineError) -> PyErr {
    match error {
        EngineError::Io(error) => match error.raw_os_error() {
            // With two arguments OSError picks its subclass and sets errno and strerror.
            Some(errno) => {
                let text = error.to_string();
                let text = text.split(" (os error").next().unwrap_or_default().to_owned();
                PyOSError::new_err((errno, text))
            }
            None => PyOSError::new_err(error.to_string()),
        },
        EngineError::Invalid(_) => PyValueError::new_err(error.to_string()),
        EngineError::Closed | EngineError::Forked | EngineError::Full => PyRuntimeError::new_err(error.to_string()),
    }
}
