//! Who talks to whom over what: the five numbers by which an allocation is found (RFC 8656 §3).

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FiveTuple {
    pub transport: Transport,
    pub client: SocketAddr,
    /// The address the client sends to.
    pub server: SocketAddr,
}

impl Hash for FiveTuple {
    /// As few words as it takes: this runs for every packet.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ports = u64::from(self.client.port()) << 16 | u64::from(self.server.port());
        state.write_u64(ports << 8 | self.transport as u64);
        for ip in [self.client.ip(), self.server.ip()] {
            match ip {
                IpAddr::V4(ip) => state.write_u32(ip.to_bits()),
                IpAddr::V6(ip) => state.write_u128(ip.to_bits()),
            }
        }
    }
}
