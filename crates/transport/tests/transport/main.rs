//! The machines in virtual time: two of a kind with a seeded network between them.

mod channels;
mod channels_hostile;
mod channels_lossy;
mod channels_pair;
mod dtls;
mod dtls_pair;
mod ice;
mod ice_world;
mod nat;
mod network;
mod relay;
mod relay_hostile;
mod relay_stream;
mod relay_world;
