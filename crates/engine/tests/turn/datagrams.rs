//! Datagrams through the relay, over UDP: both ways, in runs, and past peers that cannot be reached.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use peerline_engine::{PeerPolicy, Settings};
use peerline_wire::stun::{Method, kind};

use crate::answer::Answer;
use crate::client::UDP;
use crate::place::{Place, settings, udp_socket};
use crate::udp_client::{UdpClient, channel_data, data_of, lifetime};

#[test]
fn a_channel_carries_both_ways() {
    for shards in [1, 2] {
        let place = Place::new(shards, settings());
        let (mut ann, peer) = (UdpClient::new(&place, "ann"), udp_socket("127.0.0.1:0"));
        let relayed = ann.allocate();
        ann.bind(0x4000, peer.local_addr().unwrap());
        let mut buffer = [0; 2000];
        for data in [&b""[..], b"a", b"hello", &[0xab; 1200]] {
            ann.send_on(0x4000, data);
            let (len, from) = peer.recv_from(&mut buffer).unwrap();
            assert_eq!((&buffer[..len], from), (data, relayed));
            peer.send_to(data, relayed).unwrap();
            assert_eq!(ann.receive(), channel_data(0x4000, data));
        }
    }
}

#[test]
fn indications_carry_both_ways() {
    let place = Place::new(1, settings());
    let (mut ann, peer) = (UdpClient::new(&place, "ann"), udp_socket("127.0.0.1:0"));
    let (relayed, peer_address) = (ann.allocate(), peer.local_addr().unwrap());
    ann.permit(peer_address);
    let mut buffer = [0; 2000];
    for data in [&b""[..], b"a", b"hello", &[0xab; 1200]] {
        ann.send_to(peer_address, data);
        let (len, from) = peer.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..len], from), (data, relayed));
        peer.send_to(data, relayed).unwrap();
        assert_eq!(data_of(&ann.receive()), (peer_address, data.to_vec()));
    }
}

#[test]
fn peers_that_are_not_permitted_are_not_heard() {
    let place = Place::new(1, settings());
    let mut ann = UdpClient::new(&place, "ann");
    let relayed = ann.allocate();
    let (stranger, friend) = (udp_socket("127.0.0.2:0"), udp_socket("127.0.0.1:0"));
    ann.permit(friend.local_addr().unwrap());
    for _ in 0..20 {
        stranger.send_to(b"let me in", relayed).unwrap();
    }
    friend.send_to(b"hello", relayed).unwrap();
    assert_eq!(data_of(&ann.receive()).1, b"hello");
    place.until("they are counted", |place| place.engine.stats().unwrap().totals.turn.no_permission == 20);
}

#[test]
fn runs_of_unequal_datagrams_arrive_whole_and_in_order() {
    let place = Place::new(1, settings());
    let (mut ann, peer) = (UdpClient::new(&place, "ann"), udp_socket("127.0.0.1:0"));
    let relayed = ann.allocate();
    ann.bind(0x4000, peer.local_addr().unwrap());
    // Equal ones that become a run, a shorter one that ends it, longer ones, and empty ones in between.
    let lens = [1000, 1000, 1000, 10, 1000, 1200, 1200, 0, 0, 1, 1, 1, 700, 701, 700];
    let mut buffer = [0; 2000];
    for round in 0..40u8 {
        let data: Vec<Vec<u8>> = lens.iter().map(|len| vec![round; *len]).collect();
        for one in &data {
            ann.send_on(0x4000, one);
        }
        for one in &data {
            let len = peer.recv(&mut buffer).unwrap();
            assert!(buffer[..len] == one[..], "{} instead of {} bytes", len, one.len());
        }
        for one in &data {
            peer.send_to(one, relayed).unwrap();
        }
        for one in &data {
            assert!(ann.receive() == channel_data(0x4000, one));
        }
    }
}

#[test]
fn a_peer_that_cannot_be_reached_takes_nothing_from_the_others() {
    let allow = ["127.0.0.0/8", "255.255.255.255/32", "240.0.0.0/4"].map(|network| network.parse().unwrap()).to_vec();
    let place = Place::new(1, Settings { policy: PeerPolicy { allow, ..PeerPolicy::default() }, ..settings() });
    let (mut ann, peer) = (UdpClient::new(&place, "ann"), udp_socket("127.0.0.1:0"));
    let relayed = ann.allocate();
    // Nobody listens there; to that one the kernel sends nothing without being asked twice; and there is no way to that.
    let nobody = udp_socket("127.0.0.1:0").local_addr().unwrap();
    let bad: [SocketAddr; 3] = [nobody, "255.255.255.255:5000".parse().unwrap(), "240.0.0.1:5000".parse().unwrap()];
    ann.bind(0x4000, peer.local_addr().unwrap());
    for (number, bad) in (0x4001..).zip(bad) {
        ann.bind(number, bad);
    }
    let mut buffer = [0; 2000];
    for round in 0..100u8 {
        for number in 0x4001..0x4004 {
            ann.send_on(number, b"into the void");
        }
        ann.send_on(0x4000, &[round; 100]);
        ann.send_on(0x4000, &[round; 50]);
        for number in 0x4001..0x4004 {
            ann.send_on(number, b"into the void");
        }
        for len in [100, 50] {
            assert_eq!(peer.recv(&mut buffer).unwrap(), len);
            assert_eq!(buffer[0], round);
        }
        peer.send_to(&[round; 7], relayed).unwrap();
        assert_eq!(ann.receive(), channel_data(0x4000, &[round; 7]));
    }
    let refused = |place: &Place| place.engine.stats().unwrap().totals.send_failed;
    place.until("what the kernel refuses is counted", |place| refused(place) >= 200);
}

#[test]
fn many_clients_do_not_hear_each_other() {
    let place = Place::new(2, settings());
    let peer = udp_socket("127.0.0.1:0");
    let clients: Vec<(UdpClient, SocketAddr)> = (0..20)
        .map(|_| {
            let mut client = UdpClient::new(&place, "ann");
            let relayed = client.allocate();
            client.bind(0x4000, peer.local_addr().unwrap());
            (client, relayed)
        })
        .collect();
    assert_eq!(clients.iter().map(|(_, relayed)| *relayed).collect::<BTreeSet<_>>().len(), 20);
    let mut buffer = [0; 100];
    for (number, (client, relayed)) in (0u8..).zip(&clients) {
        client.send_on(0x4000, &[number]);
        let (len, from) = peer.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..len], from), (&[number][..], *relayed));
    }
    for (number, (_, relayed)) in (0u8..).zip(&clients) {
        peer.send_to(&[number; 3], relayed).unwrap();
    }
    for (number, (client, _)) in (0u8..).zip(&clients) {
        assert_eq!(client.receive(), channel_data(0x4000, &[number; 3]));
    }
}

#[test]
fn what_a_closed_relay_still_had_to_send_does_not_leave_from_its_successor() {
    let place = Place::new(1, settings());
    let peer = udp_socket("127.0.0.1:0");
    let mut bob = UdpClient::new(&place, "bob");
    assert_eq!(bob.request(Method::REFRESH, &[lifetime(0)]).code(), 437);
    for round in 0..200u64 {
        let mut ann = UdpClient::new(&place, "ann");
        assert_eq!(ann.try_allocate(&[(kind::ADDITIONAL_ADDRESS_FAMILY, vec![2, 0, 0, 0])]).code(), 200);
        ann.bind(0x4000, peer.local_addr().unwrap());
        let of_v4 = (kind::REQUESTED_ADDRESS_FAMILY, vec![1, 0, 0, 0]);
        let close = ann.client.sealed(Method::REFRESH, &[lifetime(0), of_v4]);
        let allocate = bob.client.sealed(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]);
        // The shard has other work until all three are there.
        place.engine.ping(0, round, 4096, 4096).unwrap();
        ann.send_on(0x4000, b"of ann");
        ann.socket.send(&close).unwrap();
        bob.socket.send(&allocate).unwrap();
        let answer = Answer(bob.receive());
        assert_eq!(answer.code(), 200);
        let of_bob = answer.address(kind::XOR_RELAYED_ADDRESS).unwrap();
        for client in [&mut ann, &mut bob] {
            assert_eq!(client.request(Method::REFRESH, &[lifetime(0)]).code(), 200);
        }
        peer.set_nonblocking(true).unwrap();
        while let Ok((_, from)) = peer.recv_from(&mut [0; 100]) {
            assert_ne!(from, of_bob, "ann speaks with the address of bob");
        }
        place.engine.drain(usize::MAX).unwrap();
    }
}
