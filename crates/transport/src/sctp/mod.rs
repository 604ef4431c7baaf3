//! RTCSctpTransport: an SCTP association over DTLS (RFC 8261, RFC 9260).
//!
//! [`SctpAssociation`] is what data channels ask of it; [`DcSctp`] is the implementation.

mod association;
mod dcsctp;
mod inbox;

pub use association::{AssociationEvent, Delivery, Message, SctpAssociation, SendError};
pub use dcsctp::{DcSctp, SctpSettings};
