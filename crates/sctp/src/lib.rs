//! SCTP over DTLS as data channels need it (RFC 9260, RFC 8261, RFC 8831 §6): one path, which ICE looks after.
//!
//! Partial reliability (RFC 3758, RFC 7496), stream resets (RFC 6525), interleaving (RFC 8260) and no checksum where
//! DTLS protects the packet already (RFC 9653). Loss is found and cured as QUIC and TCP do it today (RFC 9002, RFC 9438);
//! on the wire nothing is different.
//!
//! Reading order: [`Association`] → `handshake` → `input` → `receiver` → `reassembly` → `send_queue` → `transmit` → `flight`
//! → `congestion` → `path` → `resets` → `shutdown`.

#![forbid(unsafe_code)]

mod api;
mod association;
mod chunk;
mod congestion;
mod flight;
mod handshake;
mod input;
mod link;
mod messages;
mod packet;
mod parameter;
mod path;
mod reassembly;
mod receiver;
mod resets;
mod rtt;
mod sack;
mod send_queue;
mod serial;
mod settings;
mod shutdown;
mod skipped;
mod transmit;

pub use api::{AssociationEvent, Delivery, Message, SendError};
pub use association::{Association, Metrics};
pub use settings::{Nonces, Settings};
pub use transmit::Packet;
