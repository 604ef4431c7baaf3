//! The engine over real loopback sockets. Nothing here waits for a time, only for something to happen.

use std::any::Any;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use peerline_wire::stun::{Class, Message, MessageWriter, Method, TransactionId, decode_xor_address, kind};

use super::*;
use crate::service::{Io, Service, SocketId};
use crate::udp::bind;

fn engine(shards: usize) -> Engine {
    Engine::new(EngineConfig { shards: Some(shards) }).unwrap()
}

fn client(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket
}

fn request() -> Vec<u8> {
    let mut buffer = vec![0; 20];
    MessageWriter::new(&mut buffer, Class::Request, Method::BINDING, TransactionId([7; 12])).unwrap();
    buffer
}

/// Drains until `enough` says so; a test that waits for ever is a failed test.
fn wait_for(engine: &Engine, mut enough: impl FnMut(&[Event]) -> bool) -> Vec<Event> {
    let mut events = Vec::new();
    let given_up = Instant::now() + Duration::from_secs(20);
    while !enough(&events) {
        assert!(Instant::now() < given_up, "only these came: {events:?}");
        events.extend(engine.drain(1000).unwrap());
        thread::yield_now();
    }
    events
}

fn ask(socket: &UdpSocket, server: SocketAddr, request: &[u8]) -> Vec<u8> {
    socket.send_to(request, server).unwrap();
    let mut buffer = [0; 1500];
    let (len, from) = socket.recv_from(&mut buffer).unwrap();
    assert_eq!(from, server, "the answer comes from the address that was asked");
    buffer[..len].to_vec()
}

fn mapped(answer: &[u8]) -> SocketAddr {
    let message = Message::parse(answer).unwrap();
    decode_xor_address(message.attribute(kind::XOR_MAPPED_ADDRESS).unwrap().value, message.transaction).unwrap()
}

#[test]
fn a_client_learns_its_address_over_both_families() {
    let engine = engine(2);
    for (address, len) in [("127.0.0.1:0", 32), ("[::1]:0", 44)] {
        let server = engine.stun_listen(address.parse().unwrap(), None).unwrap();
        let socket = client(address);
        let answer = ask(&socket, server.address, &request());
        assert_eq!(answer.len(), len);
        assert_eq!(mapped(&answer), socket.local_addr().unwrap());
    }
    let stun = engine.stats().unwrap().totals.stun;
    assert_eq!((stun.received(), stun.answered), (2, 2));
}

#[cfg(target_os = "linux")]
#[test]
fn a_wildcard_listener_answers_from_the_address_that_was_asked() {
    let engine = engine(1);
    let port = engine.stun_listen("0.0.0.0:0".parse().unwrap(), None).unwrap().address.port();
    // All of 127.0.0.0/8 is local; without PKTINFO the answer would leave from 127.0.0.1.
    let answer = ask(&client("127.0.0.1:0"), SocketAddr::from(([127, 1, 2, 3], port)), &request());
    assert_eq!(answer.len(), 32);
}

#[test]
fn the_limit_holds_for_each_source_and_counts_what_it_drops() {
    let engine = engine(1);
    let limit = RateLimit { per_second: 1, burst: 3 };
    let server = engine.stun_listen("127.0.0.1:0".parse().unwrap(), Some(limit)).unwrap();
    let socket = client("127.0.0.1:0");
    for _ in 0..20 {
        socket.send_to(&request(), server.address).unwrap();
    }
    let given_up = Instant::now() + Duration::from_secs(20);
    while engine.stats().unwrap().totals.stun.received() < 20 && Instant::now() < given_up {
        thread::yield_now();
    }
    let stun = engine.stats().unwrap().totals.stun;
    assert_eq!((stun.received(), stun.answered + stun.rate_limited), (20, 20));
    // Three at once; a slow machine may have earned another one meanwhile.
    assert!((3..20).contains(&stun.answered), "{stun:?}");
}

#[test]
fn garbage_is_counted_and_not_answered() {
    let engine = engine(1);
    let server = engine.stun_listen("127.0.0.1:0".parse().unwrap(), None).unwrap();
    let socket = client("127.0.0.1:0");
    for garbage in [&b""[..], b"hello", &[0x80; 100], &request()[..19]] {
        socket.send_to(garbage, server.address).unwrap();
    }
    let mut response = request();
    response[0] = 1;
    socket.send_to(&response, server.address).unwrap();
    // The first answer that comes is the one to the first good request.
    assert_eq!(mapped(&ask(&socket, server.address, &request())), socket.local_addr().unwrap());
    let stun = engine.stats().unwrap().totals.stun;
    assert_eq!((stun.received(), stun.malformed, stun.unserved, stun.answered), (6, 4, 1, 1));
}

#[test]
fn closing_a_listener_frees_its_port_and_makes_its_handle_stale() {
    let engine = engine(1);
    let first = engine.stun_listen("127.0.0.1:0".parse().unwrap(), None).unwrap();
    let taken = engine.stun_listen(first.address, None).unwrap_err();
    assert!(matches!(taken, EngineError::Io(error) if error.kind() == io::ErrorKind::AddrInUse));
    engine.close_handle(first.handle).unwrap();
    wait_for(&engine, |events| events.contains(&Event::Closed { handle: first.handle }));
    let second = engine.stun_listen(first.address, None).unwrap();
    assert_ne!(second.handle, first.handle);
    for stale in [first.handle, Handle::from_bits(0), Handle::from_bits(u64::MAX)] {
        engine.close_handle(stale).unwrap();
    }
    assert_eq!(ask(&client("127.0.0.1:0"), second.address, &request()).len(), 32);
    assert_eq!(engine.drain(10).unwrap(), []);
}

#[test]
fn more_pongs_than_the_queue_holds_all_arrive_in_order() {
    let engine = engine(1);
    let count = crate::QUEUE_CAPACITY as u32 * 2 + 5;
    engine.ping(0, 9, count, 100).unwrap();
    let events = wait_for(&engine, |events| events.len() == count as usize);
    let expected = (0..count).map(|sequence| Event::Ponged { token: 9, sequence });
    assert!(events.into_iter().eq(expected));
}

#[test]
fn every_shard_answers_a_ping() {
    let engine = engine(3);
    for shard in 0..3 {
        engine.ping(shard, shard as u64, 1, 1).unwrap();
    }
    wait_for(&engine, |events| events.len() == 3);
    assert!(matches!(engine.ping(3, 0, 1, 1), Err(EngineError::Invalid(_))));
    assert!(matches!(engine.ping(0, 0, 0, 1), Err(EngineError::Invalid(_))));
}

#[test]
fn closing_is_idempotent_and_ends_every_command() {
    let engine = engine(2);
    let server = engine.stun_listen("127.0.0.1:0".parse().unwrap(), None).unwrap();
    engine.close().unwrap();
    engine.close().unwrap();
    assert!(engine.is_closed());
    assert!(matches!(engine.ping(0, 0, 1, 1), Err(EngineError::Closed)));
    assert!(matches!(engine.stun_listen(server.address, None), Err(EngineError::Closed)));
    assert_eq!(engine.drain(10).unwrap(), []);
    UdpSocket::bind(server.address).expect("the port is free when close returns");
}

#[test]
fn nonsense_is_refused() {
    for shards in [0, MAX_SHARDS + 1] {
        assert!(matches!(Engine::new(EngineConfig { shards: Some(shards) }), Err(EngineError::Invalid(_))));
    }
    let limit = RateLimit { per_second: 0, burst: 1 };
    let refused = engine(1).stun_listen("127.0.0.1:0".parse().unwrap(), Some(limit));
    assert!(matches!(refused, Err(EngineError::Invalid(_))));
}

/// Does what its name says, at the moment it is told to.
struct Panicking {
    socket: mio::net::UdpSocket,
    on_input: bool,
    on_timeout: Option<Instant>,
}

impl Service for Panicking {
    fn start(&mut self, io: &mut Io<'_>) -> io::Result<()> {
        io.register(&mut self.socket, 0, mio::Interest::READABLE)
    }

    fn handle_ready(&mut self, _: &mut Io<'_>, _: SocketId, _: bool) -> bool {
        assert!(!self.on_input, "a bug");
        false
    }

    fn finish_turn(&mut self, _: &mut Io<'_>) {}

    fn handle_timeout(&mut self, _: &mut Io<'_>) {
        std::panic::panic_any(format!("quoting {}", "203.0.113.7"));
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.on_timeout
    }

    fn handle_command(&mut self, _: &mut Io<'_>, _: Box<dyn Any + Send>) {}

    fn stop(&mut self, _: &mut Io<'_>) {}
}

#[test]
fn a_panic_kills_its_service_and_nothing_else() {
    let engine = engine(1);
    let any = "127.0.0.1:0".parse().unwrap();
    let good = engine.stun_listen(any, None).unwrap();
    let panicking = |on_input, is_due: bool| {
        let socket = bind(any).unwrap();
        let address = socket.local_addr().unwrap();
        let build: Build = Box::new(move |now, _| {
            Box::new(Panicking { socket, on_input, on_timeout: is_due.then_some(now) }) as Box<dyn Service>
        });
        (engine.open(0, build).unwrap(), address)
    };
    let (on_timeout, _) = panicking(false, true);
    let (on_input, address) = panicking(true, false);
    let on_build = engine.open(0, Box::new(|_, _| panic!("a bug"))).unwrap();
    client("127.0.0.1:0").send_to(b"anything", address).unwrap();
    let events = wait_for(&engine, |events| events.len() == 3);
    let failed = |handle, reason: &str| events.contains(&Event::Failed { handle, reason: reason.into() });
    assert!(failed(on_input, "a bug") && failed(on_build, "a bug"), "{events:?}");
    assert!(failed(on_timeout, "panicked"), "a formatted text may quote an address: {events:?}");
    assert_eq!(ask(&client("127.0.0.1:0"), good.address, &request()).len(), 32);
    UdpSocket::bind(address).expect("the dead service's port is free");
}
