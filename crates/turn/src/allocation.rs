//! One client's relay: its addresses, whom it may reach, and until when (RFC 8656 §6).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use peerline_wire::stun::TransactionId;

use crate::channels::Channels;
use crate::credentials::LongTermKey;
use crate::host::{AllocationId, ConnectionId, Family, RelayId};
use crate::mobility::Ticket;
use crate::permissions::Permissions;
use crate::quota::Meter;
use crate::tuple::FiveTuple;

#[derive(Debug)]
pub(crate) struct Allocation {
    pub(crate) tuple: FiveTuple,
    /// Its client's connection is gone, and it waits to be moved: that 5-tuple may be somebody else's by now.
    pub(crate) is_left: bool,
    /// One, or one of each family.
    pub(crate) relays: [Option<OpenRelay>; 2],
    pub(crate) username: Arc<str>,
    /// Of whom quotas are counted.
    pub(crate) account: Arc<str>,
    pub(crate) key: LongTermKey,
    /// Of the request that made or moved it: the same one again gets the same answer.
    pub(crate) transaction: TransactionId,
    pub(crate) reservation: Option<[u8; 8]>,
    /// Of two families asked for, the one it did not get.
    pub(crate) missing: Option<Missing>,
    /// With which it can be moved to another 5-tuple.
    pub(crate) ticket: Option<Box<Ticket>>,
    pub(crate) created_s: u32,
    pub(crate) expires_s: u32,
    /// When it stands in the wheel, never after its next deadline; `None`: it does not.
    pub(crate) due_s: Option<u32>,
    pub(crate) permissions: Permissions,
    pub(crate) channels: Channels,
    /// Its peers' connections if it relays TCP; `None`: it relays UDP.
    pub(crate) connections: Option<Vec<ConnectionId>>,
    pub(crate) meter: Meter,
    pub(crate) usage: Usage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenRelay {
    pub(crate) id: RelayId,
    pub(crate) address: SocketAddr,
}

/// What ADDRESS-ERROR-CODE says (RFC 8656 §18.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) family: Family,
    pub(crate) code: u16,
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
    /// Connections with peers if it relays TCP; `None`: it relays UDP.
    pub connections: Option<u32>,
    pub usage: Usage,
}

impl Allocation {
    pub(crate) fn is_tcp(&self) -> bool {
        self.connections.is_some()
    }

    pub(crate) fn relay_of(&self, family: Family) -> Option<OpenRelay> {
        self.relays.into_iter().flatten().find(|relay| Family::of(&relay.address) == family)
    }

    /// Creates or renews a permission, and opens the channels that wait for it.
    pub(crate) fn permit(&mut self, ip: IpAddr, now_s: u32) {
        self.permissions.insert(ip, now_s);
        for channel in self.channels.iter_mut().filter(|channel| channel.peer.ip() == ip) {
            channel.is_open = true;
        }
    }

    /// Drops what is over.
    pub(crate) fn expire(&mut self, now_s: u32) {
        self.permissions.expire(now_s);
        self.channels.retain(|channel| channel.expires_s > now_s);
        for channel in self.channels.iter_mut() {
            channel.is_open = self.permissions.contains(channel.peer.ip());
        }
    }

    /// One of its two relays is closed, and all that goes through it ends.
    pub(crate) fn remove_relay(&mut self, family: Family) -> Option<OpenRelay> {
        let of_family = |relay: &mut OpenRelay| Family::of(&relay.address) == family;
        let gone = self.relays.iter_mut().find_map(|relay| relay.take_if(of_family))?;
        self.channels.retain(|channel| channel.relay != gone.id);
        self.permissions.remove_family_of(gone.address.ip());
        Some(gone)
    }

    /// When something of it ends next.
    pub(crate) fn next_due_s(&self) -> u32 {
        let channels = self.channels.iter().map(|channel| channel.expires_s);
        channels.chain(self.permissions.next_due_s()).fold(self.expires_s, u32::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::Channel;

    #[test]
    fn an_allocation_is_small() {
        // With its place in the table of 5-tuples, a name, one relay, a permission and a channel.
        let entry = size_of::<(FiveTuple, AllocationId)>() + 1;
        let slot = size_of::<(u32, Option<Box<Allocation>>)>();
        let name = 2 * (16 + "1800000000:somebody".len());
        let all = size_of::<Allocation>() + 2 * entry + slot + name + 32 + size_of::<Channel>();
        assert!(size_of::<Allocation>() <= 480, "{}", size_of::<Allocation>());
        assert!(all <= 1024, "{all}");
    }
}
