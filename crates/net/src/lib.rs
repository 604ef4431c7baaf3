//! Many datagrams in one system call: what a relay spends most of its time on, so it is done as the kernel likes it.
//!
//! Received datagrams stay where the kernel put them until they have been sent on: [`ReceiveRing`] owns the bytes,
//! [`SendBatch`] refers to them, and neither copies a payload. GRO gives runs of equal datagrams in one piece, GSO takes
//! them so (`udp(7)`, UDP_GRO and UDP_SEGMENT).

// `peerline_portable` tests the other path on Linux: RUSTFLAGS="--cfg peerline_portable" cargo test -p peerline-net
#[cfg(all(target_os = "linux", not(peerline_portable)))]
#[path = "linux.rs"]
mod system;
#[cfg(any(not(target_os = "linux"), peerline_portable))]
#[path = "portable.rs"]
mod system;

#[cfg(all(target_os = "linux", not(peerline_portable)))]
mod address;
mod receive;
mod send;

pub use receive::{ReceiveRing, Received};
pub use send::{SendBatch, Sent};
pub use system::{CAN_FORBID_FRAGMENTS, FragmentsForbidden, forbid_fragments, prepare};

/// Room for the longest datagram, for what GRO glues together, and for the longest message of a stream (64 KiB and a
/// header) with the TLS record behind it. An odd number of cache lines: slots that lay a power of two apart would all
/// want the same places in the cache.
pub const SLOT_LEN: usize = 1_297 * 64;
