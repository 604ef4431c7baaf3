//! The certificate of the TLS listeners, as PEM files have it (RFC 7468), and what goes with it (RFC 8446, RFC 7443).

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::EngineError;

/// A chain with its key, checked, and ready for use by all shards.
#[derive(Debug, Clone)]
pub struct Certificate(pub(crate) Arc<ServerConfig>);

impl Certificate {
    /// `chain`: the server's certificate first. Errors never quote the key.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, EngineError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|_| EngineError::Invalid("the certificate is not a PEM file"))?;
        if chain.is_empty() {
            return Err(EngineError::Invalid("there is no certificate in the file"));
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| EngineError::Invalid("there is no private key in the file"))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|_| EngineError::Invalid("the certificate and the private key do not belong together"))?;
        // A client that asks for another protocol means another server (RFC 7443).
        config.alpn_protocols = vec![b"stun.turn".to_vec(), b"stun.nat-discovery".to_vec()];
        // Who comes back is known by its ticket; nothing is kept for it here.
        config.send_tls13_tickets = 1;
        config.ticketer =
            aws_lc_rs::Ticketer::new().map_err(|_| EngineError::Invalid("the system has no randomness"))?;
        Ok(Self(Arc::new(config)))
    }
}
