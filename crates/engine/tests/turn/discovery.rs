//! Behaviour discovery (RFC 5780) with sockets: the answer really comes from the other address.

use std::net::{IpAddr, SocketAddr};

use peerline_engine::{Discovery, OwnIp, Settings};
use peerline_wire::stun::{Method, decode_address, kind};

use crate::answer::Answer;
use crate::place::{ALL_PORTS, Place, free_ports, settings, udp_socket};
use crate::udp_client::named;

const HOSTS: [&str; 2] = ["127.0.0.1", "127.0.0.2"];

#[test]
fn the_answer_leaves_from_the_address_that_was_asked_for() {
    for (shards, is_wildcard) in [(1, false), (2, false), (2, true)] {
        let ports = free_ports(2, &HOSTS);
        let ports = [*ports.start(), *ports.end()];
        let ips = HOSTS.map(|host| host.parse::<IpAddr>().unwrap());
        let discovery = vec![Discovery { ips: ips.map(OwnIp::from), ports }];
        let hosts = if is_wildcard { vec![IpAddr::from([0, 0, 0, 0])] } else { ips.to_vec() };
        let listen: Vec<SocketAddr> =
            hosts.iter().flat_map(|ip| ports.map(|port| SocketAddr::new(*ip, port))).collect();
        let place = Place::on(shards, Settings { discovery, ..settings() }, ALL_PORTS, &listen);
        // Several clients, so that on two shards both have to answer.
        for _ in 0..8 {
            let socket = udp_socket("127.0.0.1:0");
            for (flags, ip, port) in [(0, 0, 0), (4, 1, 0), (2, 0, 1), (6, 1, 1)] {
                let change = (kind::CHANGE_REQUEST, vec![0, 0, 0, flags]);
                let message = named("ann").bare(Method::BINDING, &[change]);
                socket.send_to(&message, (ips[0], ports[0])).unwrap();
                let mut buffer = [0; 600];
                let (len, from) = socket.recv_from(&mut buffer).unwrap();
                let answer = Answer(buffer[..len].to_vec());
                assert_eq!((answer.code(), from), (200, SocketAddr::new(ips[ip], ports[port])));
                let address = |kind| answer.value(kind).and_then(decode_address);
                assert_eq!(address(kind::RESPONSE_ORIGIN), Some(from));
                assert_eq!(address(kind::OTHER_ADDRESS), Some(SocketAddr::new(ips[1], ports[1])));
                assert_eq!(answer.address(kind::XOR_MAPPED_ADDRESS), Some(socket.local_addr().unwrap()));
            }
        }
        place.until("all are counted", |place| place.engine.stats().unwrap().totals.turn.bindings == 32);
    }
}
