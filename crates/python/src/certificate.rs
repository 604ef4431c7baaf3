//! The class `Certificate`: who a peer connection is. The key is made and used in here.

use std::time::{SystemTime, UNIX_EPOCH};

use peerline_engine::{Curve, HashKind, PeerCertificate};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

#[pyclass(frozen, module = "peerline._core")]
pub(crate) struct Certificate {
    pub(crate) inner: PeerCertificate,
    expires_ms: u64,
}

#[pymethods]
impl Certificate {
    /// `expires_ms`: milliseconds since 1970. A certificate names seconds; the rest is rounded up.
    #[staticmethod]
    #[pyo3(signature = (expires_ms, curve="P-256"))]
    fn generate(expires_ms: u64, curve: &str) -> PyResult<Self> {
        let curve = match curve {
            "P-256" => Curve::P256,
            "P-384" => Curve::P384,
            _ => return Err(PyValueError::new_err(format!("{curve:?} is no curve: P-256 or P-384"))),
        };
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let inner = PeerCertificate::generate_on(curve, now_s, expires_ms.div_ceil(1000))
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self { inner, expires_ms })
    }

    #[staticmethod]
    fn from_pem(certificate: &str, key: &str) -> PyResult<Self> {
        let inner =
            PeerCertificate::from_pem(certificate, key).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let expires_ms = inner.expires_s().saturating_mul(1000);
        Ok(Self { inner, expires_ms })
    }

    #[getter]
    fn der(&self) -> &[u8] {
        self.inner.der()
    }

    /// PKCS #8.
    #[getter]
    fn key_der(&self) -> &[u8] {
        self.inner.key_pkcs8()
    }

    #[getter]
    fn expires_ms(&self) -> u64 {
        self.expires_ms
    }

    /// Upper-case pairs with colons.
    #[pyo3(signature = (hash="sha-256"))]
    fn fingerprint(&self, hash: &str) -> PyResult<String> {
        let kind = HashKind::ALL.into_iter().find(|kind| kind.name() == hash);
        let kind = kind.ok_or_else(|| PyValueError::new_err(format!("{hash:?} is no hash: sha-256, -384 or -512")))?;
        Ok(self.inner.fingerprint(kind).value())
    }
}
