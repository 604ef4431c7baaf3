//! How many allocations each user has, on all shards of a server together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared by its clones. Asked when allocations begin and end, never for a packet.
#[derive(Clone, Default)]
pub struct Accounts(Arc<Mutex<HashMap<Arc<str>, u32>>>);

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accounts(…)")
    }
}

impl Accounts {
    pub(crate) fn count(&self, name: &str) -> u32 {
        self.lock().get(name).copied().unwrap_or(0)
    }

    /// One more, unless there are `limit` already; 0 is no limit.
    pub(crate) fn try_add(&self, name: &Arc<str>, limit: u32) -> bool {
        let mut counts = self.lock();
        let count = counts.entry(name.clone()).or_default();
        let has_room = limit == 0 || *count < limit;
        *count += u32::from(has_room);
        has_room
    }

    pub(crate) fn subtract(&self, name: &Arc<str>) {
        let mut counts = self.lock();
        if let Some(count) = counts.get_mut(name) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(name);
            }
        }
    }

    /// Every change is one step, so that a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
