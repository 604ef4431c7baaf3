//! What was sent and is not acknowledged for good, and what of it is lost (RFC 9260 §6.3, §7.2.4; RFC 9002 §6.1).
//!
//! Each packet has an order. A chunk is lost when a packet that left three later has arrived: the packet threshold of
//! QUIC, which also sees that a retransmission was lost, as the count of missing reports cannot.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use crate::messages::{MessageId, Messages};
use crate::sack::Sack;
use crate::send_queue::Piece;
use crate::serial::near32;

const REORDERING: u64 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    UnderWay,
    /// It is to be sent again.
    Lost,
    /// The other side has it, and misses one before it.
    Arrived,
    Abandoned,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) message: MessageId,
    pub(crate) offset: u32,
    pub(crate) len: u32,
    pub(crate) is_begin: bool,
    pub(crate) is_end: bool,
    pub(crate) fsn: u32,
    pub(crate) fate: Fate,
    /// How often it was sent.
    pub(crate) times: u16,
    /// Of the packet it left in last, and when that was.
    pub(crate) order: u64,
    pub(crate) at: Instant,
    /// Of the packet it left in first.
    first_order: u64,
}

impl Sent {
    pub(crate) fn new(piece: &Piece, order: u64, at: Instant) -> Self {
        Self {
            message: piece.message,
            offset: piece.offset as u32,
            len: piece.len as u32,
            is_begin: piece.is_begin,
            is_end: piece.is_end,
            fsn: piece.fsn,
            fate: Fate::UnderWay,
            times: 1,
            order,
            at,
            first_order: order,
        }
    }
}

/// What a SACK has brought.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct News {
    pub(crate) bytes: usize,
    pub(crate) has_moved_on: bool,
    /// When the newest chunk was sent that arrived and was sent once.
    pub(crate) newest: Option<Instant>,
    /// The newest packet that a chunk was found lost of.
    pub(crate) lost: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Flight {
    /// TSN of the first.
    first: u64,
    sent: VecDeque<Sent>,
    bytes: usize,
    lost: BTreeSet<u64>,
    largest_arrived: u64,
}

impl Flight {
    pub(crate) fn new(first_tsn: u64) -> Self {
        Self { first: first_tsn, sent: VecDeque::new(), bytes: 0, lost: BTreeSet::new(), largest_arrived: 0 }
    }

    /// Bytes that are thought to be in the network.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    pub(crate) fn next_tsn(&self) -> u64 {
        self.first + self.sent.len() as u64
    }

    pub(crate) fn push(&mut self, sent: Sent) -> u64 {
        self.bytes += sent.len as usize;
        self.sent.push_back(sent);
        self.next_tsn() - 1
    }

    pub(crate) fn at(&self, tsn: u64) -> &Sent {
        &self.sent[(tsn - self.first) as usize]
    }

    pub(crate) fn first_lost(&self) -> Option<u64> {
        self.lost.first().copied()
    }

    /// The newest that is under way, to ask with.
    pub(crate) fn last_under_way(&self) -> Option<u64> {
        let at = self.sent.iter().rposition(|sent| sent.fate == Fate::UnderWay)?;
        Some(self.first + at as u64)
    }

    /// It leaves again.
    pub(crate) fn sent_again(&mut self, tsn: u64, order: u64, now: Instant) {
        self.lost.remove(&tsn);
        let sent = &mut self.sent[(tsn - self.first) as usize];
        if sent.fate == Fate::Lost {
            self.bytes += sent.len as usize;
        }
        (sent.fate, sent.order, sent.at) = (Fate::UnderWay, order, now);
        sent.times = sent.times.saturating_add(1);
    }

    /// Takes in a SACK. `None`: it acknowledges what was never sent, or is older than one before it.
    pub(crate) fn acknowledge(&mut self, sack: &Sack<'_>, messages: &mut Messages) -> Option<News> {
        let cumulative = near32(self.first, sack.cumulative);
        if cumulative + 1 < self.first || cumulative >= self.next_tsn() {
            return None;
        }
        let mut news = News { has_moved_on: cumulative >= self.first, ..News::default() };
        while self.first <= cumulative {
            let sent = self.sent.pop_front().expect("it was sent");
            self.arrived(self.first, &sent, &mut news);
            messages.settle(sent.message);
            self.first += 1;
        }
        let mut has_gaps = false;
        for (start, end) in sack.gaps() {
            has_gaps = true;
            let end = (cumulative + u64::from(end) + 1).min(self.next_tsn());
            for tsn in (cumulative + u64::from(start)).max(self.first)..end {
                let sent = self.sent[(tsn - self.first) as usize];
                if matches!(sent.fate, Fate::UnderWay | Fate::Lost) {
                    self.arrived(tsn, &sent, &mut news);
                    self.sent[(tsn - self.first) as usize].fate = Fate::Arrived;
                }
            }
        }
        if has_gaps || news.bytes > 0 {
            self.find_lost(&mut news);
        }
        if self.sent.is_empty() && self.sent.capacity() > 64 {
            self.sent = VecDeque::new();
        }
        Some(news)
    }

    /// Everything that is under way counts as lost.
    pub(crate) fn lose_all(&mut self) {
        for (at, sent) in self.sent.iter_mut().enumerate() {
            if sent.fate == Fate::UnderWay {
                sent.fate = Fate::Lost;
                self.lost.insert(self.first + at as u64);
            }
        }
        self.bytes = 0;
    }

    /// Gives a message up, if pieces of it are under way.
    pub(crate) fn abandon(&mut self, message: MessageId, messages: &mut Messages) {
        for (at, sent) in self.sent.iter_mut().enumerate() {
            if sent.message != message || sent.fate == Fate::Abandoned {
                continue;
            }
            if sent.fate == Fate::UnderWay {
                self.bytes -= sent.len as usize;
            }
            sent.fate = Fate::Abandoned;
            self.lost.remove(&(self.first + at as u64));
            messages.at_mut(message).is_abandoned = true;
        }
    }

    /// Those before all others that were given up: the other side need not wait for them.
    pub(crate) fn abandoned(&self) -> impl Iterator<Item = (u64, &Sent)> {
        (self.first..).zip(self.sent.iter().take_while(|sent| sent.fate == Fate::Abandoned))
    }

    pub(crate) fn has_abandoned(&self) -> bool {
        self.sent.front().is_some_and(|sent| sent.fate == Fate::Abandoned)
    }

    fn arrived(&mut self, tsn: u64, sent: &Sent, news: &mut News) {
        match sent.fate {
            Fate::UnderWay => self.bytes -= sent.len as usize,
            Fate::Lost => {
                self.lost.remove(&tsn);
            }
            Fate::Arrived | Fate::Abandoned => return,
        }
        news.bytes += sent.len as usize;
        // Of one that was sent twice nobody knows which of the two it was: the first at the latest.
        self.largest_arrived = self.largest_arrived.max(sent.first_order);
        if sent.times == 1 {
            news.newest = news.newest.max(Some(sent.at));
        }
    }

    fn find_lost(&mut self, news: &mut News) {
        let largest = self.largest_arrived;
        for (at, sent) in self.sent.iter_mut().enumerate() {
            // What left in order ends the search; what was sent again may stand before it.
            if sent.times == 1 && sent.order + REORDERING > largest {
                break;
            }
            if sent.fate == Fate::UnderWay && sent.order + REORDERING <= largest {
                sent.fate = Fate::Lost;
                self.bytes -= sent.len as usize;
                self.lost.insert(self.first + at as u64);
                news.lost = news.lost.max(Some(sent.order));
            }
        }
    }
}
