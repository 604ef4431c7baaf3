//! Socket addresses as the kernel writes them.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Big enough for both families, and half the size of `sockaddr_storage`'s cache footprint.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) union Name {
    family: libc::sa_family_t,
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl Name {
    pub(crate) const LEN: libc::socklen_t = size_of::<Self>() as libc::socklen_t;

    pub(crate) const fn empty() -> Self {
        // SAFETY: all zero bytes are a valid value of each of the three plain C types.
        unsafe { std::mem::zeroed() }
    }

    /// The address and how many of its bytes count.
    pub(crate) fn of(address: SocketAddr) -> (Self, libc::socklen_t) {
        match address {
            SocketAddr::V4(address) => {
                let v4 = libc::sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: address.port().to_be(),
                    sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
                    sin_zero: [0; 8],
                };
                (Self { v4 }, size_of::<libc::sockaddr_in>() as libc::socklen_t)
            }
            SocketAddr::V6(address) => {
                let v6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: address.port().to_be(),
                    sin6_flowinfo: address.flowinfo(),
                    sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
                    sin6_scope_id: address.scope_id(),
                };
                (Self { v6 }, size_of::<libc::sockaddr_in6>() as libc::socklen_t)
            }
        }
    }

    /// `None` for a family that is neither IPv4 nor IPv6.
    pub(crate) fn get(&self) -> Option<SocketAddr> {
        // SAFETY: every byte of the union is initialised (by `empty` or `of`), all its fields are plain numbers, and
        // `family` stands at the same place in all of them.
        unsafe {
            match libc::c_int::from(self.family) {
                libc::AF_INET => {
                    let ip = Ipv4Addr::from(self.v4.sin_addr.s_addr.to_ne_bytes());
                    Some(SocketAddrV4::new(ip, u16::from_be(self.v4.sin_port)).into())
                }
                libc::AF_INET6 => {
                    let (ip, port) = (Ipv6Addr::from(self.v6.sin6_addr.s6_addr), u16::from_be(self.v6.sin6_port));
                    Some(SocketAddrV6::new(ip, port, self.v6.sin6_flowinfo, self.v6.sin6_scope_id).into())
                }
                _ => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_come_back_as_they_went() {
        for text in ["192.0.2.1:3478", "[2001:db8::1]:65535", "0.0.0.0:0"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(Name::of(address).0.get(), Some(address));
        }
        let scoped = SocketAddrV6::new("fe80::1".parse().unwrap(), 9, 0, 7).into();
        assert_eq!(Name::of(scoped).0.get(), Some(scoped));
        assert_eq!(Name::empty().get(), None);
    }
}
