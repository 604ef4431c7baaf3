//! What a data path tells its owner.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use peerline_session::rtp::{MediaStats, ReceivedFrame};
use peerline_transport::data_channel::{ChannelError, ChannelSettings, Payload};
use peerline_transport::dtls::DtlsFailure;
use peerline_transport::ice::IceState;

use super::news::ChannelCounts;

/// Bytes that the owner has not taken yet, counted against a bound of the data path.
#[derive(Debug, Clone, Default)]
pub struct Credit(Arc<AtomicUsize>);

impl Credit {
    pub(super) fn owed(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn owe(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn settle(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Messages of one channel, in order. Who takes them says so with [`Received::taken`].
#[derive(Debug, Clone)]
pub struct Received {
    pub channel: u32,
    pub messages: Vec<Payload>,
    pub(super) cost: usize,
    pub(super) credit: Credit,
}

impl Received {
    /// They do not count against the bound of what may wait any more.
    pub fn taken(self) -> Vec<Payload> {
        self.credit.settle(self.cost);
        self.messages
    }
}

impl PartialEq for Received {
    fn eq(&self, other: &Self) -> bool {
        self.channel == other.channel && self.messages == other.messages
    }
}

impl Eq for Received {}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// `url`: of the server that it comes from.
    CandidateFound {
        ufrag: String,
        line: String,
        url: Option<String>,
    },
    CandidateFailed {
        base: SocketAddr,
        url: String,
        code: u16,
        reason: Cow<'static, str>,
    },
    GatheringFinished {
        ufrag: String,
    },
    IceStateChanged(IceState),
    /// Both sides wanted the same role, and we gave in.
    IceRoleChanged {
        is_controlling: bool,
    },
    PairSelected {
        local: String,
        remote: String,
    },
    DtlsConnecting,
    DtlsConnected {
        version: &'static str,
        srtp_profile: Option<String>,
        certificate: Vec<u8>,
    },
    DtlsClosed,
    DtlsFailed(DtlsFailure),
    SctpConnected {
        streams: u16,
    },
    SctpClosed {
        is_failure: bool,
    },
    ChannelAnnounced {
        channel: u32,
        settings: Box<ChannelSettings>,
    },
    ChannelOpened {
        channel: u32,
        stream: u16,
    },
    MessagesReceived(Received),
    /// So much of what was given has left the queue.
    BytesSent {
        channel: u32,
        amount: usize,
    },
    ChannelClosing {
        channel: u32,
    },
    ChannelClosed {
        channel: u32,
        error: Option<ChannelError>,
    },
    /// The first packet of a source of this section came.
    SourceStarted {
        section: u32,
        ssrc: u32,
    },
    SourceEnded {
        section: u32,
        ssrc: u32,
    },
    FramesReceived {
        section: u32,
        frames: Vec<ReceivedFrame>,
    },
    /// The other side cannot show what this section sends without a picture that stands alone.
    KeyFrameWanted {
        section: u32,
    },
    /// Of a hundred packets of this section so many are to be expected not to arrive.
    LossChanged {
        section: u32,
        percent: u8,
    },
    /// How much the path carries, as far as is known.
    EstimateChanged {
        bitrate_bps: u64,
    },
    Stats {
        token: u64,
        numbers: Vec<(&'static str, u64)>,
        channels: Vec<(u32, ChannelCounts)>,
        media: Option<Box<MediaStats>>,
    },
}
