//! What a DTLS connection is built with.

/// Who sends the ClientHello (`a=setup`, RFC 8842 §5). It also decides which streams of data channels are whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtlsRole {
    /// `active`: begins, and opens channels on even streams.
    Client,
    /// `passive`: waits, and opens channels on odd streams.
    Server,
}

/// The versions that are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versions {
    /// 1.3 if the other side can, else 1.2.
    #[default]
    Newest,
    Only12,
    Only13,
}

pub(super) const PACKET_BYTES: usize = 1150;

#[derive(Debug, Clone, Copy)]
pub struct DtlsSettings {
    pub role: DtlsRole,
    pub versions: Versions,
    /// Largest datagram of the handshake, in bytes.
    pub packet_bytes: usize,
}

impl DtlsSettings {
    pub fn new(role: DtlsRole) -> Self {
        Self { role, versions: Versions::Newest, packet_bytes: PACKET_BYTES }
    }
}
