//! Which peers may be reached through the relay: a door into the operator's network, shut unless said otherwise.
//!
//! An address is judged in every form it has: one that embeds an IPv4 address (mapped, NAT64, 6to4, Teredo) must be
//! allowed as it is and as what it embeds. Of all networks that contain it the longest decides, and an allowed one wins
//! against a denied one of the same length. What the operator allows wins against what is denied by default.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use crate::settings::Own;

/// A network as the operator writes it: `192.168.0.0/16`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    bits: u128,
    /// Counted in IPv6 bits; an IPv4 network stands at ::ffff:0:0/96.
    prefix: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotANetwork;

impl std::fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a network is written like 192.168.0.0/16 or 2001:db8::/32")
    }
}

impl std::error::Error for NotANetwork {}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (ip, prefix) = match text.split_once('/') {
            Some((ip, prefix)) => (ip, Some(prefix.parse::<u8>().map_err(|_| NotANetwork)?)),
            None => (text, None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| NotANetwork)?;
        let (width, offset) = if ip.is_ipv4() { (32, 96) } else { (128, 0) };
        let prefix = prefix.unwrap_or(width);
        if prefix > width {
            return Err(NotANetwork);
        }
        Ok(Self::new(bits(ip), offset + prefix))
    }
}

impl Network {
    const fn new(bits: u128, prefix: u8) -> Self {
        Self { bits: bits & mask(prefix), prefix }
    }

    const fn v4(ip: [u8; 4], prefix: u8) -> Self {
        Self::new(MAPPED | u32::from_be_bytes(ip) as u128, 96 + prefix)
    }

    const fn v6(head: [u16; 3], prefix: u8) -> Self {
        let [a, b, c] = head;
        Self::new((a as u128) << 112 | (b as u128) << 96 | (c as u128) << 80, prefix)
    }

    /// No IPv6 network contains an IPv4 address, although the numbers of those stand among its own.
    const fn contains(&self, bits: u128) -> bool {
        let is_v4 = self.prefix >= 96 && is_mapped(self.bits);
        is_v4 == is_mapped(bits) && bits & mask(self.prefix) == self.bits
    }
}

/// ::ffff:0:0, where IPv4 addresses stand among those of IPv6.
const MAPPED: u128 = 0xffff << 32;

const fn is_mapped(bits: u128) -> bool {
    bits >> 32 == MAPPED >> 32
}

const fn mask(prefix: u8) -> u128 {
    if prefix == 0 { 0 } else { u128::MAX << (128 - prefix) }
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => MAPPED | u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// Not for strangers: this host, private and shared networks, links, documentation, tests, multicast, the future.
const DENIED: [Network; 30] = [
    Network::v4([0, 0, 0, 0], 8),
    Network::v4([10, 0, 0, 0], 8),
    Network::v4([100, 64, 0, 0], 10),
    Network::v4([127, 0, 0, 0], 8),
    Network::v4([169, 254, 0, 0], 16),   // the cloud's metadata lives here
    Network::v4([168, 63, 129, 16], 32), // Azure's, which is public by its number alone
    Network::v4([172, 16, 0, 0], 12),
    Network::v4([192, 0, 0, 0], 24),
    Network::v4([192, 0, 2, 0], 24),
    Network::v4([192, 88, 99, 0], 24),
    Network::v4([192, 168, 0, 0], 16),
    Network::v4([198, 18, 0, 0], 15),
    Network::v4([198, 51, 100, 0], 24),
    Network::v4([203, 0, 113, 0], 24),
    Network::v4([224, 0, 0, 0], 4),
    Network::v4([240, 0, 0, 0], 4),
    Network::v6([0, 0, 0], 8), // ::, ::1, IPv4-compatible; mapped ones are judged as IPv4
    Network::v6([0x64, 0xff9b, 0], 96),
    Network::v6([0x64, 0xff9b, 1], 48),
    Network::v6([0x100, 0, 0], 64),
    Network::v6([0x2001, 0, 0], 23),
    Network::v6([0x2001, 0xdb8, 0], 32),
    Network::v6([0x2002, 0, 0], 16),
    Network::v6([0x3fff, 0, 0], 20), // documentation (RFC 9637)
    Network::v6([0x5f00, 0, 0], 16), // segment routing (RFC 9602)
    Network::v6([0xfc00, 0, 0], 7),
    Network::v6([0xfe80, 0, 0], 10),
    Network::v6([0xfec0, 0, 0], 10),
    Network::v6([0xff00, 0, 0], 8),
    Network::v4([192, 31, 196, 0], 24), // AS112
];

/// Peers below this port are system services, not media.
const MIN_PORT: u16 = 1024;

#[derive(Debug, Clone, Default)]
pub struct PeerPolicy {
    pub allow: Vec<Network>,
    pub deny: Vec<Network>,
    pub own: Own,
}

impl PeerPolicy {
    /// May packets go to and come from this address at all? Asked when a permission is created.
    pub fn permits_ip(&self, ip: IpAddr) -> bool {
        forms(ip).all(|ip| self.judge(ip))
    }

    /// May packets go to this address and port? Asked whenever a port is named.
    pub fn permits(&self, peer: SocketAddr) -> bool {
        if !self.permits_ip(peer.ip()) || peer.port() == 0 {
            return false;
        }
        let (ip, port) = (canonical(peer.ip()), peer.port());
        if self.is_own(ip) {
            let is_open = self.own.open_ports.iter().any(|ports| ports.contains(&port));
            return !self.own.closed_ports.contains(&port)
                && (is_open || self.is_allowed_by_name(ip) && port >= MIN_PORT);
        }
        port >= MIN_PORT
    }

    fn is_own(&self, ip: IpAddr) -> bool {
        // A listener on all addresses is on all of loopback, which is a whole network.
        ip.is_loopback() || self.own.addresses.iter().any(|own| canonical(*own) == ip)
    }

    fn is_allowed_by_name(&self, ip: IpAddr) -> bool {
        longest(&self.allow, bits(ip)).is_some()
    }

    /// One form of an address.
    fn judge(&self, ip: IpAddr) -> bool {
        let bits = bits(ip);
        match (longest(&self.allow, bits), longest(&self.deny, bits)) {
            (Some(allowed), Some(denied)) => allowed >= denied,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            // Our own address is where the relays of others are; which ports of it are open, `permits` says.
            (None, None) => longest(&DENIED, bits).is_none() || self.is_own(ip) && is_of_a_network(ip),
        }
    }
}

fn longest(networks: &[Network], bits: u128) -> Option<u8> {
    networks.iter().filter(|network| network.contains(bits)).map(|network| network.prefix).max()
}

/// Whether others can have this address too: never so of loopback and of "any".
fn is_of_a_network(ip: IpAddr) -> bool {
    !ip.is_loopback() && !ip.is_unspecified()
}

/// An address as it is, and the one that it embeds.
fn forms(ip: IpAddr) -> impl Iterator<Item = IpAddr> {
    [Some(canonical(ip)), embedded(ip).map(IpAddr::V4)].into_iter().flatten()
}

/// An IPv4-mapped address is that IPv4 address, also to the kernel.
fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// The IPv4 address that a gateway would take out of this IPv6 address.
fn embedded(ip: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(ip) = canonical(ip) else { return None };
    let segments = ip.segments();
    let low = Ipv4Addr::from_bits(ip.to_bits() as u32);
    match segments {
        // Loopback is an address of its own (RFC 4291 §2.5.3).
        [0, 0, 0, 0, 0, 0, 0, 1] => None,
        // IPv4-compatible (RFC 4291 §2.5.5.1), :: among them
        [0, 0, 0, 0, 0, 0, _, _] => Some(low),
        // NAT64 (RFC 6052 §2.1, RFC 8215)
        [0x64, 0xff9b, ..] => Some(low),
        // 6to4 (RFC 3056)
        [0x2002, high, low, ..] => Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))),
        // Teredo hides the client's address by inverting it (RFC 4380 §4)
        [0x2001, 0, ..] => Some(Ipv4Addr::from_bits(!(ip.to_bits() as u32))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn permits(policy: &PeerPolicy, peer: &str) -> bool {
        policy.permits(peer.parse().unwrap())
    }

    #[test]
    fn strangers_reach_the_internet_and_nothing_else() {
        let policy = PeerPolicy::default();
        for peer in ["8.8.8.8:5000", "1.1.1.1:1024", "[2606:4700::1]:5000", "[::ffff:8.8.8.8]:5000"] {
            assert!(permits(&policy, peer), "{peer}");
        }
        for peer in [
            "0.0.0.0:5000",
            "0.1.2.3:5000",
            "10.0.0.1:5000",
            "100.64.0.1:5000",
            "127.0.0.1:5000",
            "169.254.169.254:5000",
            "168.63.129.16:32526",
            "172.16.0.1:5000",
            "172.31.255.255:5000",
            "192.0.0.1:5000",
            "192.0.2.1:5000",
            "192.88.99.1:5000",
            "192.168.1.1:5000",
            "198.18.0.1:5000",
            "198.51.100.1:5000",
            "203.0.113.1:5000",
            "224.0.0.1:5000",
            "240.0.0.1:5000",
            "255.255.255.255:5000",
            "[::]:5000",
            "[::1]:5000",
            "[::127.0.0.1]:5000",
            "[::8.8.8.8]:5000",
            "[::ffff:127.0.0.1]:5000",
            "[::ffff:169.254.169.254]:5000",
            "[::ffff:0.0.0.0]:5000",
            "[64:ff9b::7f00:1]:5000",
            "[64:ff9b::808:808]:5000",
            "[64:ff9b:1::a00:1]:5000",
            "[2002:7f00:1::]:5000",
            "[2002:a00:1::1]:5000",
            "[2001:0:1::1]:5000",
            "[2001:db8::1]:5000",
            "[100::1]:5000",
            "[fc00::1]:5000",
            "[fd12::1]:5000",
            "[fe80::1]:5000",
            "[fec0::1]:5000",
            "[ff02::1]:5000",
            "[3fff::1]:5000",
            "8.8.8.8:0",
            "8.8.8.8:53",
            "8.8.8.8:1023",
        ] {
            assert!(!permits(&policy, peer), "{peer}");
        }
    }

    #[test]
    fn the_longest_network_decides_and_the_operator_before_the_default() {
        let allow = vec![network("10.0.0.0/8"), network("10.1.2.0/24"), network("8.8.4.0/24")];
        let deny = vec![network("10.1.0.0/16"), network("8.8.0.0/16"), network("8.8.4.0/24")];
        let policy = PeerPolicy { allow, deny, own: Own::default() };
        for (peer, is_permitted) in [
            ("10.9.9.9:5000", true),
            ("10.1.9.9:5000", false),
            ("10.1.2.9:5000", true),
            ("8.8.8.8:5000", false),
            ("8.8.4.4:5000", true),
            ("9.9.9.9:5000", true),
            ("[::ffff:10.1.9.9]:5000", false),
            ("192.168.0.1:5000", false),
        ] {
            assert_eq!(permits(&policy, peer), is_permitted, "{peer}");
        }
    }

    #[test]
    fn allowing_a_gateway_does_not_allow_what_lies_behind_it() {
        let policy = PeerPolicy { allow: vec![network("64:ff9b::/96"), network("2002::/16")], ..Default::default() };
        assert!(permits(&policy, "[64:ff9b::808:808]:5000"));
        assert!(!permits(&policy, "[64:ff9b::a00:1]:5000"));
        assert!(!permits(&policy, "[2002:7f00:1::]:5000"));
        let teredo = "2001:0:4136:e378:8000:63bf:80ff:fffe".parse().unwrap();
        assert_eq!(embedded(teredo), Some(Ipv4Addr::LOCALHOST));
    }

    #[test]
    fn of_our_own_addresses_only_relays_and_media_are_open() {
        let own = Own {
            addresses: vec!["192.168.1.9".parse().unwrap(), "127.0.0.1".parse().unwrap()],
            open_ports: vec![50_000..=50_010],
            closed_ports: vec![8080],
        };
        let policy = PeerPolicy { own, ..Default::default() };
        assert!(policy.permits_ip("192.168.1.9".parse().unwrap()));
        assert!(permits(&policy, "192.168.1.9:50005") && permits(&policy, "[::ffff:192.168.1.9]:50005"));
        for peer in ["192.168.1.9:3478", "192.168.1.9:8080", "192.168.1.8:50005", "127.0.0.1:50005"] {
            assert!(!permits(&policy, peer), "{peer}");
        }
        let allow = vec![network("127.0.0.0/8"), network("::1/128"), network("192.168.0.0/16")];
        let policy = PeerPolicy { allow, ..policy };
        assert!(permits(&policy, "[::1]:9000") && !permits(&policy, "[::]:9000"));
        assert!(
            permits(&policy, "127.0.0.1:9000") && permits(&policy, "192.168.1.9:9000"),
            "the operator has named them"
        );
        assert!(!permits(&policy, "127.0.0.2:8080") && permits(&policy, "127.0.0.2:9000"), "all of loopback is ours");
        assert!(!permits(&policy, "127.0.0.1:8080") && !permits(&policy, "[::ffff:192.168.1.9]:8080"), "our listeners");
    }

    #[test]
    fn nonsense_is_no_network() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "/8", "example.org", "10.0.0.0/-1"] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
        assert_eq!(network("10.1.2.3/8"), network("10.0.0.0/8"));
    }
}
