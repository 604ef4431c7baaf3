//! A token bucket for each source, in bounded memory, for services that answer strangers.
//!
//! Whoever forges source addresses chooses our keys: they are hashed with a random key, and there is a cap. Above the
//! cap all new sources share one bucket; those that are known keep theirs. A bucket that is full again is forgotten,
//! since a forgotten source starts with a full one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How many sources are remembered at once, at 24 bytes each.
const MAX_SOURCES: usize = 32_768;
/// How often full buckets are looked for while there are any.
const SWEEP_EVERY: Duration = Duration::from_millis(250);

/// So many answers a second to one source (an IPv4 address, an IPv6 /64), and so many at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    pub per_second: u32,
    pub burst: u32,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { per_second: 50, burst: 100 }
    }
}

#[derive(Debug)]
pub struct RateLimiter {
    started: Instant,
    /// What one answer takes out of a bucket, in time it needs to fill up again.
    cost: Duration,
    depth: Duration,
    /// For each source, when its bucket will be full again, counted from `started`.
    full_at: HashMap<Source, Duration>,
    full_at_of_the_others: Duration,
    next_sweep: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    Ipv4(u32),
    Ipv6Prefix(u64),
}

impl RateLimiter {
    /// Less than one a second, or one at once, is not to be had.
    pub fn new(limit: RateLimit, now: Instant) -> Self {
        let cost = Duration::from_secs(1) / limit.per_second.max(1);
        let (full_at, others) = (HashMap::new(), Duration::ZERO);
        Self {
            started: now,
            cost,
            depth: cost * limit.burst.max(1),
            full_at,
            full_at_of_the_others: others,
            next_sweep: None,
        }
    }

    /// Takes one token of this source, if it has one.
    pub fn allow(&mut self, now: Instant, ip: IpAddr) -> bool {
        let elapsed = now.saturating_duration_since(self.started);
        let is_full = self.full_at.len() >= MAX_SOURCES;
        let source = Source::of(ip);
        let full_at = match self.full_at.get_mut(&source) {
            Some(full_at) => full_at,
            None if is_full => &mut self.full_at_of_the_others,
            None => {
                self.next_sweep.get_or_insert(now + SWEEP_EVERY);
                self.full_at.entry(source).or_default()
            }
        };
        let after = (*full_at).max(elapsed) + self.cost;
        if after > elapsed + self.depth {
            return false;
        }
        *full_at = after;
        true
    }

    /// When [`Self::sweep`] is worth calling.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next_sweep
    }

    /// Forgets the sources whose buckets are full.
    pub fn sweep(&mut self, now: Instant) {
        if self.next_sweep.is_none_or(|at| at > now) {
            return;
        }
        let elapsed = now.saturating_duration_since(self.started);
        self.full_at.retain(|_, full_at| *full_at > elapsed);
        self.next_sweep = (!self.full_at.is_empty()).then(|| now + SWEEP_EVERY);
    }
}

impl Source {
    fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::Ipv4(ip.to_bits()),
            IpAddr::V6(ip) => Self::Ipv6Prefix((ip.to_bits() >> 64) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LIMIT: RateLimit = RateLimit { per_second: 10, burst: 3 };

    fn limiter() -> (RateLimiter, Instant) {
        let now = Instant::now();
        (RateLimiter::new(LIMIT, now), now)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let (mut limiter, now) = limiter();
        let allowed = (0..10).filter(|_| limiter.allow(now, ip("192.0.2.1"))).count();
        assert_eq!(allowed, 3);
        assert!(!limiter.allow(now + Duration::from_millis(99), ip("192.0.2.1")));
        assert!(limiter.allow(now + Duration::from_millis(100), ip("192.0.2.1")));
        assert!(!limiter.allow(now + Duration::from_millis(101), ip("192.0.2.1")));
        assert!(limiter.allow(now, ip("192.0.2.2")), "another source has its own bucket");
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_source() {
        let (mut limiter, now) = limiter();
        for host in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
            assert!(limiter.allow(now, ip(host)));
        }
        assert!(!limiter.allow(now, ip("2001:db8::4")));
        assert!(limiter.allow(now, ip("2001:db8:0:1::1")));
    }

    #[test]
    fn full_buckets_are_forgotten_and_then_there_is_nothing_to_do() {
        let (mut limiter, now) = limiter();
        assert_eq!(limiter.poll_timeout(), None);
        limiter.allow(now, ip("192.0.2.1"));
        let at = limiter.poll_timeout().unwrap();
        limiter.sweep(at - Duration::from_millis(1));
        assert_eq!(limiter.full_at.len(), 1);
        limiter.sweep(at);
        assert_eq!((limiter.full_at.len(), limiter.poll_timeout()), (0, None));
    }

    #[test]
    fn a_flood_of_forged_sources_fills_no_memory_and_takes_nothing_from_the_known() {
        let (mut limiter, now) = limiter();
        assert!(limiter.allow(now, ip("192.0.2.1")));
        let forged = |number: u32| IpAddr::V4(Ipv4Addr::from_bits(0x0A00_0000 + number));
        let allowed = (0..100_000).filter(|number| limiter.allow(now, forged(*number))).count();
        assert_eq!(limiter.full_at.len(), MAX_SOURCES);
        assert_eq!(allowed, MAX_SOURCES - 1 + 3, "those above the cap share one bucket");
        assert!(limiter.allow(now, ip("192.0.2.1")));
    }
}
