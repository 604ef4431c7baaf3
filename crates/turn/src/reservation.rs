//! Ports kept for later: the odd one beside an even one, for 30 seconds (RFC 8656 §7.2, RESERVATION-TOKEN).

use crate::host::{Host, RelayId};

const KEPT_S: u32 = 30;
/// More at once are the work of somebody who only wants to use up ports.
const MAX: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Reservations(Vec<Reservation>);

#[derive(Debug)]
struct Reservation {
    token: [u8; 8],
    relay: RelayId,
    expires_s: u32,
}

impl Reservations {
    pub(crate) fn has_room(&self) -> bool {
        self.0.len() < MAX
    }

    pub(crate) fn keep(&mut self, relay: RelayId, now_s: u32, host: &mut dyn Host) -> [u8; 8] {
        let mut token = [0; 8];
        host.random(&mut token);
        self.0.push(Reservation { token, relay, expires_s: now_s + KEPT_S });
        token
    }

    /// A token is good for one relay, once. Tokens are random, so a comparison that takes its time tells nothing.
    pub(crate) fn take(&mut self, token: &[u8]) -> Option<RelayId> {
        let index = self.0.iter().position(|kept| kept.token == token)?;
        Some(self.0.swap_remove(index).relay)
    }

    pub(crate) fn expire(&mut self, now_s: u32, host: &mut dyn Host) {
        self.0.retain(|kept| {
            let is_kept = kept.expires_s > now_s;
            if !is_kept {
                host.close_relay(kept.relay);
            }
            is_kept
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
