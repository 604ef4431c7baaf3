//! Formats in which a packet is a frame: Opus (RFC 7587 §4.2), G.711 and G.722 (RFC 3551 §4.5).

use super::{Joined, Part};

pub(super) fn part(payload: &[u8], frame: &mut Joined) -> Option<Part> {
    frame.bytes.extend(payload);
    Some(Part { is_first: Some(true), is_key: true })
}

/// The one payload of a frame; an empty frame has none.
#[derive(Debug, Clone)]
pub struct Payloads<'f> {
    frame: &'f [u8],
}

impl<'f> Payloads<'f> {
    pub(super) fn new(frame: &'f [u8]) -> Self {
        Self { frame }
    }

    pub(super) fn write_next(&mut self, packet: &mut Vec<u8>) -> Option<bool> {
        let frame = std::mem::take(&mut self.frame);
        packet.extend(frame);
        (!frame.is_empty()).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::payload::{Format, Joined, Packetizer, Part};

    #[test]
    fn a_frame_is_a_packet_however_long() {
        let frame = [7; 3000];
        let mut payloads = Packetizer::new(Format::Whole).cut(&frame, 1200);
        let mut packet = Vec::new();
        assert_eq!(payloads.write_next(&mut packet), Some(true));
        assert_eq!(payloads.write_next(&mut packet), None);
        let mut joined = Joined::default();
        let part = Format::Whole.part(&packet, &mut joined);
        assert_eq!(part, Some(Part { is_first: Some(true), is_key: true }));
        assert_eq!(joined.bytes, frame);
        assert_eq!(Packetizer::new(Format::Whole).cut(&[], 1200).write_next(&mut packet), None);
    }
}
