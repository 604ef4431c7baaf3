//! Whom the server lets through: addresses, without their ports (RFC 8656 §9, §10).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// RFC 8656 §9.
const LIFETIME: Duration = Duration::from_secs(300);
/// One that was used is asked for again so early that a lost request can be repeated.
const REFRESH_AFTER: Duration = Duration::from_secs(240);
/// What a server has refused is asked for again after this, if it is still wanted: it may have been too much at once
/// (508), or it is not allowed (403).
const REFUSED_FOR: Duration = Duration::from_secs(2);
const FORBIDDEN_FOR: Duration = Duration::from_secs(60);
/// Of one peer, until its permission stands.
const MAX_WAITING: usize = 8;
/// A peer names as many candidates as it likes.
const MAX_COUNT: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Permissions(Vec<Permission>);

#[derive(Debug)]
struct Permission {
    ip: IpAddr,
    state: State,
    used: Instant,
    /// To whom, and what.
    waiting: Vec<(SocketAddr, Vec<u8>)>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Asked,
    /// `refresh` is when to ask again; `None`: that is under way, or nobody needs it.
    Granted {
        since: Instant,
        refresh: Option<Instant>,
    },
    Refused {
        until: Instant,
    },
}

/// Whether something may be sent to an address now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    Open,
    /// It has been asked for.
    Pending,
    /// The server is to be asked.
    Unknown,
    Closed,
}

impl Permissions {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Somebody wants to send there.
    pub(super) fn passage(&mut self, now: Instant, ip: IpAddr) -> Passage {
        let Some(permission) = self.find_mut(ip) else { return Passage::Unknown };
        permission.used = now;
        match permission.state {
            State::Granted { since, .. } if now < since + LIFETIME => Passage::Open,
            State::Granted { .. } => Passage::Unknown,
            State::Asked => Passage::Pending,
            State::Refused { until } if now < until => Passage::Closed,
            State::Refused { .. } => Passage::Unknown,
        }
    }

    /// Whether data that is said to be from there can be: the server was asked to let it through.
    pub(super) fn is_expected(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|one| one.ip == ip && !matches!(one.state, State::Refused { .. }))
    }

    /// The server is being asked. False: there are too many already.
    pub(super) fn ask(&mut self, now: Instant, ip: IpAddr) -> bool {
        if let Some(permission) = self.find_mut(ip) {
            permission.state = State::Asked;
        } else if self.0.len() < MAX_COUNT {
            self.0.push(Permission { ip, state: State::Asked, used: now, waiting: Vec::new() });
        } else {
            return false;
        }
        true
    }

    /// Keeps a packet until the permission stands. Of too many the last are lost, as on any network.
    pub(super) fn keep(&mut self, peer: SocketAddr, data: &[u8]) {
        if let Some(permission) = self.find_mut(peer.ip()).filter(|permission| permission.waiting.len() < MAX_WAITING) {
            permission.waiting.push((peer, data.to_vec()));
        }
    }

    /// It stands, and has since the server was asked at the earliest. Gives what has waited for it, and until when.
    pub(super) fn grant(&mut self, since: Instant, ip: IpAddr) -> (Vec<(SocketAddr, Vec<u8>)>, Instant) {
        let until = since + LIFETIME;
        let Some(permission) = self.find_mut(ip) else { return (Vec::new(), until) };
        permission.state = State::Granted { since, refresh: Some(since + REFRESH_AFTER) };
        (std::mem::take(&mut permission.waiting), until)
    }

    pub(super) fn refuse(&mut self, now: Instant, ip: IpAddr, code: u16) {
        if let Some(permission) = self.find_mut(ip) {
            permission.state = State::Refused { until: now + if code == 403 { FORBIDDEN_FOR } else { REFUSED_FOR } };
            permission.waiting.clear();
        }
    }

    /// Nobody has answered. One that stands does so until it expires; else the next packet asks again.
    pub(super) fn give_up(&mut self, ip: IpAddr) {
        self.0.retain(|one| one.ip != ip || !matches!(one.state, State::Asked));
    }

    /// Those that have to be asked for again: `used` says when something was last sent there by channels.
    pub(super) fn due(&mut self, now: Instant, used: impl Fn(IpAddr) -> Option<Instant>) -> Vec<IpAddr> {
        let mut wanted = Vec::new();
        self.0.retain_mut(|one| match &mut one.state {
            State::Asked => true,
            State::Refused { until } => now < *until,
            State::Granted { since, refresh } => {
                if refresh.is_some_and(|refresh| now >= refresh) {
                    *refresh = None;
                    if one.used.max(used(one.ip).unwrap_or(one.used)) > *since {
                        wanted.push(one.ip);
                    }
                }
                now < *since + LIFETIME
            }
        });
        wanted
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let of_one = |one: &Permission| match one.state {
            State::Asked => None,
            State::Refused { until } => Some(until),
            State::Granted { since, refresh } => Some(refresh.unwrap_or(since + LIFETIME)),
        };
        self.0.iter().filter_map(of_one).min()
    }

    fn find_mut(&mut self, ip: IpAddr) -> Option<&mut Permission> {
        self.0.iter_mut().find(|permission| permission.ip == ip)
    }
}
