//! Ports kept for later: the odd one beside an even one, for 30 seconds (RFC 8656 §7.2, RESERVATION-TOKEN).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::host::{Host, KeptId};

const KEPT: Duration = Duration::from_secs(30);
/// More at once are the work of somebody who only wants to use up ports.
const MAX: usize = 256;

/// Shared by its clones: who comes back with a token comes from another port, and thus perhaps to another shard.
#[derive(Clone, Default)]
pub struct Reservations(Arc<Mutex<Vec<Reservation>>>);

struct Reservation {
    token: [u8; 8],
    socket: KeptId,
    expires: Instant,
}

impl std::fmt::Debug for Reservations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reservations(…)")
    }
}

impl Reservations {
    pub(crate) fn has_room(&self) -> bool {
        self.lock().len() < MAX
    }

    pub(crate) fn keep(&self, socket: KeptId, now: Instant, host: &mut dyn Host) -> [u8; 8] {
        let mut token = [0; 8];
        host.random(&mut token);
        self.lock().push(Reservation { token, socket, expires: now + KEPT });
        token
    }

    /// A token is good for one socket, once. Tokens are random, so a comparison that takes its time tells nothing.
    pub(crate) fn take(&self, token: &[u8]) -> Option<KeptId> {
        let mut kept = self.lock();
        let index = kept.iter().position(|reservation| reservation.token == token)?;
        Some(kept.swap_remove(index).socket)
    }

    pub(crate) fn expire(&self, now: Instant, host: &mut dyn Host) {
        self.lock().retain(|reservation| {
            let is_kept = reservation.expires > now;
            if !is_kept {
                host.close_kept(reservation.socket);
            }
            is_kept
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Every change is one step, so that a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Vec<Reservation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
