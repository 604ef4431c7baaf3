//! RTCSctpTransport: an SCTP association over DTLS (RFC 8261, RFC 9260).
//!
//! [`SctpAssociation`] is what data channels ask of it; [`Association`] is ours.

mod association;
#[cfg(feature = "dcsctp")]
mod dcsctp;
#[cfg(feature = "dcsctp")]
mod inbox;

pub use association::{
    Association, AssociationEvent, Delivery, Message, Packet, SctpAssociation, SendError, association,
};
#[cfg(feature = "dcsctp")]
pub use dcsctp::DcSctp;
pub use peerline_sctp::Settings as SctpSettings;
