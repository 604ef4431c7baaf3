//! Packets as bytes: parse and write, nothing else. No clock, no socket, no randomness, no unsafe code.

#![forbid(unsafe_code)]

pub mod channel_data;
pub mod dcep;
pub mod demux;
pub mod frame;
pub mod rtcp;
pub mod rtp;
pub mod rtp_ext;
pub mod stun;
