//! Numbers for peers, so that four bytes stand before their data instead of thirty-six (RFC 8656 §12).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use peerline_wire::channel_data::FIRST_CHANNEL;

/// RFC 8656 §12.
const LIFETIME: Duration = Duration::from_secs(600);
/// One that was used is bound again so early that a lost request can be repeated.
const REFRESH_AFTER: Duration = Duration::from_secs(540);
/// What a server has refused is asked for again after this, if it is still wanted.
const REFUSED_FOR: Duration = Duration::from_secs(60);
/// A peer keeps its number for as long as the relay lives. Who comes after so many goes without.
const MAX_COUNT: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Channels {
    /// In the order of their numbers, without a gap.
    all: Vec<Channel>,
    /// The one that was sent on last: most likely it is the next one, too.
    latest: usize,
}

#[derive(Debug)]
struct Channel {
    peer: SocketAddr,
    /// Until then the server knows the number.
    bound_until: Option<Instant>,
    /// And until then it lets through what is sent on it.
    permitted_until: Option<Instant>,
    /// When to ask for it: of one that is bound, again. `None`: that is under way, or nobody needs it.
    ask_at: Option<Instant>,
    used: Instant,
}

impl Channels {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The number for data to this peer, if the server relays it.
    #[inline]
    pub(super) fn open(&mut self, now: Instant, peer: SocketAddr) -> Option<u16> {
        if self.all.get(self.latest).is_none_or(|channel| channel.peer != peer) {
            self.latest = self.all.iter().position(|channel| channel.peer == peer)?;
        }
        let channel = &mut self.all[self.latest];
        channel.used = now;
        let is_open = [channel.bound_until, channel.permitted_until].iter().all(|end| end.is_some_and(|end| now < end));
        is_open.then(|| number(self.latest))
    }

    /// Whose data comes on this number.
    #[inline]
    pub(super) fn peer(&self, number: u16) -> Option<SocketAddr> {
        Some(self.all.get(usize::from(number.checked_sub(FIRST_CHANNEL)?))?.peer)
    }

    /// The number to ask for, if it is time to ask for one.
    pub(super) fn ask(&mut self, now: Instant, peer: SocketAddr) -> Option<u16> {
        let at = match self.all.iter().position(|channel| channel.peer == peer) {
            Some(at) => at,
            None if self.all.len() >= MAX_COUNT => return None,
            None => {
                let (bound_until, permitted_until, ask_at) = (None, None, Some(now));
                self.all.push(Channel { peer, bound_until, permitted_until, ask_at, used: now });
                self.all.len() - 1
            }
        };
        let channel = &mut self.all[at];
        let is_bound = channel.bound_until.is_some_and(|end| now < end);
        if is_bound || channel.ask_at.is_none_or(|at| now < at) {
            return None;
        }
        channel.ask_at = None;
        Some(number(at))
    }

    /// It is bound, and has been since the server was asked at the earliest.
    pub(super) fn bind(&mut self, since: Instant, bound: u16) {
        if let Some(channel) = self.find_mut(bound) {
            channel.bound_until = Some(since + LIFETIME);
            channel.ask_at = Some(since + REFRESH_AFTER);
        }
    }

    /// The server does without it.
    pub(super) fn refuse(&mut self, now: Instant, refused: u16) {
        if let Some(channel) = self.find_mut(refused) {
            channel.bound_until = None;
            channel.ask_at = Some(now + REFUSED_FOR);
        }
    }

    /// Nobody has answered: one that stands does so until it expires.
    pub(super) fn give_up(&mut self, now: Instant, silent: u16) {
        if let Some(channel) = self.find_mut(silent).filter(|channel| channel.bound_until.is_none()) {
            channel.ask_at = Some(now);
        }
    }

    /// The server lets data of this address through until then.
    pub(super) fn permit(&mut self, ip: IpAddr, until: Instant) {
        for channel in self.all.iter_mut().filter(|channel| channel.peer.ip() == ip) {
            channel.permitted_until = channel.permitted_until.max(Some(until));
        }
    }

    /// When something was last sent to this address on a channel.
    pub(super) fn used(&self, ip: IpAddr) -> Option<Instant> {
        self.all.iter().filter(|channel| channel.peer.ip() == ip).map(|channel| channel.used).max()
    }

    /// Those that have to be bound again.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(u16, SocketAddr)> {
        let mut wanted = Vec::new();
        for (at, channel) in self.all.iter_mut().enumerate() {
            let Some(until) = channel.bound_until else { continue };
            if channel.ask_at.is_some_and(|at| now >= at) {
                channel.ask_at = None;
                if channel.used + REFRESH_AFTER > now {
                    wanted.push((number(at), channel.peer));
                }
            }
            if now >= until {
                channel.bound_until = None;
                channel.ask_at = Some(now);
            }
        }
        wanted
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let of_one = |channel: &Channel| Some(channel.ask_at.unwrap_or(channel.bound_until?).min(channel.bound_until?));
        self.all.iter().filter_map(of_one).min()
    }

    fn find_mut(&mut self, number: u16) -> Option<&mut Channel> {
        self.all.get_mut(usize::from(number.checked_sub(FIRST_CHANNEL)?))
    }
}

fn number(at: usize) -> u16 {
    FIRST_CHANNEL + at as u16
}
