//! Ports of the relay: what there is, and what is free again.

use std::net::UdpSocket;

use peerline_wire::stun::{Method, kind};

use crate::place::{Place, free_ports, settings};
use crate::udp_client::{UdpClient, lifetime};

#[test]
fn a_range_that_is_used_up_is_508_and_has_room_when_one_is_given_back() {
    for shards in [1, 2] {
        let ports = free_ports(3, &["127.0.0.1"]);
        let place = Place::with_ports(shards, settings(), ports.clone());
        let mut clients: Vec<UdpClient> = (0..5).map(|_| UdpClient::new(&place, "ann")).collect();
        let mut had = Vec::new();
        for client in &mut clients[..3] {
            let relayed = client.allocate();
            assert!(ports.contains(&relayed.port()));
            had.push(relayed);
        }
        assert_eq!(clients[3].try_allocate(&[]).code(), 508);
        assert_eq!(clients[4].try_allocate(&[]).code(), 508);
        assert_eq!(clients[1].request(Method::REFRESH, &[lifetime(0)]).code(), 200);
        assert_eq!(clients[3].allocate(), had[1], "the only port there is");
        assert_eq!(clients[4].try_allocate(&[]).code(), 508);
    }
}

#[test]
fn a_pair_of_ports_is_even_and_the_next() {
    let place = Place::new(1, settings());
    let mut ann = UdpClient::new(&place, "ann");
    let answer = ann.try_allocate(&[(kind::EVEN_PORT, vec![0x80])]);
    let (even, token) = (answer.address(kind::XOR_RELAYED_ADDRESS).unwrap(), answer.value(kind::RESERVATION_TOKEN));
    let mut second = UdpClient::new(&place, "ann");
    let answer = second.try_allocate(&[(kind::RESERVATION_TOKEN, token.unwrap().to_vec())]);
    let odd = answer.address(kind::XOR_RELAYED_ADDRESS).unwrap();
    assert_eq!((even.port() % 2, odd.port()), (0, even.port() + 1));
}

#[test]
fn ports_are_free_when_their_allocation_or_the_engine_is_gone() {
    let place = Place::new(2, settings());
    let mut ann = UdpClient::new(&place, "ann");
    let relayed = ann.allocate();
    UdpSocket::bind(relayed).expect_err("the relay has it");
    assert_eq!(ann.request(Method::REFRESH, &[lifetime(0)]).code(), 200);
    UdpSocket::bind(relayed).expect("it was given back");
    let relayed = ann.allocate();
    place.engine.close().unwrap();
    UdpSocket::bind(relayed).expect("the engine is closed");
    UdpSocket::bind(place.udp).expect("the engine is closed");
}
