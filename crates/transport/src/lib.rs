//! What carries a peer connection, as machines, one for each transport object of W3C.
//!
//! Each has the same five verbs: `handle_input`, `handle_timeout`, `poll_transmit`, `poll_event`, `poll_timeout`. Time is
//! an argument. None knows a socket, a clock, Python or a session description.

#![forbid(unsafe_code)]

pub mod data_channel;
pub mod dtls;
pub mod ice;
pub mod relay;
pub mod sctp;
pub mod srtp;
