//! What the operator decides. Exchanged as a whole while the server runs.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::discovery::Discovery;
use crate::policy::PeerPolicy;
use crate::rate_limit::RateLimit;

/// How fast packets may be relayed; 0 is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate {
    pub packets_per_s: u32,
    pub bits_per_s: u64,
}

#[derive(Debug, Clone)]
pub struct Settings {
    /// Sent to clients; their passwords are bound to it.
    pub realm: String,
    /// Shared secrets for time-limited credentials, newest first; each of them is accepted.
    pub secrets: Vec<Secret>,
    pub users: Vec<User>,
    pub policy: PeerPolicy,
    /// For users with time-limited credentials.
    pub quotas: Quotas,
    /// For `users`.
    pub static_quotas: Quotas,
    /// All allocations of one shard together.
    pub max_allocations: u32,
    /// What all allocations of one shard may relay together.
    pub total: Rate,
    /// Answers to one source that has not authenticated itself. `None` lifts the limit.
    pub answers: Option<RateLimit>,
    /// Of allocations.
    pub lifetimes: Lifetimes,
    /// Whether a client may take its allocation to another address (RFC 8016).
    pub mobility: bool,
    /// How old a nonce may be.
    pub nonce_lifetime: Duration,
    /// Whether the owner is asked before each allocation.
    pub asks_owner: bool,
    /// Where to send clients while draining (300 Try Alternate).
    pub alternate: Option<SocketAddr>,
    /// Of each family at most one; empty: not served (RFC 5780). A Binding answer is then 68 bytes, 116 over IPv6, to a
    /// request of 20: without it, 32 and 44.
    pub discovery: Vec<Discovery>,
    /// Whether clients get relays for TCP (RFC 6062).
    pub tcp_relays: bool,
    /// Connections of one TCP allocation at once, those that are still being made among them. 0 means no limit.
    pub tcp_connections: u32,
}

impl Default for Settings {
    /// Nobody has credentials, so nobody may allocate.
    fn default() -> Self {
        Self {
            realm: "peerline".to_owned(),
            secrets: Vec::new(),
            users: Vec::new(),
            policy: PeerPolicy::default(),
            quotas: Quotas::default(),
            static_quotas: Quotas::UNLIMITED,
            max_allocations: 1 << 20,
            total: Rate::default(),
            answers: Some(RateLimit::default()),
            lifetimes: Lifetimes::default(),
            mobility: false,
            nonce_lifetime: Duration::from_secs(3600),
            asks_owner: false,
            alternate: None,
            discovery: Vec::new(),
            tcp_relays: false,
            tcp_connections: 32,
        }
    }
}

impl Settings {
    /// Whether there is anybody who may allocate.
    pub fn has_credentials(&self) -> bool {
        !self.secrets.is_empty() || !self.users.is_empty()
    }
}

/// The password of nobody, from which those of many are made; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

#[derive(Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub password: String,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How long an allocation lives without being refreshed: what is asked for, within limits (RFC 8656 §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    pub min_s: u32,
    pub max_s: u32,
    /// When nothing is asked for.
    pub default_s: u32,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { min_s: 600, max_s: 3600, default_s: 600 }
    }
}

/// What one user may have. 0 means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    pub allocations: u32,
    /// Of one allocation, all the following.
    pub permissions: u32,
    pub channels: u32,
    pub new_peers_per_s: u32,
    pub new_peers_burst: u32,
    pub packets_per_s: u32,
    pub bits_per_s: u64,
}

impl Quotas {
    pub const UNLIMITED: Self = Self {
        allocations: 0,
        permissions: 0,
        channels: 0,
        new_peers_per_s: 0,
        new_peers_burst: 0,
        packets_per_s: 0,
        bits_per_s: 0,
    };
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            allocations: 10,
            permissions: 64,
            channels: 64,
            new_peers_per_s: 5,
            new_peers_burst: 32,
            packets_per_s: 10_000,
            bits_per_s: 50_000_000,
        }
    }
}

/// Whether `count` has reached a limit.
pub(crate) fn is_reached(limit: u32, count: usize) -> bool {
    limit != 0 && count >= limit as usize
}

/// The server's own addresses. Peers may be relays and media on them, but no other service of this host.
#[derive(Debug, Clone, Default)]
pub struct Own {
    pub addresses: Vec<IpAddr>,
    /// Of relays and of media.
    pub open_ports: Vec<RangeInclusive<u16>>,
    /// Of our listeners: closed even on a network that the operator allows.
    pub closed_ports: Vec<u16>,
}
