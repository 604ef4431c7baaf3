//! One peer connection's data path: ICE finds the way, DTLS makes it private, data channels and media run over it.

#![forbid(unsafe_code)]

mod event;
mod session;

pub use event::{SessionEvent, SessionSettings};
pub use peerline_rtp as rtp;
pub use session::Session;
