//! Media over RTP, as machines without a clock and without a socket: `payload` cuts frames into packets and joins them.

#![forbid(unsafe_code)]

pub mod payload;
