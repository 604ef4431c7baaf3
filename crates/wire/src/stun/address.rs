//! Addresses in the clear (RFC 8489 §14.1), and hidden from meddling NATs by XOR with the cookie and the transaction id
//! (RFC 8489 §14.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::header::{MAGIC_COOKIE, TransactionId};

const FAMILY_IPV4: u8 = 0x01;
const FAMILY_IPV6: u8 = 0x02;

/// How long the encoded value is: 8 bytes for IPv4, 20 for IPv6.
pub fn xor_address_len(address: &SocketAddr) -> usize {
    if address.is_ipv4() { 8 } else { 20 }
}

/// The value of a MAPPED-ADDRESS and of what is written like it; the second item says how many of the bytes count.
pub fn encode_address(address: SocketAddr) -> ([u8; 20], usize) {
    encode(address, 0, 0)
}

/// Undoes [`encode_address`]; `None` if family and length disagree. The first byte is ignored, as the RFC asks.
pub fn decode_address(value: &[u8]) -> Option<SocketAddr> {
    decode(value, 0, 0)
}

/// The value of an XOR-…-ADDRESS attribute; the second item says how many of the bytes count.
pub fn encode_xor_address(address: SocketAddr, transaction: TransactionId) -> ([u8; 20], usize) {
    encode(address, MAGIC_COOKIE, mask(transaction))
}

/// Undoes [`encode_xor_address`]; `None` if family and length disagree. The first byte is ignored, as the RFC asks.
pub fn decode_xor_address(value: &[u8], transaction: TransactionId) -> Option<SocketAddr> {
    decode(value, MAGIC_COOKIE, mask(transaction))
}

/// With what hides an IPv4 address, and its port by the upper half, and what hides an IPv6 address.
fn encode(address: SocketAddr, mask_v4: u32, mask_v6: u128) -> ([u8; 20], usize) {
    let mut value = [0; 20];
    value[2..4].copy_from_slice(&(address.port() ^ (mask_v4 >> 16) as u16).to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => {
            value[1] = FAMILY_IPV4;
            value[4..8].copy_from_slice(&(ip.to_bits() ^ mask_v4).to_be_bytes());
        }
        IpAddr::V6(ip) => {
            value[1] = FAMILY_IPV6;
            value[4..].copy_from_slice(&(ip.to_bits() ^ mask_v6).to_be_bytes());
        }
    }
    (value, xor_address_len(&address))
}

fn decode(value: &[u8], mask_v4: u32, mask_v6: u128) -> Option<SocketAddr> {
    let ([_, family, p1, p2], ip) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([*p1, *p2]) ^ (mask_v4 >> 16) as u16;
    let ip = match *family {
        FAMILY_IPV4 => {
            let bits = u32::from_be_bytes(ip.try_into().ok()?);
            IpAddr::V4(Ipv4Addr::from_bits(bits ^ mask_v4))
        }
        FAMILY_IPV6 => {
            let bits = u128::from_be_bytes(ip.try_into().ok()?);
            IpAddr::V6(Ipv6Addr::from_bits(bits ^ mask_v6))
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
