//! What was sent, until a feedback says what became of it (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const MAX_AGE: Duration = Duration::from_secs(10);
const MAX_PACKETS: usize = 16_384;
/// No packet on the wire is larger, whatever we are told.
const MAX_SIZE: usize = u16::MAX as usize;

#[derive(Debug, Default)]
pub(crate) struct History {
    packets: VecDeque<Sent>,
    /// What is below has been counted as arrived or lost.
    counted_below: u64,
}

/// What a feedback told that was news.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// In the order of their arrival.
    pub(crate) arrived: Vec<Arrived>,
    /// How many of those sent are known to have arrived or to be lost by now, and were not before.
    pub(crate) settled: u32,
    pub(crate) lost: u32,
    /// These were counted as lost before, and were only late.
    pub(crate) late: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    pub(crate) sent_at: Instant,
    /// Of the receiver's clock, which starts anywhere.
    pub(crate) arrival_us: i64,
    pub(crate) size: usize,
    pub(crate) probe: Option<u32>,
}

#[derive(Debug)]
struct Sent {
    number: u64,
    at: Instant,
    size: usize,
    probe: Option<u32>,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unknown,
    Missing,
    Arrived,
}

impl History {
    /// Numbers that do not increase are ignored.
    pub(crate) fn sent(&mut self, now: Instant, number: u64, size: usize, probe: Option<u32>) {
        if self.packets.back().is_some_and(|last| number <= last.number) {
            return;
        }
        while self.packets.len() >= MAX_PACKETS
            || self.packets.front().is_some_and(|first| now.saturating_duration_since(first.at) > MAX_AGE)
        {
            self.packets.pop_front();
        }
        self.packets.push_back(Sent { number, at: now, size: size.min(MAX_SIZE), probe, fate: Fate::Unknown });
    }

    pub(crate) fn feedback(&mut self, arrivals: impl Iterator<Item = (u64, Option<i64>)>) -> Report {
        let mut report = Report::default();
        let mut highest = None;
        for (number, arrival_us) in arrivals {
            let Ok(index) = self.packets.binary_search_by_key(&number, |sent| sent.number) else { continue };
            let sent = &mut self.packets[index];
            match arrival_us {
                Some(arrival_us) if sent.fate != Fate::Arrived => {
                    if sent.fate == Fate::Missing && number < self.counted_below {
                        report.late += 1;
                    }
                    sent.fate = Fate::Arrived;
                    highest = highest.max(Some(number));
                    report.arrived.push(Arrived { sent_at: sent.at, arrival_us, size: sent.size, probe: sent.probe });
                }
                None if sent.fate == Fate::Unknown => sent.fate = Fate::Missing,
                _ => {}
            }
        }
        if let Some(highest) = highest {
            self.count_to(highest, &mut report);
        }
        report.arrived.sort_by_key(|packet| packet.arrival_us);
        report
    }

    /// What is missing is lost once something later has arrived. Of what no feedback mentions nothing is known: it may
    /// be the feedback that was lost.
    fn count_to(&mut self, highest: u64, report: &mut Report) {
        let from = self.packets.partition_point(|sent| sent.number < self.counted_below);
        for sent in self.packets.range(from..).take_while(|sent| sent.number <= highest) {
            report.settled += u32::from(sent.fate != Fate::Unknown);
            report.lost += u32::from(sent.fate == Fate::Missing);
        }
        self.counted_below = self.counted_below.max(highest.saturating_add(1));
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.packets.len()
    }
}
