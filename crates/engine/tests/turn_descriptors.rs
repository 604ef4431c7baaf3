//! A TURN server whose process has no descriptors left: it says so, and recovers. Alone in its process, as the limit is
//! that of the whole process.

#![allow(dead_code)] // of what it shares with the other tests of the service

#[path = "../../turn/tests/turn/answer.rs"]
mod answer;
#[path = "../../turn/tests/turn/client.rs"]
mod client;
#[path = "../../turn/tests/turn/draft.rs"]
mod draft;
#[path = "turn/place.rs"]
mod place;
#[path = "turn/udp_client.rs"]
mod udp_client;

use std::os::fd::AsRawFd;

use peerline_wire::stun::Method;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::place::{Place, settings, udp_socket};
use crate::udp_client::{UdpClient, channel_data, lifetime};

#[test]
fn without_descriptors_nobody_new_is_served_and_everybody_else_goes_on() {
    let place = Place::new(1, settings());
    let peer = udp_socket("127.0.0.1:0");
    let mut first = UdpClient::new(&place, "ann");
    let relayed = first.allocate();
    first.bind(0x4000, peer.local_addr().unwrap());
    // Everybody has a socket before there are no more.
    let mut clients: Vec<UdpClient> = (0..20).map(|_| UdpClient::new(&place, "ann")).collect();
    let highest = clients.iter().map(|client| client.socket.as_raw_fd()).max().unwrap() as u64;
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(highest + 4), maximum: before.maximum }).unwrap();

    let codes: Vec<u16> = clients.iter_mut().map(|client| client.try_allocate(&[]).code()).collect();
    let served = codes.iter().take_while(|code| **code == 200).count();
    assert!((1..20).contains(&served), "{codes:?}");
    assert!(codes[served..].iter().all(|code| *code == 508), "{codes:?}");
    let mut buffer = [0; 100];
    first.send_on(0x4000, b"still here");
    assert_eq!(peer.recv(&mut buffer).unwrap(), 10);
    peer.send_to(b"me too", relayed).unwrap();
    assert_eq!(first.receive(), channel_data(0x4000, b"me too"));

    assert_eq!(clients[0].request(Method::REFRESH, &[lifetime(0)]).code(), 200);
    assert_eq!(clients[served].try_allocate(&[]).code(), 200, "one was given back");
    assert_eq!(clients[served + 1].try_allocate(&[]).code(), 508);
    setrlimit(Resource::Nofile, before).unwrap();
    for client in &mut clients[served + 1..] {
        assert_eq!(client.try_allocate(&[]).code(), 200);
    }
    place.until("all are counted", |place| place.allocations() == 20);
}
