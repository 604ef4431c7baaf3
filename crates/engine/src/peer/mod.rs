//! One data path of a peer connection on a shard: sockets of its own, and the session behind them.
//!
//! Reading order: [`PeerSettings`] → [`PeerCommand`] (what its owner says) → `service` → `sockets`, `relay` → `news`
//! ([`PeerEvent`], what its owner hears).

mod command;
mod event;
mod news;
mod related;
mod relay;
mod service;
mod settings;
mod sockets;
mod traffic;

pub use command::{ChannelAsked, PeerCommand};
pub use event::{Credit, PeerEvent, Received};
pub use news::ChannelCounts;
pub use relay::{RelayAsked, RelayTransport, TlsTrust, TrustError};
pub(crate) use service::PeerService;
pub use settings::PeerSettings;
