//! What went over a data path (W3C webrtc-stats, RTCTransportStats and RTCIceCandidatePairStats).

use std::time::Instant;

use peerline_transport::ice::Address;
use peerline_wire::demux::Protocol;

/// Checks are counted for so many pairs: the first ones. A peer cannot make us keep more.
const MAX_PAIRS: usize = 64;

/// Datagrams and bytes each way, and the checks of each pair.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    packets_sent: u64,
    packets_received: u64,
    bytes_sent: u64,
    bytes_received: u64,
    last_sent: Option<Instant>,
    last_received: Option<Instant>,
    pairs: Vec<(Address, Checks)>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Checks {
    requests_sent: u64,
    requests_received: u64,
    responses_sent: u64,
    consent_requests_sent: u64,
}

impl Traffic {
    /// `selected`: where data goes now; a request there asks for consent (RFC 7675).
    pub(super) fn sent(&mut self, now: Instant, address: Address, datagram: &[u8], selected: Option<Address>) {
        self.packets_sent += 1;
        self.bytes_sent += datagram.len() as u64;
        self.last_sent = Some(now);
        let Some(is_request) = is_request(datagram) else { return };
        if let Some(checks) = self.checks(address) {
            let count = match (is_request, selected == Some(address)) {
                (true, true) => &mut checks.consent_requests_sent,
                (true, false) => &mut checks.requests_sent,
                (false, _) => &mut checks.responses_sent,
            };
            *count += 1;
        }
    }

    pub(super) fn received(&mut self, now: Instant, datagram: &[u8]) {
        self.packets_received += 1;
        self.bytes_received += datagram.len() as u64;
        self.last_received = Some(now);
    }

    /// The agent took this STUN message.
    pub(super) fn checked(&mut self, address: Address, datagram: &[u8]) {
        if is_request(datagram) == Some(true)
            && let Some(checks) = self.checks(address)
        {
            checks.requests_received += 1;
        }
    }

    /// By name; ages say how long ago the last datagram went.
    pub(super) fn numbers(&self, now: Instant, selected: Option<Address>) -> Vec<(&'static str, u64)> {
        let age = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at).as_micros() as u64);
        let mut numbers = vec![
            ("packets_sent", self.packets_sent),
            ("packets_received", self.packets_received),
            ("bytes_sent", self.bytes_sent),
            ("bytes_received", self.bytes_received),
        ];
        numbers.extend(age(self.last_sent).map(|age| ("last_sent_age_us", age)));
        numbers.extend(age(self.last_received).map(|age| ("last_received_age_us", age)));
        if let Some((_, checks)) = self.pairs.iter().find(|(address, _)| Some(*address) == selected) {
            numbers.extend([
                ("requests_sent", checks.requests_sent),
                ("requests_received", checks.requests_received),
                ("responses_sent", checks.responses_sent),
                ("consent_requests_sent", checks.consent_requests_sent),
            ]);
        }
        numbers
    }

    fn checks(&mut self, address: Address) -> Option<&mut Checks> {
        let known = self.pairs.iter().position(|(pair, _)| *pair == address);
        if known.is_none() && self.pairs.len() == MAX_PAIRS {
            return None;
        }
        let at = known.unwrap_or_else(|| {
            self.pairs.push((address, Checks::default()));
            self.pairs.len() - 1
        });
        Some(&mut self.pairs[at].1)
    }
}

/// Whether it asks or answers, by its class (RFC 8489 §5); `None`: it is an indication, or no STUN.
fn is_request(datagram: &[u8]) -> Option<bool> {
    let [first, second, ..] = *datagram else { return None };
    if Protocol::of(datagram) != Protocol::Stun {
        return None;
    }
    match (first & 1, second >> 4 & 1) {
        (0, 0) => Some(true),
        (1, _) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const REQUEST: [u8; 20] = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const SUCCESS: [u8; 20] = [1, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const INDICATION: [u8; 20] = [0, 0x11, 0, 0, 0x21, 0x12, 0xA4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    fn address(port: u16) -> Address {
        Address { local: ([127, 0, 0, 1], 1).into(), remote: ([127, 0, 0, 1], port).into() }
    }

    fn number(traffic: &Traffic, now: Instant, selected: Option<Address>, name: &str) -> Option<u64> {
        traffic.numbers(now, selected).into_iter().find(|(known, _)| *known == name).map(|(_, number)| number)
    }

    #[test]
    fn a_request_on_the_selected_pair_asks_for_consent_and_others_check() {
        let (now, here, there) = (Instant::now(), address(2), address(3));
        let mut traffic = Traffic::default();
        traffic.sent(now, here, &REQUEST, None);
        traffic.sent(now, here, &REQUEST, Some(here));
        traffic.sent(now, here, &REQUEST, Some(there));
        traffic.sent(now, here, &SUCCESS, Some(here));
        traffic.sent(now, here, &INDICATION, Some(here));
        traffic.sent(now, here, &[22; 40], Some(here));
        let count = |name| number(&traffic, now, Some(here), name);
        assert_eq!(count("requests_sent"), Some(2));
        assert_eq!(count("consent_requests_sent"), Some(1));
        assert_eq!(count("responses_sent"), Some(1));
        assert_eq!(count("packets_sent"), Some(6));
        assert_eq!(count("bytes_sent"), Some(140));
        assert_eq!(number(&traffic, now, Some(there), "requests_sent"), None);
    }

    #[test]
    fn only_requests_that_came_are_counted_as_such() {
        let (now, here) = (Instant::now(), address(2));
        let mut traffic = Traffic::default();
        for datagram in [&REQUEST[..], &SUCCESS, &INDICATION, &[], &[0]] {
            traffic.received(now, datagram);
            traffic.checked(here, datagram);
        }
        assert_eq!(number(&traffic, now, Some(here), "requests_received"), Some(1));
        assert_eq!(number(&traffic, now, None, "packets_received"), Some(5));
    }

    #[test]
    fn ages_grow_and_are_unknown_before_the_first_datagram() {
        let now = Instant::now();
        let mut traffic = Traffic::default();
        assert_eq!(number(&traffic, now, None, "last_received_age_us"), None);
        traffic.received(now, &REQUEST);
        let later = now + Duration::from_millis(5);
        assert_eq!(number(&traffic, later, None, "last_received_age_us"), Some(5000));
    }

    #[test]
    fn a_peer_that_sends_from_everywhere_fills_no_memory() {
        let mut traffic = Traffic::default();
        for port in 1..1000 {
            traffic.checked(address(port), &REQUEST);
        }
        assert_eq!(traffic.pairs.len(), MAX_PAIRS);
    }
}
