//! Whole sessions, without a socket.

mod joined;
mod media;
#[cfg(target_os = "linux")]
mod memory;
mod world;
