//! Whole peer connections over bad networks, in virtual time. A failure says the seed of its world.

mod call;
mod channels;
mod connecting;
mod dying;
mod moving;
mod person;
mod random_walk;
mod repeating;
mod signaling;
mod strangers;
mod stun_server;
