//! DONT-FRAGMENT (RFC 8656 §11.2): what is longer than the path allows does not arrive in pieces.

use std::io::Write;

use peerline_wire::stun::{Method, kind};

use crate::client::UDP;
use crate::place::{Place, settings, udp_socket};
use crate::stream_client::StreamClient;
use crate::udp_client::{UdpClient, send_indication};

/// With its headers longer than loopback's MTU of 65536, and as long as fits into one Send indication.
const TOO_LONG: usize = 65_500;

#[test]
fn a_datagram_that_must_stay_whole_is_lost_rather_than_cut_and_harms_nothing() {
    let place = Place::new(1, settings());
    let mut ann = StreamClient::new(&place, "ann");
    let family = (kind::REQUESTED_ADDRESS_FAMILY, vec![2, 0, 0, 0]);
    assert_eq!(ann.request(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec()), family]).code(), 200);
    let peer = udp_socket("[::1]:0");
    let address = peer.local_addr().unwrap();
    ann.permit(address);
    let mut send = |data: &[u8], is_whole| {
        let message = send_indication(&mut ann.client, address, data, is_whole);
        ann.socket.write_all(&message).unwrap();
    };
    let long = vec![1; TOO_LONG];
    send(&long, false);
    send(&long, true);
    send(b"short and whole", true);
    send(&long, false);
    send(b"short", false);
    let mut buffer = vec![0; 65_536];
    for expected in [&long[..], b"short and whole", &long, b"short"] {
        let len = peer.recv(&mut buffer).unwrap();
        assert!(buffer[..len] == *expected, "{len} instead of {} bytes", expected.len());
    }
    place.until("the long one is counted", |place| place.engine.stats().unwrap().totals.send_failed == 1);
}

#[test]
fn whoever_asks_for_it_when_allocating_gets_it() {
    let place = Place::new(1, settings());
    let mut ann = UdpClient::new(&place, "ann");
    assert_eq!(ann.try_allocate(&[(kind::DONT_FRAGMENT, vec![])]).code(), 200);
}
