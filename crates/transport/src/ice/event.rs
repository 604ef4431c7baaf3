//! What ICE tells its owner.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// Between which addresses. Local is where a socket of ours, or a relay of ours, sends and receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    pub local: SocketAddr,
    pub remote: SocketAddr,
}

/// W3C's RTCIceTransportState, `closed` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceState {
    New,
    Checking,
    Connected,
    /// Connected, and both sides have no more candidates to try.
    Completed,
    /// Nothing has answered for a few seconds; it may come back by itself.
    Disconnected,
    /// No pair works, or consent has run out (RFC 7675). Only a restart helps.
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IceEvent {
    StateChanged(IceState),
    /// Data goes this way from now on.
    SelectedPair(Address),
}

/// A datagram to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    pub address: Address,
    pub bytes: Vec<u8>,
}

/// What was measured on the selected pair (W3C webrtc-stats, RTCIceCandidatePairStats).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairStats {
    pub address: Address,
    pub round_trip: Option<Duration>,
    pub total_round_trip: Duration,
    pub responses_received: u64,
}

/// The text is no candidate that can be used: broken, or with a host name that somebody has to resolve first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadCandidate {
    Unreadable,
    /// The peer has sent more than anyone needs.
    TooMany,
}

impl fmt::Display for BadCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "this is no ICE candidate with an address",
            Self::TooMany => "too many candidates came",
        })
    }
}

impl std::error::Error for BadCandidate {}
