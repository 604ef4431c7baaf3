//! Which section a packet belongs to (RFC 8843 §9.2).

use std::collections::HashMap;

use peerline_wire::rtp::Packet;

use crate::plan::{Plan, Section};
use crate::receiver::Stream;

/// A peer chooses its sources: more than these are nobody's.
const MAX_ROUTES: usize = 256;

/// What a source sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Frames of a section.
    Media { key: u32 },
    /// Packets of it once more; of this source, if that is known.
    Repair { key: u32, of: Option<u32> },
}

impl Route {
    fn key(self) -> u32 {
        match self {
            Self::Media { key } | Self::Repair { key, .. } => key,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Routes {
    // Sources are chosen by the peer: the standard library's hash is keyed by chance.
    known: HashMap<u32, Route>,
    /// The same id means the same in all sections (RFC 8843 §9.3).
    mid_id: Option<u8>,
}

impl Routes {
    /// Sources that descriptions name, and those that were found before.
    pub(super) fn new(plan: &Plan, streams: &[Stream]) -> Self {
        let mut known = HashMap::new();
        for section in &plan.sections {
            for (ssrc, rtx) in &section.sources {
                known.insert(*ssrc, Route::Media { key: section.key });
                if let Some(rtx) = rtx {
                    known.insert(*rtx, Route::Repair { key: section.key, of: Some(*ssrc) });
                }
            }
        }
        for stream in streams {
            known.entry(stream.ssrc).or_insert(Route::Media { key: stream.key });
        }
        Self { known, mid_id: plan.sections.iter().find_map(|section| section.extensions.mid) }
    }

    /// `None`: nobody knows whose it is.
    pub(super) fn find(&mut self, plan: &Plan, packet: &Packet<'_>) -> Option<Route> {
        let ssrc = packet.header.ssrc;
        let named = self.mid_id.and_then(|id| packet.extensions.get(id));
        let section = match (named, self.known.get(&ssrc)) {
            (None, Some(route)) => return Some(*route),
            (Some(mid), known) => {
                let section = plan.sections.iter().find(|section| section.mid.as_bytes() == mid)?;
                if let Some(route) = known.filter(|route| route.key() == section.key) {
                    return Some(*route);
                }
                section
            }
            (None, None) => by_payload_type(plan, packet.header.payload_type)?,
        };
        if self.known.len() >= MAX_ROUTES {
            return None;
        }
        let payload_type = packet.header.payload_type;
        let is_repair = section.receive.iter().any(|codec| codec.rtx == Some(payload_type));
        let key = section.key;
        let route = if is_repair { Route::Repair { key, of: None } } else { Route::Media { key } };
        self.known.insert(ssrc, route);
        Some(route)
    }

    pub(super) fn forget(&mut self, ssrc: u32) {
        self.known.remove(&ssrc);
    }
}

/// The only one that has it.
fn by_payload_type(plan: &Plan, payload_type: u8) -> Option<&Section> {
    let has = |section: &&Section| {
        section.receive.iter().any(|codec| codec.payload_type == payload_type || codec.rtx == Some(payload_type))
    };
    let mut found = plan.sections.iter().filter(has);
    found.next().filter(|_| found.next().is_none())
}
