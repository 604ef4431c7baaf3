//! The channels of one allocation: a number for a peer, both ways (RFC 8656 §12).

use std::collections::HashMap;
use std::net::SocketAddr;

use foldhash::fast::RandomState;

use crate::host::RelayId;

pub(crate) const LIFETIME_S: u32 = 600;
pub(crate) const FIRST_NUMBER: u16 = 0x4000;
/// RFC 8656 ends at 0x4FFF, RFC 5766 ended here, and clients made for it, coturn's among them, choose from all of it.
pub(crate) const LAST_NUMBER: u16 = 0x7FFF;

/// With more channels than this a peer is found through a table of its own.
const SEARCHED: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Channel {
    pub(crate) number: u16,
    pub(crate) relay: RelayId,
    pub(crate) peer: SocketAddr,
    pub(crate) expires_s: u32,
    /// Whether the permission that it needs is there as well.
    pub(crate) is_open: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Channels {
    /// By number; clients give them out in a row, so this is mostly an index.
    sorted: Vec<Channel>,
    /// Empty while there are few.
    by_peer: HashMap<SocketAddr, u16, RandomState>,
}

impl Channels {
    #[inline]
    pub(crate) fn get(&self, number: u16) -> Option<&Channel> {
        let guess = usize::from(number.wrapping_sub(FIRST_NUMBER));
        match self.sorted.get(guess) {
            Some(channel) if channel.number == number => Some(channel),
            _ => self.position(number).ok().map(|index| &self.sorted[index]),
        }
    }

    #[inline]
    pub(crate) fn of_peer(&self, peer: SocketAddr) -> Option<&Channel> {
        if self.sorted.len() <= SEARCHED {
            return self.sorted.iter().find(|channel| channel.peer == peer);
        }
        self.get(*self.by_peer.get(&peer)?)
    }

    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.sorted.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Channel> {
        self.sorted.iter_mut()
    }

    /// Adds it, or replaces the one of this number, which has the same peer.
    pub(crate) fn insert(&mut self, channel: Channel) {
        match self.position(channel.number) {
            Ok(index) => self.sorted[index] = channel,
            Err(index) => self.sorted.insert(index, channel),
        }
        self.index();
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&Channel) -> bool) {
        let before = self.sorted.len();
        self.sorted.retain(keep);
        if self.sorted.len() < before {
            self.by_peer.clear();
            self.index();
        }
    }

    fn position(&self, number: u16) -> Result<usize, usize> {
        self.sorted.binary_search_by_key(&number, |channel| channel.number)
    }

    fn index(&mut self) {
        if self.sorted.len() > SEARCHED && self.by_peer.len() != self.sorted.len() {
            self.by_peer = self.sorted.iter().map(|channel| (channel.peer, channel.number)).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(number: u16) -> Channel {
        let peer = SocketAddr::from(([192, 0, 2, 1], number));
        Channel { number, relay: RelayId(0), peer, expires_s: 0, is_open: true }
    }

    #[test]
    fn a_channel_is_found_by_number_and_by_peer_few_or_many() {
        let mut channels = Channels::default();
        // Out of order and with gaps, across the size where the table begins.
        let numbers: Vec<u16> = (0..40).map(|n| FIRST_NUMBER + n * 7 % 41).collect();
        for (count, number) in numbers.iter().enumerate() {
            channels.insert(channel(*number));
            assert_eq!(channels.len(), count + 1);
            for number in &numbers[..=count] {
                assert_eq!(channels.get(*number), Some(&channel(*number)));
                assert_eq!(channels.of_peer(channel(*number).peer), Some(&channel(*number)));
            }
        }
        assert_eq!(channels.get(LAST_NUMBER), None);
        assert_eq!(channels.get(0), None);
        channels.retain(|channel| channel.number % 2 == 0);
        for number in numbers {
            let expected = (number % 2 == 0).then(|| channel(number));
            assert_eq!(channels.get(number).copied(), expected);
            assert_eq!(channels.of_peer(channel(number).peer).copied(), expected);
        }
    }
}
