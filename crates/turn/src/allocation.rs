//! One client's relay: its addresses, whom it may reach, and until when (RFC 8656 §6).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use peerline_wire::stun::TransactionId;

use crate::channels::Channels;
use crate::credentials::LongTermKey;
use crate::host::{AllocationId, Family, RelayId};
use crate::quota::Meter;
use crate::tuple::FiveTuple;

pub(crate) const PERMISSION_S: u32 = 300;
pub(crate) const CHANNEL_S: u32 = 600;

#[derive(Debug)]
pub(crate) struct Allocation {
    pub(crate) tuple: FiveTuple,
    /// One, or one of each family.
    pub(crate) relays: [Option<OpenRelay>; 2],
    pub(crate) username: Arc<str>,
    /// Of whom quotas are counted.
    pub(crate) account: Arc<str>,
    pub(crate) key: LongTermKey,
    /// Of the request that made it: the same one again gets the same answer.
    pub(crate) transaction: TransactionId,
    pub(crate) reservation: Option<[u8; 8]>,
    pub(crate) created_s: u32,
    pub(crate) expires_s: u32,
    /// When it stands in the wheel; earlier entries are stale.
    pub(crate) due_s: u32,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) channels: Channels,
    pub(crate) meter: Meter,
    pub(crate) usage: Usage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenRelay {
    pub(crate) id: RelayId,
    pub(crate) address: SocketAddr,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Permission {
    pub(crate) ip: IpAddr,
    pub(crate) expires_s: u32,
}

/// What an allocation has relayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub packets_up: u64,
    pub bytes_up: u64,
    pub packets_down: u64,
    pub bytes_down: u64,
}

/// An allocation as its owner may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationView {
    pub id: AllocationId,
    pub username: Arc<str>,
    pub tuple: FiveTuple,
    pub relayed: Vec<SocketAddr>,
    pub age_s: u32,
    /// Until it ends if it is not refreshed.
    pub left_s: u32,
    pub permissions: u32,
    pub channels: u32,
    pub usage: Usage,
}

impl Allocation {
    pub(crate) fn relay_of(&self, family: Family) -> Option<OpenRelay> {
        self.relays.into_iter().flatten().find(|relay| Family::of(&relay.address) == family)
    }

    pub(crate) fn may_reach(&self, ip: IpAddr) -> bool {
        self.permissions.iter().any(|permission| permission.ip == ip)
    }

    /// Creates or renews, and opens the channels that wait for it.
    pub(crate) fn permit(&mut self, ip: IpAddr, now_s: u32) {
        let expires_s = now_s + PERMISSION_S;
        match self.permissions.iter_mut().find(|permission| permission.ip == ip) {
            Some(permission) => permission.expires_s = expires_s,
            None => self.permissions.push(Permission { ip, expires_s }),
        }
        for channel in self.channels.iter_mut().filter(|channel| channel.peer.ip() == ip) {
            channel.is_open = true;
        }
    }

    /// Drops what is over.
    pub(crate) fn expire(&mut self, now_s: u32) {
        self.permissions.retain(|permission| permission.expires_s > now_s);
        self.channels.retain(|channel| channel.expires_s > now_s);
        let permissions = &self.permissions;
        for channel in self.channels.iter_mut() {
            channel.is_open = permissions.iter().any(|permission| permission.ip == channel.peer.ip());
        }
    }

    /// When something of it ends next.
    pub(crate) fn next_due_s(&self) -> u32 {
        let permissions = self.permissions.iter().map(|permission| permission.expires_s);
        let channels = self.channels.iter().map(|channel| channel.expires_s);
        permissions.chain(channels).fold(self.expires_s, u32::min)
    }
}
