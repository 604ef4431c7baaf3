//! Who vouches for servers that are reached over TLS: the authorities that this system trusts (RFC 8656 §2.1, RFC 5280).
//!
//! The variables SSL_CERT_FILE and SSL_CERT_DIR name others in their place, as with OpenSSL.

use std::ffi::OsString;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

/// What TLS connections to servers are begun with. Sessions of the same trust are resumed.
#[derive(Clone)]
pub struct TlsTrust(pub(super) Arc<ClientConfig>);

impl fmt::Debug for TlsTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTrust(…)")
    }
}

/// The system knows no authority that could vouch for anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustError;

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this system trusts no certificate authority; SSL_CERT_FILE can name a file of some")
    }
}

impl std::error::Error for TrustError {}

/// What SSL_CERT_FILE and SSL_CERT_DIR said, and what came of it.
type Known = ([Option<OsString>; 2], TlsTrust);

static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

impl TlsTrust {
    /// Reads the system's authorities, which takes some milliseconds; again only when the variables have changed. To be
    /// called where the environment can be read.
    pub fn of_system() -> Result<Self, TrustError> {
        let variables = ["SSL_CERT_FILE", "SSL_CERT_DIR"].map(std::env::var_os);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, trust)) = &*known
            && *of == variables
        {
            return Ok(trust.clone());
        }
        let mut roots = RootCertStore::empty();
        // Some systems have certificates that are no longer well-formed: those vouch for nobody.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(TrustError);
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| TrustError)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let trust = Self(Arc::new(config));
        *known = Some((variables, trust.clone()));
        Ok(trust)
    }
}
