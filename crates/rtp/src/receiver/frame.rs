//! The frame that is being joined, of parts that come in their order.

use std::time::Instant;

use peerline_wire::rtp_ext::{AudioLevel, VideoOrientation};

use crate::payload::{Format, Joined};

/// Larger ones are not believed: a picture of 4K that is coded badly has about 4 MB.
const MAX_BYTES: usize = 8 << 20;

/// A whole frame in the form in which encoders give it, in decoding order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFrame {
    pub ssrc: u32,
    pub payload_type: u8,
    /// In ticks of the payload's clock, as it came.
    pub timestamp: u32,
    pub bytes: Vec<u8>,
    /// A decoder can begin here.
    pub is_key: bool,
    /// So many packets right before it never came.
    pub lost_before: u32,
    /// When its first packet came, and its last.
    pub began: Instant,
    pub arrived: Instant,
    pub packets: u32,
    pub audio_level: Option<AudioLevel>,
    pub orientation: Option<VideoOrientation>,
    /// Who was mixed into it.
    pub sources: Vec<u32>,
}

#[cfg(test)]
impl ReceivedFrame {
    /// One of a single packet.
    pub(super) fn whole(ssrc: u32, payload_type: u8, arrived: Instant) -> Self {
        Self {
            ssrc,
            payload_type,
            timestamp: 0,
            bytes: Vec::new(),
            is_key: true,
            lost_before: 0,
            began: arrived,
            arrived,
            packets: 1,
            audio_level: None,
            orientation: None,
            sources: Vec::new(),
        }
    }
}

/// What a packet says of its frame.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) payload_type: u8,
    pub(super) format: Format,
    pub(super) timestamp: u32,
    pub(super) is_marked: bool,
    pub(super) arrived: Instant,
    pub(super) audio_level: Option<AudioLevel>,
    pub(super) orientation: Option<VideoOrientation>,
    pub(super) sources: Vec<u32>,
}

/// Takes parts in the order of their packets, and tells frames.
#[derive(Debug, Clone, Default)]
pub(super) struct Joining {
    open: Option<Open>,
    /// The packet before this one was here: where its frame ended, another begins.
    is_continuous: bool,
    lost: u32,
}

#[derive(Debug, Clone)]
struct Open {
    piece: Piece,
    joined: Joined,
    began: Instant,
    packets: u32,
    is_key: bool,
    is_damaged: bool,
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Whole(ReceivedFrame),
    /// Something of it is missing, or it was malformed.
    Damaged,
}

impl Joining {
    /// The next packet's part. A packet can end the frame before it and its own.
    pub(super) fn push(&mut self, ssrc: u32, piece: Piece, payload: &[u8], tell: &mut impl FnMut(Outcome)) {
        if payload.is_empty() {
            // Padding: nothing of any frame.
            self.is_continuous = true;
            return;
        }
        let is_same =
            |open: &Open| open.piece.timestamp == piece.timestamp && open.piece.payload_type == piece.payload_type;
        if !self.open.as_ref().is_some_and(is_same) {
            self.finish(ssrc, tell);
            let is_marked = piece.is_marked;
            let began = piece.arrived;
            let mut open =
                Open { piece, joined: Joined::default(), began, packets: 1, is_key: false, is_damaged: false };
            match open.piece.format.part(payload, &mut open.joined) {
                Some(part) => {
                    // Where a format does not tell, only a frame's beginning looks like a key frame.
                    let begins = part.is_first.unwrap_or(self.is_continuous || part.is_key);
                    open.is_damaged = !begins;
                    open.is_key = part.is_key;
                }
                None => open.is_damaged = true,
            }
            self.is_continuous = true;
            let ends = is_marked || open.piece.format == Format::Whole;
            self.open = Some(open);
            if ends {
                self.finish(ssrc, tell);
            }
        } else if let Some(open) = &mut self.open {
            match open.piece.format.part(payload, &mut open.joined) {
                Some(part) => open.is_key |= part.is_key,
                None => open.is_damaged = true,
            }
            open.is_damaged |= open.joined.bytes.len() > MAX_BYTES;
            if open.is_damaged {
                open.joined = Joined::default();
            }
            open.packets += 1;
            open.began = open.began.min(piece.arrived);
            open.piece.arrived = open.piece.arrived.max(piece.arrived);
            open.piece.orientation = piece.orientation.or(open.piece.orientation);
            if piece.is_marked {
                self.finish(ssrc, tell);
            }
        }
    }

    /// So many packets will not come.
    pub(super) fn skip(&mut self, count: u32, tell: &mut impl FnMut(Outcome)) {
        self.lost = self.lost.saturating_add(count);
        self.is_continuous = false;
        if self.open.take().is_some() {
            tell(Outcome::Damaged);
        }
    }

    /// A frame that told of so many was not passed on: the next one tells of them.
    pub(super) fn lost_too(&mut self, count: u32) {
        self.lost = self.lost.saturating_add(count);
    }

    fn finish(&mut self, ssrc: u32, tell: &mut impl FnMut(Outcome)) {
        let Some(open) = self.open.take() else { return };
        if open.is_damaged {
            return tell(Outcome::Damaged);
        }
        let piece = open.piece;
        tell(Outcome::Whole(ReceivedFrame {
            ssrc,
            payload_type: piece.payload_type,
            timestamp: piece.timestamp,
            bytes: open.joined.bytes,
            is_key: open.is_key,
            lost_before: std::mem::take(&mut self.lost),
            began: open.began,
            arrived: piece.arrived,
            packets: open.packets,
            audio_level: piece.audio_level,
            orientation: piece.orientation,
            sources: piece.sources,
        }));
    }
}
