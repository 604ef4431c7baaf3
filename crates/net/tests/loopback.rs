//! Datagrams over real loopback sockets.

use std::net::{SocketAddr, UdpSocket};

use peerline_net::{ReceiveRing, SendBatch, Sent, prepare};

fn socket(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_nonblocking(true).unwrap();
    prepare(&socket, address.starts_with('['), address.contains("0.0.0.0") || address.contains("[::]"));
    socket
}

fn arrivals(ring: &ReceiveRing) -> Vec<(SocketAddr, Vec<u8>)> {
    let bytes = ring.bytes();
    let each = |r: &peerline_net::Received| {
        let source = r.source;
        r.datagrams().map(move |d| (source, bytes[d.start as usize..d.end as usize].to_vec())).collect::<Vec<_>>()
    };
    ring.received().iter().flat_map(each).collect()
}

/// Sends what was received at `middle` on to `to`, each with `head` before it.
fn relay(ring: &ReceiveRing, batch: &mut SendBatch, middle: &UdpSocket, to: SocketAddr, head: &[u8]) -> Sent {
    for received in ring.received() {
        for datagram in received.datagrams() {
            batch.push(to, None, head, datagram, 0);
        }
    }
    batch.flush(middle, ring.bytes())
}

#[test]
fn what_is_sent_on_arrives_unchanged_and_in_order_over_both_families() {
    for host in ["127.0.0.1:0", "[::1]:0"] {
        let (source, middle, sink) = (socket(host), socket(host), socket(host));
        let (mut ring, mut batch) = (ReceiveRing::new(64), SendBatch::default());
        let sent: Vec<Vec<u8>> =
            (0..40u8).map(|n| vec![n; if n % 10 == 9 { 7 } else { 100 }]).chain([vec![]]).collect();
        for datagram in &sent {
            source.send_to(datagram, middle.local_addr().unwrap()).unwrap();
        }
        assert_eq!(ring.receive(&middle, 64).unwrap(), 41);
        let result = relay(&ring, &mut batch, &middle, sink.local_addr().unwrap(), b"head");
        assert_eq!(result, Sent { sent: 41, failed: 0 });
        ring.clear();
        while ring.receive(&sink, 64).is_ok() {}
        let expected: Vec<_> =
            sent.iter().map(|d| (middle.local_addr().unwrap(), [b"head", &d[..]].concat())).collect();
        assert_eq!(arrivals(&ring), expected);
    }
}

#[test]
fn a_run_that_was_sent_as_one_comes_apart_again() {
    let (source, sink) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let (mut ring, mut batch) = (ReceiveRing::new(4), SendBatch::default());
    let feeder = socket("127.0.0.1:0");
    feeder.send_to(&[5; 300], source.local_addr().unwrap()).unwrap();
    ring.receive(&source, 1).unwrap();
    for n in 0..64u32 {
        batch.push(sink.local_addr().unwrap(), None, &n.to_be_bytes(), 0..300, 0);
    }
    assert_eq!(batch.len(), 1, "one call to the kernel");
    assert_eq!(batch.flush(&source, ring.bytes()), Sent { sent: 64, failed: 0 });
    let mut seen = Vec::new();
    loop {
        ring.clear();
        if ring.receive(&sink, 4).is_err() {
            break;
        }
        seen.extend(arrivals(&ring).into_iter().map(|(_, d)| d));
    }
    let expected: Vec<_> = (0..64u32).map(|n| [&n.to_be_bytes()[..], &[5; 300]].concat()).collect();
    assert_eq!(seen, expected);
}

#[cfg(all(target_os = "linux", not(peerline_portable)))]
#[test]
fn a_socket_of_all_addresses_knows_which_was_asked_and_answers_from_it() {
    let (asker, server) = (socket("127.0.0.1:0"), socket("0.0.0.0:0"));
    let asked = SocketAddr::from(([127, 3, 2, 1], server.local_addr().unwrap().port()));
    asker.send_to(b"question", asked).unwrap();
    let (mut ring, mut batch) = (ReceiveRing::new(2), SendBatch::default());
    ring.receive(&server, 1).unwrap();
    let local_ip = ring.received()[0].local_ip;
    assert_eq!(local_ip, Some([127, 3, 2, 1].into()));
    batch.push(ring.received()[0].source, local_ip, b"answer", 0..0, 2);
    assert_eq!(batch.flush(&server, ring.bytes()).sent, 1);
    ring.clear();
    ring.receive(&asker, 1).unwrap();
    assert_eq!(arrivals(&ring), [(asked, b"answer\0\0".to_vec())]);
}

#[test]
fn what_cannot_be_sent_is_counted_and_holds_up_nothing() {
    let (source, sink) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let (mut ring, mut batch) = (ReceiveRing::new(2), SendBatch::default());
    source.send_to(b"x", sink.local_addr().unwrap()).unwrap();
    ring.receive(&sink, 1).unwrap();
    let nowhere = "[::1]:9".parse().unwrap(); // another family than the socket's
    for to in [nowhere, sink.local_addr().unwrap(), nowhere] {
        batch.push(to, None, b"", 0..1, 0);
    }
    assert_eq!(batch.flush(&source, ring.bytes()), Sent { sent: 1, failed: 2 });
    assert_eq!(ring.receive(&sink, 1).unwrap(), 1);
    ring.clear();
    assert_eq!(ring.receive(&sink, 2).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}
