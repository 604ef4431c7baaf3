//! What happened in a session, in the words of its owner: channels by the owner's names, messages in lists.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use peerline_session::rtp::MediaEvent;
use peerline_transport::data_channel::{ChannelEvent, ChannelKey, Payload};

use super::event::{Credit, PeerEvent, Received};

/// Channels that the other side opens get names from here on.
const FIRST_INCOMING: u32 = 1 << 31;
/// A message costs more than its bytes.
const MESSAGE_COST: usize = 64;

/// What the application gave a channel, and what of that was reported as sent.
#[derive(Debug, Default)]
struct Account {
    given: usize,
    reported: usize,
}

/// What went through a channel (W3C webrtc-stats, RTCDataChannelStats).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ChannelCounts {
    pub messages_sent: u64,
    pub bytes_sent: u64,
    pub messages_received: u64,
    pub bytes_received: u64,
}

#[derive(Debug)]
struct Named {
    key: ChannelKey,
    counts: ChannelCounts,
}

#[derive(Debug)]
pub(super) struct Names {
    keys: HashMap<u32, Named, FixedState>,
    names: HashMap<ChannelKey, u32, FixedState>,
    next_incoming: u32,
    /// Those with something queued.
    accounts: HashMap<u32, Account, FixedState>,
    pub(super) credit: Credit,
}

/// Frames of a section join those before them.
pub(super) fn tell_media(event: MediaEvent, news: &mut Vec<PeerEvent>) {
    let told = match event {
        MediaEvent::Frame { key, frame } => {
            if let Some(PeerEvent::FramesReceived { section, frames }) = news.last_mut()
                && *section == key
            {
                return frames.push(frame);
            }
            PeerEvent::FramesReceived { section: key, frames: vec![frame] }
        }
        MediaEvent::Started { key, ssrc } => PeerEvent::SourceStarted { section: key, ssrc },
        MediaEvent::Ended { key, ssrc } => PeerEvent::SourceEnded { section: key, ssrc },
        MediaEvent::KeyFrameWanted { key } => PeerEvent::KeyFrameWanted { section: key },
        MediaEvent::LossChanged { key, percent } => PeerEvent::LossChanged { section: key, percent },
        MediaEvent::EstimateChanged { bitrate_bps } => PeerEvent::EstimateChanged { bitrate_bps },
    };
    news.push(told);
}

impl Names {
    pub(super) fn new() -> Self {
        Self {
            keys: HashMap::default(),
            names: HashMap::default(),
            next_incoming: FIRST_INCOMING,
            accounts: HashMap::default(),
            credit: Credit::default(),
        }
    }

    pub(super) fn key(&self, channel: u32) -> Option<ChannelKey> {
        self.keys.get(&channel).map(|named| named.key)
    }

    pub(super) fn insert(&mut self, channel: u32, key: ChannelKey) {
        self.keys.insert(channel, Named { key, counts: ChannelCounts::default() });
        self.names.insert(key, channel);
    }

    pub(super) fn counts(&self) -> Vec<(u32, ChannelCounts)> {
        self.keys.iter().map(|(channel, named)| (*channel, named.counts)).collect()
    }

    pub(super) fn given(&mut self, channel: u32, bytes: usize) {
        if let Some(named) = self.keys.get_mut(&channel) {
            named.counts.messages_sent += 1;
            named.counts.bytes_sent += bytes as u64;
        }
        self.accounts.entry(channel).or_default().given += bytes;
    }

    /// How much has left the queue since this was asked last; `queued` says how much is in it.
    pub(super) fn sent(&mut self, queued: impl Fn(ChannelKey) -> usize, mut tell: impl FnMut(u32, usize)) {
        let Self { keys, accounts, .. } = self;
        accounts.retain(|channel, account| {
            let left = keys.get(channel).map_or(0, |named| queued(named.key));
            let sent = account.given.saturating_sub(left);
            if sent > account.reported {
                tell(*channel, sent - account.reported);
                account.reported = sent;
            }
            left > 0
        });
    }

    /// Puts an event behind those that wait; a message joins those of its channel before it.
    pub(super) fn tell(&mut self, event: ChannelEvent, events: &mut Vec<PeerEvent>) {
        match event {
            ChannelEvent::Connected { streams } => events.push(PeerEvent::SctpConnected { streams }),
            ChannelEvent::Incoming { channel: key, settings } => {
                let channel = self.next_incoming;
                self.next_incoming = self.next_incoming.wrapping_add(1).max(FIRST_INCOMING);
                self.insert(channel, key);
                events.push(PeerEvent::ChannelAnnounced { channel, settings: Box::new(settings) });
            }
            ChannelEvent::Opened { channel, stream } => {
                if let Some(channel) = self.name(channel) {
                    events.push(PeerEvent::ChannelOpened { channel, stream });
                }
            }
            ChannelEvent::Received { channel, payload } => {
                if let Some(channel) = self.name(channel) {
                    self.receive(channel, payload, events);
                }
            }
            // Its owner reckons this from what was sent.
            ChannelEvent::BufferedAmountLow { .. } => {}
            ChannelEvent::Closing { channel } => {
                if let Some(channel) = self.name(channel) {
                    events.push(PeerEvent::ChannelClosing { channel });
                }
            }
            ChannelEvent::Closed { channel, error } => {
                if let Some(name) = self.names.remove(&channel) {
                    self.keys.remove(&name);
                    self.accounts.remove(&name);
                    events.push(PeerEvent::ChannelClosed { channel: name, error });
                }
            }
            ChannelEvent::AssociationClosed { is_failure } => events.push(PeerEvent::SctpClosed { is_failure }),
        }
    }

    fn name(&self, key: ChannelKey) -> Option<u32> {
        self.names.get(&key).copied()
    }

    fn receive(&mut self, channel: u32, payload: Payload, events: &mut Vec<PeerEvent>) {
        if let Some(named) = self.keys.get_mut(&channel) {
            named.counts.messages_received += 1;
            named.counts.bytes_received += payload.bytes.len() as u64;
        }
        let cost = payload.bytes.len() + MESSAGE_COST;
        self.credit.owe(cost);
        if let Some(PeerEvent::MessagesReceived(last)) = events.last_mut()
            && last.channel == channel
        {
            last.messages.push(payload);
            last.cost += cost;
            return;
        }
        let received = Received { channel, messages: vec![payload], cost, credit: self.credit.clone() };
        events.push(PeerEvent::MessagesReceived(received));
    }
}
