//! Addresses hidden from meddling NATs by XOR with the cookie and the transaction id (RFC 8489 §14.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::header::{MAGIC_COOKIE, TransactionId};

const FAMILY_IPV4: u8 = 0x01;
const FAMILY_IPV6: u8 = 0x02;

/// How long the encoded value is: 8 bytes for IPv4, 20 for IPv6.
pub fn xor_address_len(address: &SocketAddr) -> usize {
    if address.is_ipv4() { 8 } else { 20 }
}

/// The value of an XOR-…-ADDRESS attribute; the second item says how many of the bytes count.
pub fn encode_xor_address(address: SocketAddr, transaction: TransactionId) -> ([u8; 20], usize) {
    let mut value = [0; 20];
    value[2..4].copy_from_slice(&(address.port() ^ (MAGIC_COOKIE >> 16) as u16).to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => {
            value[1] = FAMILY_IPV4;
            value[4..8].copy_from_slice(&(ip.to_bits() ^ MAGIC_COOKIE).to_be_bytes());
        }
        IpAddr::V6(ip) => {
            value[1] = FAMILY_IPV6;
            value[4..].copy_from_slice(&(ip.to_bits() ^ mask(transaction)).to_be_bytes());
        }
    }
    (value, xor_address_len(&address))
}

/// Undoes [`encode_xor_address`]; `None` if family and length disagree. The first byte is ignored, as the RFC asks.
pub fn decode_xor_address(value: &[u8], transaction: TransactionId) -> Option<SocketAddr> {
    let ([_, family, p1, p2], ip) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([*p1, *p2]) ^ (MAGIC_COOKIE >> 16) as u16;
    let ip = match *family {
        FAMILY_IPV4 => {
            let bits = u32::from_be_bytes(ip.try_into().ok()?);
            IpAddr::V4(Ipv4Addr::from_bits(bits ^ MAGIC_COOKIE))
        }
        FAMILY_IPV6 => {
            let bits = u128::from_be_bytes(ip.try_into().ok()?);
            IpAddr::V6(Ipv6Addr::from_bits(bits ^ mask(transaction)))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// The cookie followed by the transaction id, as one number.
fn mask(transaction: TransactionId) -> u128 {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    bytes[4..].copy_from_slice(&transaction.0);
    u128::from_be_bytes(bytes)
}
