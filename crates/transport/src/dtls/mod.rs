//! RTCDtlsTransport: a DTLS connection with a peer known by fingerprint alone (RFC 8827 §6.5, RFC 8842).

mod certificate;
mod config;
mod event;
mod fingerprint;
mod machine;
mod settings;

pub use certificate::{Certificate, CertificateError, Curve};
pub use event::{DtlsEvent, DtlsFailure, NotConnected, SrtpKeys, SrtpProfile};
pub use fingerprint::{Fingerprint, HashKind, NotAFingerprint};
pub use machine::{Dtls, NoUsableFingerprint};
pub use settings::{DtlsRole, DtlsSettings, Versions};
