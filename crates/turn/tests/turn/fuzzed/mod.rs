//! What a fuzzer's bytes make clients, peers, owner and clock do to a server, and what must hold after each step.
//!
//! The fuzz target `turn` (in `fuzz/`) runs this, and a test beside it replays the corpus without a fuzzer.

mod bytes;
mod request;
mod tcp;
mod walk;

use bytes::Bytes;
use walk::Walk;

/// A longer walk finds what two shorter ones find.
const MAX_STEPS: usize = 150;

/// Panics if something does not hold.
pub(crate) fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let mut walk = Walk::new();
    for _ in 0..MAX_STEPS {
        if bytes.is_empty() {
            break;
        }
        walk.step(&mut bytes);
        walk.check();
    }
    walk.end();
}
