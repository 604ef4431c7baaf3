//! What the owner of a data path says. Nothing is answered; what follows is told by events.

use std::net::{IpAddr, SocketAddr};

use peerline_session::rtp::{Frame, Plan};
use peerline_transport::data_channel::{ChannelSettings, Kind};
use peerline_transport::dtls::{DtlsRole, Fingerprint};
use peerline_transport::ice::Credentials;

use super::relay::RelayAsked;

/// A channel to be opened, under the name that its owner gives it.
#[derive(Debug)]
pub struct ChannelAsked {
    pub channel: u32,
    pub settings: ChannelSettings,
}

#[derive(Debug)]
pub enum PeerCommand {
    /// Sockets on these addresses, once; in a new generation the same ones are told again.
    Gather(Vec<IpAddr>),
    /// Ask this server from every socket of its family.
    AskStun {
        server: SocketAddr,
        url: String,
    },
    /// Ask this server for a relayed address.
    AskTurn(Box<RelayAsked>),
    /// No more servers will be named.
    AskedAll,
    SetRemoteCredentials(Credentials),
    /// The line, `candidate:…`, with an address.
    AddRemoteCandidate(String),
    EndOfRemoteCandidates,
    SetControlling(bool),
    Restart(Credentials),
    AbortRestart,
    StartDtls(DtlsRole, Vec<Fingerprint>),
    StartSctp {
        local_port: u16,
        remote_port: u16,
    },
    /// 0: no limit.
    SetRemoteMaxMessageBytes(u64),
    OpenChannel(Box<ChannelAsked>),
    Send {
        channel: u32,
        kind: Kind,
        bytes: Vec<u8>,
    },
    CloseChannel(u32),
    /// What descriptions agree on of media, from now on.
    CommitMedia(Box<Plan>),
    /// Frames of one section, in order. What cannot be sent (yet) is dropped.
    SendFrames {
        section: u32,
        frames: Vec<Frame>,
    },
    /// Whether anybody wants the frames of a section.
    Listen {
        section: u32,
        is_listened_to: bool,
    },
    /// Ask the other side for a picture that stands alone.
    RequestKeyFrame {
        section: u32,
    },
    /// [`super::PeerEvent::Stats`] follows, with the same token.
    Stats(u64),
}
