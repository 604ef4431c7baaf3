//! Whole sessions, without a socket.

mod joined;
#[cfg(target_os = "linux")]
mod memory;
mod world;
