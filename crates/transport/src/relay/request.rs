//! What is asked of the server: one message for each purpose (RFC 8656 §7.1, §8.1, §10.1, §12.1).

use std::net::SocketAddr;

use aws_lc_rs::rand;
use peerline_wire::stun::{BufferFull, Class, MessageWriter, TransactionId, kind};

use super::credentials::Credentials;
use super::settings::RelayFamily;
use super::transaction::Purpose;

/// More than names, realms and nonces may be long together.
const MAX_LEN: usize = 2560;
const UDP: [u8; 4] = [17, 0, 0, 0];
const IPV6: [u8; 4] = [2, 0, 0, 0];

/// `Err`: our own name is longer than STUN allows.
pub(super) fn write(
    purpose: Purpose,
    family: RelayFamily,
    credentials: &Credentials,
) -> Result<(TransactionId, Vec<u8>), BufferFull> {
    let id = random_id();
    let mut buffer = [0; MAX_LEN];
    let mut writer = MessageWriter::new(&mut buffer, Class::Request, purpose.method(), id)?;
    match purpose {
        Purpose::Allocate => {
            writer.attribute(kind::REQUESTED_TRANSPORT, &UDP)?;
            // IPv4 is what a server gives that is not asked, and old ones know no families.
            if family == RelayFamily::V6 {
                writer.attribute(kind::REQUESTED_ADDRESS_FAMILY, &IPV6)?;
            }
        }
        Purpose::Refresh => {}
        Purpose::Release => {
            writer.attribute(kind::LIFETIME, &[0; 4])?;
        }
        Purpose::Permit(ip) => {
            writer.xor_address(kind::XOR_PEER_ADDRESS, SocketAddr::new(ip, 0))?;
        }
        Purpose::Bind { channel, peer } => {
            let [c1, c2] = channel.to_be_bytes();
            writer.attribute(kind::CHANNEL_NUMBER, &[c1, c2, 0, 0])?.xor_address(kind::XOR_PEER_ADDRESS, peer)?;
        }
    }
    credentials.put(&mut writer)?;
    let len = writer.finish();
    Ok((id, buffer[..len].to_vec()))
}

pub(super) fn random_id() -> TransactionId {
    let mut id = [0; 12];
    rand::fill(&mut id).expect("the system has randomness");
    TransactionId(id)
}
