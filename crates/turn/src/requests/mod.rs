//! One file for each thing a client may ask (RFC 8656 §7 to §12).

pub(crate) mod allocate;
mod channel_bind;
mod create_permission;
mod refresh;
mod send;
