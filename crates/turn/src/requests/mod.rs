//! One file for each thing a client may ask (RFC 8656 §7 to §12, RFC 6062).

mod allocate;
mod binding;
mod channel_bind;
mod connect;
mod connection_bind;
mod create_permission;
mod refresh;
mod send;
mod wanted;
