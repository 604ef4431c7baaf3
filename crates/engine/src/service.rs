//! What runs on a socket: a machine without a clock or a socket of its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use crate::counters::ShardCounters;
use crate::outbox::Outbox;

/// One datagram as the network gave it, GRO already undone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Datagram<'a> {
    pub(crate) source: SocketAddr,
    /// The local address it was sent to, which on a wildcard socket only the kernel knows (PKTINFO).
    pub(crate) local_ip: Option<IpAddr>,
    pub(crate) payload: &'a [u8],
}

/// Of the five verbs of a sans-IO machine two are folded: transmits go straight into the outbox of the batch.
pub(crate) trait Service {
    fn handle_input(&mut self, now: Instant, datagram: Datagram<'_>, outbox: &mut Outbox);
    fn handle_timeout(&mut self, now: Instant);
    /// When `handle_timeout` wants to be called; asked after every batch and every timeout.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// Builds a service on the shard it will live on, so that a service need not be `Send`.
pub(crate) type Build = Box<dyn FnOnce(Instant, &Arc<ShardCounters>) -> Box<dyn Service> + Send>;
