//! The related address in a candidate's line (RFC 8839 §5.1, RFC 8445 §5.3).

use std::net::SocketAddr;

/// The line with this address behind `raddr` and `rport`, in place of what stands there.
pub(super) fn with_related(line: &str, related: SocketAddr) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    for (name, value) in [("raddr", related.ip().to_string()), ("rport", related.port().to_string())] {
        if let Some(at) = words.iter().position(|word| word == name)
            && let Some(place) = words.get_mut(at + 1)
        {
            *place = value;
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_related_address_changes() {
        let line = "candidate:1 1 udp 2 203.0.113.9 5000 typ relay raddr 0.0.0.0 rport 0 ufrag abcd";
        let expected = "candidate:1 1 udp 2 203.0.113.9 5000 typ relay raddr 198.51.100.1 rport 4001 ufrag abcd";
        assert_eq!(with_related(line, "198.51.100.1:4001".parse().unwrap()), expected);
        let host = "candidate:1 1 udp 2 192.0.2.1 5000 typ host";
        assert_eq!(with_related(host, "198.51.100.1:4001".parse().unwrap()), host);
    }
}
