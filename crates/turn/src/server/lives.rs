//! Allocations begin, move and end.

use crate::allocation::Allocation;
use crate::event::{FreeReason, TurnEvent};
use crate::host::{AllocationId, Host};
use crate::server::Server;
use crate::tuple::FiveTuple;

impl Server {
    #[inline]
    pub(crate) fn get(&self, id: AllocationId) -> Option<&Allocation> {
        self.table.get(id)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: AllocationId) -> Option<&mut Allocation> {
        self.table.get_mut(id)
    }

    pub(crate) fn allocation_count(&self) -> usize {
        self.table.len()
    }

    /// The name that the next allocation will have.
    pub(crate) fn next_id(&mut self) -> AllocationId {
        self.table.next_id()
    }

    /// `id` is that of `next_id`.
    pub(crate) fn insert(&mut self, id: AllocationId, allocation: Allocation) {
        let username = allocation.username.clone();
        self.table.insert(id, allocation);
        self.schedule(id);
        self.counters.allocated += 1;
        self.events.push_back(TurnEvent::Allocated { id, username });
    }

    /// From now on the allocation is found by this 5-tuple alone.
    pub(crate) fn move_to(&mut self, id: AllocationId, tuple: FiveTuple) {
        self.table.move_to(id, tuple);
    }

    pub(crate) fn free_allocation(&mut self, id: AllocationId, why: FreeReason, host: &mut dyn Host) -> bool {
        let Some(gone) = self.table.remove(id) else { return false };
        for connection in gone.connections.into_iter().flatten() {
            self.connections.remove(connection);
            host.close_connection(connection);
        }
        for relay in gone.relays.iter().flatten() {
            host.close_relay(relay.id);
        }
        self.accounts.subtract(&gone.account);
        self.events.push_back(TurnEvent::Freed { id, username: gone.username, why, usage: gone.usage });
        true
    }
}
