//! Any datagram as RTP and as RTCP: what is read can be written, and reads the same; what is promised of lengths holds.

use peerline_rtp::payload::{Format, Joined};
use peerline_wire::rtcp::{
    Rtcp, packets, write_full_intra, write_nack, write_receiver_report, write_remb, write_sender_report,
    write_transport_feedback,
};
use peerline_wire::rtp::{Packet, header_len, pad};
use peerline_wire::rtp_ext::ExtensionsWriter;

/// Panics if something does not hold.
pub(crate) fn run(bytes: &[u8]) {
    as_rtp(bytes);
    packets(bytes).for_each(|packet| as_rtcp(&packet));
}

fn as_rtp(bytes: &[u8]) {
    let Ok(read) = Packet::parse(bytes) else { return };
    let begin = header_len(bytes).expect("it was read before");
    assert_eq!(begin + read.payload.len() + usize::from(read.padding_len), bytes.len());
    for format in [Format::Whole, Format::Vp8, Format::Vp9, Format::H264, Format::Av1] {
        let mut joined = Joined::default();
        for piece in [read.payload, &read.payload[read.payload.len() / 2..]] {
            let before = joined.bytes.len();
            let part = format.part(piece, &mut joined);
            assert!(part.is_some() || joined.bytes.len() == before);
        }
    }
    let mut extensions = ExtensionsWriter::new();
    for (id, value) in read.extensions.iter() {
        assert!(extensions.push(id, value));
    }
    let mut written = Vec::new();
    read.header.write(&read.sources().collect::<Vec<_>>(), &extensions, &mut written);
    written.extend(read.payload);
    pad(&mut written, read.padding_len);
    let again = Packet::parse(&written).expect("we wrote it");
    assert_eq!((again.header, again.payload, again.padding_len), (read.header, read.payload, read.padding_len));
    assert!(again.sources().eq(read.sources()) && again.extensions.iter().eq(read.extensions.iter()));
}

fn as_rtcp(packet: &Rtcp<'_>) {
    let mut written = Vec::new();
    match packet {
        Rtcp::SenderReport(report) => {
            write_sender_report(&mut written, report.sender, &report.info, &report.blocks().collect::<Vec<_>>());
        }
        Rtcp::ReceiverReport(report) => {
            write_receiver_report(&mut written, report.sender, &report.blocks().collect::<Vec<_>>());
        }
        Rtcp::Nack { sender, media, lost } => {
            write_nack(&mut written, *sender, *media, &lost.sequences().collect::<Vec<_>>());
        }
        Rtcp::FullIntra { sender, requests } => {
            write_full_intra(&mut written, *sender, &requests.iter().collect::<Vec<_>>());
        }
        Rtcp::Remb(remb) => {
            write_remb(&mut written, remb.sender, remb.bitrate_bps, &remb.sources().collect::<Vec<_>>());
        }
        Rtcp::TransportFeedback(feedback) => {
            let (sequences, arrivals): (Vec<_>, Vec<_>) = feedback.arrivals().unzip();
            assert_eq!(sequences.len(), usize::from(feedback.packet_count));
            let (sender, media, first) = (feedback.sender, feedback.media, feedback.first_sequence);
            let told = write_transport_feedback(&mut written, sender, media, feedback.number, first, &arrivals);
            assert!(told == arrivals.len() || arrivals[told].is_some());
        }
        Rtcp::SourceDescription(_) | Rtcp::Bye(_) | Rtcp::PictureLoss { .. } | Rtcp::Other { .. } => return,
    }
    assert_eq!((written.len() % 4, packets(&written).count()), (0, 1));
}
