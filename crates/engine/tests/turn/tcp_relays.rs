//! Relays for TCP (RFC 6062) with sockets: connections to peers and from them, joined, slow, half closed and broken off.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use peerline_engine::{Event, FreeReason, Quotas, Settings, TurnEvent};
use peerline_wire::stun::{Method, kind};

use crate::place::{PATIENCE, Place, settings};
use crate::stream_client::StreamClient;
use crate::udp_client::lifetime;

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A client's data connection, and the peer at its other end.
fn joined(place: &Place, ann: &mut StreamClient) -> (TcpStream, TcpStream) {
    let (listener, address) = listener();
    let answer = ann.connect(address);
    assert_eq!(answer.code(), 200);
    let peer = accept(&listener);
    (ann.join(place, answer.number(kind::CONNECTION_ID).unwrap()), peer)
}

fn expect(stream: &mut TcpStream, expected: &[u8]) {
    let mut buffer = vec![0; expected.len()];
    stream.read_exact(&mut buffer).expect("it comes in time");
    assert!(buffer == expected);
}

/// Closed in order, or broken off: nothing more comes.
fn expect_gone(stream: &mut TcpStream) {
    match stream.read(&mut [0; 100]) {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("not the end but {other:?}"),
    }
}

#[test]
fn a_client_reaches_a_peer_over_tcp_whichever_shard_its_connections_come_to() {
    for shards in [1, 2, 3] {
        let place = Place::new(shards, settings());
        let mut ann = StreamClient::new(&place, "ann");
        let relayed = ann.allocate_tcp();
        let mut ports = BTreeSet::new();
        for round in 0..12u8 {
            let (mut data, mut peer) = joined(&place, &mut ann);
            assert_eq!(peer.peer_addr().unwrap(), relayed, "from the relayed address");
            ports.insert(data.local_addr().unwrap().port());
            for len in [1, 100, 40_000] {
                data.write_all(&vec![round; len]).unwrap();
                expect(&mut peer, &vec![round; len]);
                peer.write_all(&vec![round + 1; len]).unwrap();
                expect(&mut data, &vec![round + 1; len]);
            }
        }
        assert_eq!(ports.len(), 12);
    }
}

#[test]
fn what_comes_right_behind_the_request_is_the_peers() {
    let place = Place::new(2, settings());
    for _ in 0..6 {
        let mut ann = StreamClient::new(&place, "ann");
        ann.allocate_tcp();
        let (listener, address) = listener();
        let id = ann.connect(address).number(kind::CONNECTION_ID).unwrap();
        let mut peer = accept(&listener);
        peer.write_all(b"early").unwrap();
        let mut data = StreamClient::new(&place, "ann");
        data.introduce();
        // The nonce is good wherever the connection is handed to.
        let attribute = (kind::CONNECTION_ID, id.to_be_bytes().to_vec());
        let message = data.client.sealed(Method::CONNECTION_BIND, &[attribute]);
        data.socket.write_all(&[&message[..], b"\x40\x00 no frame but data"].concat()).unwrap();
        data.socket.shutdown(Shutdown::Write).unwrap();
        let answer = data.receive();
        answer.assert_is_for(&data.client);
        assert_eq!(answer.code(), 200);
        expect(&mut peer, b"\x40\x00 no frame but data");
        expect_gone(&mut peer);
        expect(&mut data.socket, b"early");
        peer.write_all(b"late").unwrap();
        expect(&mut data.socket, b"late");
        drop(peer);
        expect_gone(&mut data.socket);
    }
}

#[test]
fn a_peer_that_is_permitted_can_connect() {
    for shards in [1, 2] {
        let place = Place::new(shards, settings());
        let mut ann = StreamClient::new(&place, "ann");
        let relayed = ann.allocate_tcp();
        let mut turned_away = TcpStream::connect(relayed).unwrap();
        turned_away.set_read_timeout(Some(PATIENCE)).unwrap();
        expect_gone(&mut turned_away);
        ann.permit("127.0.0.1:0".parse().unwrap());
        for _ in 0..4 {
            let mut peer = TcpStream::connect(relayed).unwrap();
            peer.set_read_timeout(Some(PATIENCE)).unwrap();
            peer.write_all(b"from the peer").unwrap();
            let (address, id) = ann.attempt();
            assert_eq!(address, peer.local_addr().unwrap());
            let mut data = ann.join(&place, id);
            expect(&mut data, b"from the peer");
            data.write_all(b"from the client").unwrap();
            expect(&mut peer, b"from the client");
        }
    }
}

#[test]
fn a_peer_that_is_not_there_is_447() {
    let place = Place::new(1, settings());
    let mut ann = StreamClient::new(&place, "ann");
    ann.allocate_tcp();
    let (gone, address) = listener();
    drop(gone);
    assert_eq!(ann.connect(address).code(), 447);
    assert_eq!(ann.connect("[::1]:5000".parse().unwrap()).code(), 443);
    assert_eq!(ann.connect("10.0.0.1:5000".parse().unwrap()).code(), 403);
    let (listener, address) = listener();
    assert_eq!(ann.connect(address).code(), 200);
    assert_eq!(ann.connect(address).code(), 446);
    drop(accept(&listener));
}

/// 8 MiB while the other end does not read: the sender has to wait, and nothing is lost.
#[test]
fn who_reads_slowly_slows_down_who_writes() {
    const LEN: usize = 8 << 20;
    let data_of = |seed: u8| (0..LEN).map(|n| (n / 251) as u8 ^ seed).collect::<Vec<u8>>();
    for shards in [1, 2] {
        let place = Place::new(shards, settings());
        let mut ann = StreamClient::new(&place, "ann");
        ann.allocate_tcp();
        let (mut data, mut peer) = joined(&place, &mut ann);
        let (mut data_writer, mut peer_writer) = (data.try_clone().unwrap(), peer.try_clone().unwrap());
        std::thread::scope(|scope| {
            scope.spawn(move || data_writer.write_all(&data_of(1)).unwrap());
            scope.spawn(move || peer_writer.write_all(&data_of(2)).unwrap());
            // Both write at the same time, and nobody reads until one of them must have been stopped.
            place.until("something is relayed", |place| place.engine.stats().unwrap().totals.turn.relayed_up > 0);
            let mut found = vec![0; LEN];
            peer.read_exact(&mut found).unwrap();
            assert!(found == data_of(1));
            data.read_exact(&mut found).unwrap();
            assert!(found == data_of(2));
        });
    }
}

#[test]
fn one_way_can_end_before_the_other() {
    let place = Place::new(1, settings());
    let mut ann = StreamClient::new(&place, "ann");
    ann.allocate_tcp();
    let (mut data, mut peer) = joined(&place, &mut ann);
    data.write_all(b"the question").unwrap();
    data.shutdown(Shutdown::Write).unwrap();
    expect(&mut peer, b"the question");
    expect_gone(&mut peer);
    peer.write_all(b"the answer").unwrap();
    expect(&mut data, b"the answer");
    peer.shutdown(Shutdown::Write).unwrap();
    expect_gone(&mut data);

    let (mut data, mut peer) = joined(&place, &mut ann);
    peer.write_all(b"hello").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    expect(&mut data, b"hello");
    expect_gone(&mut data);
    data.write_all(b"still here").unwrap();
    expect(&mut peer, b"still here");
    drop(data);
    expect_gone(&mut peer);
}

#[test]
fn one_end_that_breaks_off_takes_the_other_along() {
    let place = Place::new(1, settings());
    let mut ann = StreamClient::new(&place, "ann");
    ann.allocate_tcp();
    let break_off = |stream: TcpStream| {
        socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(stream);
    };
    let (mut data, peer) = joined(&place, &mut ann);
    break_off(peer);
    expect_gone(&mut data);
    let (data, mut peer) = joined(&place, &mut ann);
    break_off(data);
    expect_gone(&mut peer);
    let (mut data, mut peer) = joined(&place, &mut ann);
    data.write_all(b"others go on").unwrap();
    expect(&mut peer, b"others go on");
}

#[test]
fn with_its_control_connection_an_allocation_loses_everything() {
    for shards in [1, 2] {
        let place = Place::new(shards, settings());
        let mut ann = StreamClient::new(&place, "ann");
        let relayed = ann.allocate_tcp();
        let mut pairs: Vec<_> = (0..6).map(|_| joined(&place, &mut ann)).collect();
        let (waiting, address) = listener();
        assert_eq!(ann.connect(address).code(), 200);
        let mut waiting = accept(&waiting);
        drop(ann);
        for (data, peer) in &mut pairs {
            expect_gone(data);
            expect_gone(peer);
        }
        expect_gone(&mut waiting);
        place.event(|event| match event {
            Event::Turn { event: TurnEvent::Freed { why, usage, .. }, .. } => {
                assert_eq!((why, usage.packets_up), (FreeReason::Disconnected, 0));
                Some(())
            }
            _ => None,
        });
        place.until("the port is free", |_| TcpListener::bind(relayed).is_ok());
        place.until("it is gone", |place| place.allocations() == 0);
    }
}

#[test]
fn a_client_that_releases_its_allocation_is_told_and_its_connections_end() {
    let place = Place::new(2, settings());
    let mut ann = StreamClient::new(&place, "ann");
    ann.allocate_tcp();
    let (mut data, mut peer) = joined(&place, &mut ann);
    data.write_all(b"counted").unwrap();
    expect(&mut peer, b"counted");
    assert_eq!(ann.request(Method::REFRESH, &[lifetime(0)]).code(), 200);
    expect_gone(&mut data);
    expect_gone(&mut peer);
    let usage = place.event(|event| match event {
        Event::Turn { event: TurnEvent::Freed { usage, .. }, .. } => Some(usage),
        _ => None,
    });
    assert_eq!((usage.packets_up, usage.bytes_up, usage.bytes_down), (1, 7, 0));
}

#[test]
fn a_bind_that_is_refused_leaves_the_connection_to_its_client() {
    for shards in [1, 2] {
        let place = Place::new(shards, settings());
        let mut ann = StreamClient::new(&place, "ann");
        ann.allocate_tcp();
        let (listener, address) = listener();
        let id = ann.connect(address).number(kind::CONNECTION_ID).unwrap();
        let mut peer = accept(&listener);
        for _ in 0..4 {
            assert_eq!(StreamClient::new(&place, "bob").bind(id).code(), 400);
            assert_eq!(StreamClient::new(&place, "ann").bind(id ^ 0x1234_5678).code(), 400);
        }
        let mut data = ann.join(&place, id);
        assert_eq!(StreamClient::new(&place, "ann").bind(id).code(), 400, "it has been taken");
        data.write_all(b"hello").unwrap();
        expect(&mut peer, b"hello");
    }
}

#[test]
fn an_allocation_that_may_be_only_so_fast_is_slowed_down_and_loses_nothing() {
    let static_quotas = Quotas { bits_per_s: 4_000_000, ..Quotas::UNLIMITED };
    let place = Place::new(1, Settings { static_quotas, ..settings() });
    let mut ann = StreamClient::new(&place, "ann");
    ann.allocate_tcp();
    let (mut data, mut peer) = joined(&place, &mut ann);
    let sent = vec![7; 900_000];
    std::thread::scope(|scope| {
        scope.spawn(|| data.write_all(&sent).unwrap());
        let mut found = vec![0; sent.len()];
        peer.read_exact(&mut found).unwrap();
        assert!(found == sent);
    });
}

#[test]
fn two_clients_reach_each_other_through_their_relays() {
    let place = Place::new(2, settings());
    let (mut ann, mut bob) = (StreamClient::new(&place, "ann"), StreamClient::new(&place, "bob"));
    let (relay_of_ann, relay_of_bob) = (ann.allocate_tcp(), bob.allocate_tcp());
    bob.permit(relay_of_ann);
    let answer = ann.connect(relay_of_bob);
    assert_eq!(answer.code(), 200);
    let (from, id) = bob.attempt();
    assert_eq!(from, relay_of_ann);
    let mut of_ann = ann.join(&place, answer.number(kind::CONNECTION_ID).unwrap());
    let mut of_bob = bob.join(&place, id);
    of_ann.write_all(b"hello bob").unwrap();
    expect(&mut of_bob, b"hello bob");
    of_bob.write_all(b"hello ann").unwrap();
    expect(&mut of_ann, b"hello ann");
}
