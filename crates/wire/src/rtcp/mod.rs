//! RTCP: compound packets and what stands in them (RFC 3550 §6, RFC 4585 §6, RFC 5104 §4.3, REMB, transport-wide feedback).

mod feedback;
mod remb;
mod report;
mod source;
mod transport;

pub use feedback::{
    FullIntraRequest, FullIntraRequests, LostPackets, write_full_intra, write_nack, write_picture_loss,
};
pub use remb::{Remb, write_remb};
pub use report::{ReceiverReport, ReportBlock, SenderInfo, SenderReport, write_receiver_report, write_sender_report};
pub use source::{Bye, write_bye, write_cname};
pub use transport::{Arrivals, TransportFeedback, write_transport_feedback};

const HEADER_LEN: usize = 4;
const PADDED: u8 = 0x20;

/// One packet of a compound, borrowed from the datagram.
#[derive(Debug, Clone, PartialEq)]
pub enum Rtcp<'a> {
    SenderReport(SenderReport<'a>),
    ReceiverReport(ReceiverReport<'a>),
    /// The first CNAME of each source: its SSRC and the name's bytes.
    SourceDescription(Vec<(u32, &'a [u8])>),
    Bye(Bye<'a>),
    /// Packets of the source `media` that are missing (generic NACK).
    Nack {
        sender: u32,
        media: u32,
        lost: LostPackets<'a>,
    },
    /// A picture of the source `media` was lost: a key frame, please.
    PictureLoss {
        sender: u32,
        media: u32,
    },
    FullIntra {
        sender: u32,
        requests: FullIntraRequests<'a>,
    },
    Remb(Remb<'a>),
    TransportFeedback(TransportFeedback<'a>),
    /// Something else, which is passed over: its packet type and its count or format.
    Other {
        packet_type: u8,
        format: u8,
    },
}

/// Packet types (IANA: RTP parameters).
pub(crate) mod kind {
    pub(crate) const SENDER_REPORT: u8 = 200;
    pub(crate) const RECEIVER_REPORT: u8 = 201;
    pub(crate) const SOURCE_DESCRIPTION: u8 = 202;
    pub(crate) const BYE: u8 = 203;
    pub(crate) const TRANSPORT_FEEDBACK: u8 = 205;
    pub(crate) const PAYLOAD_FEEDBACK: u8 = 206;
}

/// Feedback formats: of 205 NACK and transport-wide, of 206 the others.
pub(crate) mod format {
    pub(crate) const NACK: u8 = 1;
    pub(crate) const TRANSPORT_WIDE: u8 = 15;
    pub(crate) const PICTURE_LOSS: u8 = 1;
    pub(crate) const FULL_INTRA: u8 = 4;
    pub(crate) const APPLICATION: u8 = 15;
}

/// The packets of a datagram, in their order. What is malformed is passed over, and what is cut short ends them; a
/// receiver report need not come first (RFC 5506).
pub fn packets(datagram: &[u8]) -> impl Iterator<Item = Rtcp<'_>> {
    Split { rest: datagram }.filter_map(|(head, body)| Rtcp::parse(head, body))
}

struct Split<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Split<'a> {
    type Item = ([u8; 2], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let &[first, packet_type, l1, l2] = self.rest.first_chunk::<HEADER_LEN>()?;
        let len = HEADER_LEN + 4 * usize::from(u16::from_be_bytes([l1, l2]));
        if first >> 6 != 2 {
            return None;
        }
        let (packet, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        let mut body = &packet[HEADER_LEN..];
        if first & PADDED != 0 {
            let padding = usize::from(*body.last()?);
            body = &body[..body.len().checked_sub(padding)?];
        }
        Some(([first & 0x1f, packet_type], body))
    }
}

impl<'a> Rtcp<'a> {
    fn parse([format, packet_type]: [u8; 2], body: &'a [u8]) -> Option<Self> {
        match packet_type {
            kind::SENDER_REPORT => SenderReport::parse(format, body).map(Self::SenderReport),
            kind::RECEIVER_REPORT => ReceiverReport::parse(format, body).map(Self::ReceiverReport),
            kind::SOURCE_DESCRIPTION => Some(Self::SourceDescription(source::names(format, body))),
            kind::BYE => Bye::parse(format, body).map(Self::Bye),
            kind::TRANSPORT_FEEDBACK | kind::PAYLOAD_FEEDBACK => {
                let (ssrcs, rest) = body.split_first_chunk::<8>()?;
                let (sender, media) = (number(&ssrcs[..4])?, number(&ssrcs[4..])?);
                match (packet_type, format) {
                    (kind::TRANSPORT_FEEDBACK, format::NACK) => {
                        Some(Self::Nack { sender, media, lost: LostPackets::new(rest) })
                    }
                    (kind::TRANSPORT_FEEDBACK, format::TRANSPORT_WIDE) => {
                        TransportFeedback::parse(sender, media, rest).map(Self::TransportFeedback)
                    }
                    (kind::PAYLOAD_FEEDBACK, format::PICTURE_LOSS) => Some(Self::PictureLoss { sender, media }),
                    (kind::PAYLOAD_FEEDBACK, format::FULL_INTRA) => {
                        Some(Self::FullIntra { sender, requests: FullIntraRequests::new(rest) })
                    }
                    (kind::PAYLOAD_FEEDBACK, format::APPLICATION) if rest.starts_with(remb::NAME) => {
                        Remb::parse(sender, rest).map(Self::Remb)
                    }
                    _ => Some(Self::Other { packet_type, format }),
                }
            }
            _ => Some(Self::Other { packet_type, format }),
        }
    }
}

/// Four bytes from here on.
fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}

/// Appends a packet: what `write` appends is its body, filled up to a multiple of four with zeros.
fn append(compound: &mut Vec<u8>, packet_type: u8, format: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let begin = compound.len();
    compound.extend([2 << 6 | format & 0x1f, packet_type, 0, 0]);
    write(compound);
    let len = (compound.len() - begin).next_multiple_of(4);
    compound.resize(begin + len, 0);
    let words = (len / 4 - 1) as u16;
    compound[begin + 2..begin + 4].copy_from_slice(&words.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_compound_is_read_packet_by_packet() {
        let mut bytes = Vec::new();
        write_receiver_report(&mut bytes, 1, &[]);
        write_cname(&mut bytes, 1, "ann");
        write_picture_loss(&mut bytes, 1, 2);
        bytes.extend(b"\x81\xcd\0\x02short..");
        let read: Vec<_> = packets(&bytes).collect();
        assert_eq!(read.len(), 3);
        assert!(matches!(&read[0], Rtcp::ReceiverReport(report) if report.sender == 1 && report.blocks().len() == 0));
        assert_eq!(read[1], Rtcp::SourceDescription(vec![(1, &b"ann"[..])]));
        assert_eq!(read[2], Rtcp::PictureLoss { sender: 1, media: 2 });
    }

    #[test]
    fn one_that_is_malformed_is_passed_over_and_what_is_unknown_is_named() {
        let mut bytes = b"\x81\xc8\0\x01\0\0\0\x01\x82\xcc\0\x01\0\0\0\x01".to_vec();
        write_picture_loss(&mut bytes, 1, 2);
        let read: Vec<_> = packets(&bytes).collect();
        assert_eq!(read, [Rtcp::Other { packet_type: 204, format: 2 }, Rtcp::PictureLoss { sender: 1, media: 2 }]);
    }

    #[test]
    fn padding_at_the_end_is_no_content() {
        let bytes = b"\xa1\xce\0\x03\0\0\0\x01\0\0\0\x02\0\0\0\x04";
        assert_eq!(packets(bytes).collect::<Vec<_>>(), [Rtcp::PictureLoss { sender: 1, media: 2 }]);
        assert_eq!(packets(b"\xa1\xce\0\x02\0\0\0\x01\0\0\0\x09").count(), 0, "more padding than there is");
        assert_eq!(packets(b"\x41\xce\0\x02\0\0\0\x01\0\0\0\x02").count(), 0, "another version");
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(head in 0x80..0xa0_u8, packet_type in 199..208_u8, body: Vec<u8>) {
            let mut bytes = vec![head, packet_type, 0, (body.len() / 4) as u8];
            bytes.extend(&body);
            for packet in packets(&bytes).chain(packets(&body)) {
                match packet {
                    Rtcp::SenderReport(report) => assert!(report.blocks().count() < 32),
                    Rtcp::ReceiverReport(report) => assert!(report.blocks().count() < 32),
                    Rtcp::Nack { lost, .. } => assert!(lost.sequences().count() <= body.len() * 5),
                    Rtcp::FullIntra { requests, .. } => assert!(requests.iter().count() <= body.len()),
                    Rtcp::Remb(remb) => assert!(remb.sources().count() < 256),
                    Rtcp::TransportFeedback(feedback) => {
                        assert_eq!(feedback.arrivals().count(), usize::from(feedback.packet_count));
                    }
                    _ => {}
                }
            }
        }
    }
}
