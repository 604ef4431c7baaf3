//! Sender and receiver reports (RFC 3550 §6.4).

use super::{append, kind, number};

const SENDER_INFO_LEN: usize = 20;
const BLOCK_LEN: usize = 24;
const MAX_BLOCKS: usize = 31;

/// What a sender says of itself, and of those it hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReport<'a> {
    pub sender: u32,
    pub info: SenderInfo,
    blocks: &'a [u8],
}

/// What somebody who sends nothing says of those it hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverReport<'a> {
    pub sender: u32,
    blocks: &'a [u8],
}

/// How much was sent, and which moment of the clock on the wall a timestamp is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// Seconds since 1900 in the upper 32 bits, their fraction in the lower.
    pub ntp: u64,
    /// The same moment in ticks of the payload's clock.
    pub timestamp: u32,
    pub packets: u32,
    /// Of payload, without headers and padding.
    pub octets: u32,
}

/// How a source is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    pub ssrc: u32,
    /// Since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Since the beginning; below zero where packets came twice. 24 bits.
    pub total_lost: i32,
    /// The highest sequence number, rounds included.
    pub highest_sequence: u32,
    /// In ticks of the payload's clock.
    pub jitter: u32,
    /// The middle 32 bits of `ntp` of the last sender report; 0 if there was none.
    pub last_report: u32,
    /// Since that came, in 65536ths of a second.
    pub delay: u32,
}

impl SenderReport<'_> {
    pub(super) fn parse(count: u8, body: &[u8]) -> Option<SenderReport<'_>> {
        let (head, blocks) = body.split_first_chunk::<{ 4 + SENDER_INFO_LEN }>()?;
        let info = SenderInfo {
            ntp: u64::from(number(&head[4..])?) << 32 | u64::from(number(&head[8..])?),
            timestamp: number(&head[12..])?,
            packets: number(&head[16..])?,
            octets: number(&head[20..])?,
        };
        Some(SenderReport { sender: number(head)?, info, blocks: first_blocks(count, blocks)? })
    }

    pub fn blocks(&self) -> impl ExactSizeIterator<Item = ReportBlock> + '_ {
        self.blocks.chunks_exact(BLOCK_LEN).map(ReportBlock::parse)
    }
}

impl ReceiverReport<'_> {
    pub(super) fn parse(count: u8, body: &[u8]) -> Option<ReceiverReport<'_>> {
        let (sender, blocks) = body.split_first_chunk::<4>()?;
        Some(ReceiverReport { sender: u32::from_be_bytes(*sender), blocks: first_blocks(count, blocks)? })
    }

    pub fn blocks(&self) -> impl ExactSizeIterator<Item = ReportBlock> + '_ {
        self.blocks.chunks_exact(BLOCK_LEN).map(ReportBlock::parse)
    }
}

/// What follows them is an extension of some profile.
fn first_blocks(count: u8, bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(..BLOCK_LEN * usize::from(count))
}

impl ReportBlock {
    fn parse(bytes: &[u8]) -> Self {
        let word = |at: usize| number(&bytes[at..]).unwrap_or_default();
        Self {
            ssrc: word(0),
            fraction_lost: bytes[4],
            // The sign of the upper of 24 bits.
            total_lost: (word(4) << 8).cast_signed() >> 8,
            highest_sequence: word(8),
            jitter: word(12),
            last_report: word(16),
            delay: word(20),
        }
    }

    fn write(&self, packet: &mut Vec<u8>) {
        let lost = self.total_lost.clamp(-0x80_0000, 0x7f_ffff).cast_unsigned() & 0xff_ffff;
        for word in [
            self.ssrc,
            u32::from(self.fraction_lost) << 24 | lost,
            self.highest_sequence,
            self.jitter,
            self.last_report,
            self.delay,
        ] {
            packet.extend(word.to_be_bytes());
        }
    }
}

/// Appends a sender report. Of the blocks the first 31.
pub fn write_sender_report(compound: &mut Vec<u8>, sender: u32, info: &SenderInfo, blocks: &[ReportBlock]) {
    let blocks = &blocks[..blocks.len().min(MAX_BLOCKS)];
    append(compound, kind::SENDER_REPORT, blocks.len() as u8, |packet| {
        packet.extend(sender.to_be_bytes());
        packet.extend(info.ntp.to_be_bytes());
        for word in [info.timestamp, info.packets, info.octets] {
            packet.extend(word.to_be_bytes());
        }
        blocks.iter().for_each(|block| block.write(packet));
    });
}

/// Appends a receiver report. Of the blocks the first 31.
pub fn write_receiver_report(compound: &mut Vec<u8>, sender: u32, blocks: &[ReportBlock]) {
    let blocks = &blocks[..blocks.len().min(MAX_BLOCKS)];
    append(compound, kind::RECEIVER_REPORT, blocks.len() as u8, |packet| {
        packet.extend(sender.to_be_bytes());
        blocks.iter().for_each(|block| block.write(packet));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::{Rtcp, packets};

    const INFO: SenderInfo = SenderInfo { ntp: 0x0102_0304_0506_0708, timestamp: 9, packets: 10, octets: 11 };

    fn block(ssrc: u32, total_lost: i32) -> ReportBlock {
        ReportBlock {
            ssrc,
            fraction_lost: 64,
            total_lost,
            highest_sequence: 0x0001_ffff,
            jitter: 5,
            last_report: 6,
            delay: 7,
        }
    }

    #[test]
    fn a_report_is_what_the_rfc_draws() {
        let mut bytes = Vec::new();
        write_sender_report(&mut bytes, 1, &INFO, &[block(2, -1)]);
        let expected = b"\x81\xc8\0\x0c\0\0\0\x01\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\x09\0\0\0\x0a\0\0\0\x0b\
            \0\0\0\x02\x40\xff\xff\xff\0\x01\xff\xff\0\0\0\x05\0\0\0\x06\0\0\0\x07";
        assert_eq!(bytes, expected);
    }

    #[test]
    fn reports_are_read_as_written_and_counts_end_where_they_can() {
        let blocks: Vec<_> = (0..40).map(|ssrc| block(ssrc, 20_000_000 - 1_000_000 * ssrc.cast_signed())).collect();
        let mut bytes = Vec::new();
        write_sender_report(&mut bytes, 7, &INFO, &blocks);
        write_receiver_report(&mut bytes, 8, &blocks[20..22]);
        let read: Vec<_> = packets(&bytes).collect();
        let [Rtcp::SenderReport(sent), Rtcp::ReceiverReport(received)] = &read[..] else { panic!("{read:?}") };
        assert_eq!((sent.sender, sent.info, sent.blocks().len()), (7, INFO, 31));
        assert_eq!(sent.blocks().next().unwrap().total_lost, 0x7f_ffff, "no more can be said");
        assert!(
            sent.blocks()
                .skip(12)
                .eq(blocks[12..29].iter().chain(&sent.blocks().skip(29).collect::<Vec<_>>()).copied())
        );
        assert_eq!(received.sender, 8);
        assert!(received.blocks().eq(blocks[20..22].iter().copied()));
    }

    #[test]
    fn a_report_with_fewer_blocks_than_it_says_is_none() {
        assert_eq!(packets(b"\x81\xc9\0\x01\0\0\0\x01").count(), 0);
        assert_eq!(packets(b"\x80\xc8\0\x01\0\0\0\x01").count(), 0);
    }
}
