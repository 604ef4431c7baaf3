//! RTCIceTransport: which pair of addresses carries a peer connection (RFC 8445, RFC 8838, RFC 7675).
//!
//! Reading order: [`Ice`] → `generation` (one set of credentials) → [`Gathering`] (our address as STUN servers see it).

mod credentials;
mod event;
mod gathering;
mod generation;
mod hmac;
mod machine;

pub use credentials::{BadCredentials, Credentials};
pub use event::{Address, BadCandidate, IceEvent, IceState, PairStats, Transmit};
pub use gathering::{Gathering, GatheringEvent};
pub use is::{Candidate, CandidateKind};
pub use machine::{Ice, IceSettings};
