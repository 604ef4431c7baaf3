//! The engine: shard threads that own sockets, timers and services, and the queue that carries their events out.
//!
//! Reading order: [`Engine`] (what a caller sees) → `shard` (the loop) → `service` (what runs on a socket) → `stun`
//! (the first service) → `event_queue` (how news gets out without calling anybody).

#![forbid(unsafe_code)]

mod command;
mod counters;
mod engine;
mod error;
mod event;
mod event_queue;
mod handle;
mod peer;
mod ports;
mod ready;
mod service;
mod shard;
mod slots;
mod stun;
mod tcp;
mod timer_wheel;
mod turn;
mod udp;
mod wake;

pub use counters::{ShardSnapshot, StunSnapshot, TurnSnapshot};
pub use engine::{Engine, EngineConfig, EngineStats, ListenAddress, StunListener, TurnListener};
pub use error::EngineError;
pub use event::Event;
pub use event_queue::QUEUE_CAPACITY;
pub use handle::{Handle, MAX_SHARDS};
pub use peer::{ChannelAsked, ChannelCounts, Credit, PeerCommand, PeerEvent, PeerSettings, Received};
pub use peer::{RelayAsked, RelayTransport, TlsTrust, TrustError};
pub use peerline_session::rtp;
pub use peerline_transport::data_channel::{ChannelError, ChannelSettings, Kind, Payload};
pub use peerline_transport::dtls::{
    Certificate as PeerCertificate, CertificateError, Curve, DtlsFailure, DtlsRole, Fingerprint, HashKind, Versions,
};
pub use peerline_transport::ice::{Credentials, IceState};
pub use peerline_turn::{
    AllocationId, AllocationView, Discovery, FreeReason, Network, Own, OwnIp, PeerPolicy, Question, QuestionId, Quotas,
    Rate, RateLimit, Secret, Settings, Transport, TurnEvent, Usage, User, Verdict, rest_password,
};
pub use peerline_wire::dcep::Reliability;
pub use turn::{Certificate, RelayAddress, RelayConfig, TurnConfig};
