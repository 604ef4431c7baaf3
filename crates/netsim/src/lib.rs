//! An internet in memory, in virtual time, for machines that do no I/O: the same seed makes the same run.
//!
//! Reading order: [`Quality`] (what a link does to packets) → [`Nat`] (RFC 4787) → [`Network`] (hosts, routers, packets
//! under way) → [`World`] (whose turn it is). Nothing here knows what the packets mean.

#![forbid(unsafe_code)]

mod dice;
mod link;
mod nat;
mod network;
mod world;

pub use dice::Dice;
pub use link::{Link, Quality};
pub use nat::{Nat, NatKind};
pub use network::{Counters, HostId, Network, Packet, RouterId};
pub use world::{Peer, World};
