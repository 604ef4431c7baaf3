//! What a session is built with, and what it tells.

use peerline_rtp::MediaEvent;
use peerline_transport::data_channel::{ChannelEvent, ChannelLimits};
use peerline_transport::dtls::{DtlsFailure, SrtpKeys};
use peerline_transport::ice::{IceEvent, IceSettings};
use peerline_transport::sctp::SctpSettings;

#[derive(Debug, Clone, Default)]
pub struct SessionSettings {
    pub ice: IceSettings,
    pub sctp: SctpSettings,
    pub channels: ChannelLimits,
    /// Whether data channels begin with [`crate::Session::start_sctp`] alone, and not by themselves.
    pub is_sctp_later: bool,
    /// The clock on the wall when the session begins, as RTCP tells it: seconds since 1900 and their fraction.
    pub ntp: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    Ice(IceEvent),
    /// The peer is who its fingerprints say.
    DtlsConnected {
        version: &'static str,
        peer_certificate: Vec<u8>,
        srtp: Option<SrtpKeys>,
    },
    /// The peer said goodbye.
    DtlsClosed,
    DtlsFailed(DtlsFailure),
    Channel(ChannelEvent),
    Media(MediaEvent),
}
