//! TCP clients that have waited while there were no descriptors for them: all of them are served when there are again.
//! Alone in its process, as the limit is that of the whole process.

#![allow(dead_code)] // of what it shares with the other tests of the service

#[path = "../../turn/tests/turn/answer.rs"]
mod answer;
#[path = "../../turn/tests/turn/client.rs"]
mod client;
#[path = "../../turn/tests/turn/draft.rs"]
mod draft;
#[path = "turn/place.rs"]
mod place;

use std::io::{Read, Write};
use std::os::fd::AsRawFd;

use peerline_engine::Event;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

use crate::place::{PATIENCE, Place, settings};

/// More than are accepted at once.
const CLIENTS: usize = 200;
const BINDING: [u8; 20] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

#[test]
fn everybody_who_has_waited_for_a_descriptor_is_served() {
    let place = Place::new(1, settings());
    let mut clients: Vec<Socket> =
        (0..CLIENTS).map(|_| Socket::new(Domain::IPV4, Type::STREAM, None).unwrap()).collect();
    let highest = clients.iter().map(|client| client.as_raw_fd()).max().unwrap() as u64;
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(highest + 1), maximum: before.maximum }).unwrap();
    let used_up: Vec<Socket> = std::iter::from_fn(|| Socket::new(Domain::IPV4, Type::STREAM, None).ok()).collect();
    for client in &mut clients {
        client.connect(&place.tcp.into()).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.write_all(&BINDING).unwrap();
    }
    // When the second is answered, the shard has looked at everybody, and sleeps.
    for token in 0..2 {
        place.engine.ping(0, token, 1, 1).unwrap();
        place.event(|event| (event == Event::Ponged { token, sequence: 0 }).then_some(()));
    }
    assert!(place.engine.stats().unwrap().totals.turn.refused_connections > 0, "there are no descriptors left");
    setrlimit(Resource::Nofile, before).unwrap();
    for client in &mut clients {
        client.read_exact(&mut [0; 32]).expect("an answer comes in time");
    }
    drop(used_up);
}
