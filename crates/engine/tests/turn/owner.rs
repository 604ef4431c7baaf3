//! What the owner of the engine sees and does: events, lists, kicks, drains, decisions.

use std::io::Write;
use std::net::UdpSocket;

use peerline_engine::{Event, FreeReason, Settings, TurnEvent, Verdict};
use peerline_wire::stun::{Method, kind};

use crate::client::UDP;
use crate::place::{Place, settings};
use crate::stream_client::StreamClient;
use crate::udp_client::{UdpClient, lifetime};

fn list(place: &Place, token: u64) -> Vec<(peerline_engine::Handle, peerline_engine::AllocationView)> {
    place.engine.turn_list(&place.turn, token).unwrap();
    let (mut rows, mut answers) = (Vec::new(), 0);
    place.event(|event| {
        if let Event::TurnListed { handle, token: found, allocations } = event
            && found == token
        {
            rows.extend(allocations.into_iter().map(|row| (handle, row)));
            answers += 1;
        }
        (answers == place.turn.handles.len()).then_some(())
    });
    rows
}

fn freed(place: &Place) -> (FreeReason, String) {
    place.event(|event| match event {
        Event::Turn { event: TurnEvent::Freed { why, username, .. }, .. } => Some((why, username.to_string())),
        _ => None,
    })
}

#[test]
fn allocations_are_listed_with_what_they_have_relayed() {
    let place = Place::new(2, settings());
    let mut clients: Vec<UdpClient> = (0..6).map(|_| UdpClient::new(&place, "ann")).collect();
    let mut relayed: Vec<_> = clients.iter_mut().map(UdpClient::allocate).collect();
    let rows = list(&place, 7);
    let mut told: Vec<_> = rows.iter().map(|(_, row)| row.relayed[0]).collect();
    relayed.sort();
    told.sort();
    assert_eq!(told, relayed);
    assert!(rows.iter().all(|(_, row)| *row.username == *"ann" && row.left_s > 590 && row.connections.is_none()));
    let mut own: Vec<_> = clients.iter().map(|client| client.socket.local_addr().unwrap()).collect();
    let mut seen: Vec<_> = rows.iter().map(|(_, row)| row.tuple.client).collect();
    own.sort();
    seen.sort();
    assert_eq!(seen, own);
}

#[test]
fn whoever_is_kicked_has_nothing_left() {
    let place = Place::new(2, settings());
    let (mut ann, mut bob) = (UdpClient::new(&place, "ann"), UdpClient::new(&place, "bob"));
    let (relayed, _) = (ann.allocate(), bob.allocate());
    let rows = list(&place, 1);
    let (handle, row) = rows.iter().find(|(_, row)| *row.username == *"ann").unwrap();
    place.engine.turn_kick(*handle, row.id).unwrap();
    assert_eq!(freed(&place), (FreeReason::Kicked, "ann".to_owned()));
    UdpSocket::bind(relayed).expect("its port is free");
    assert_eq!(ann.request(Method::REFRESH, &[lifetime(600)]).code(), 437);
    assert_eq!(bob.request(Method::REFRESH, &[lifetime(600)]).code(), 200);
    place.engine.turn_kick(*handle, row.id).unwrap();
    assert_eq!(list(&place, 2).len(), 1, "a second time does nothing");
}

#[test]
fn a_server_that_drains_keeps_who_is_there() {
    let place = Place::new(2, settings());
    let mut ann = UdpClient::new(&place, "ann");
    ann.allocate();
    place.engine.turn_drain(&place.turn).unwrap();
    assert_eq!(list(&place, 1).len(), 1, "commands are done in their order");
    for _ in 0..4 {
        assert_eq!(UdpClient::new(&place, "bob").try_allocate(&[]).code(), 508);
    }
    assert_eq!(ann.request(Method::REFRESH, &[lifetime(600)]).code(), 200);
    assert_eq!(ann.request(Method::REFRESH, &[lifetime(0)]).code(), 200);
    assert_eq!(freed(&place).0, FreeReason::Released);
    assert_eq!(ann.try_allocate(&[]).code(), 508);
}

#[test]
fn the_owner_decides_while_the_client_waits() {
    let place = Place::new(1, Settings { asks_owner: true, ..settings() });
    for verdict in [Verdict::Allow, Verdict::Deny] {
        let mut ann = UdpClient::new(&place, "ann");
        let code = std::thread::scope(|scope| {
            let asking = scope.spawn(|| ann.try_allocate(&[]).code());
            let (handle, question) = place.event(|event| match event {
                Event::TurnAsked { handle, question } => Some((handle, question)),
                _ => None,
            });
            assert_eq!(*question.username, *"ann");
            place.engine.turn_decide(handle, question.id, verdict).unwrap();
            asking.join().unwrap()
        });
        assert_eq!(code, if verdict == Verdict::Allow { 200 } else { 403 });
    }
    place.until("it is counted", |place| place.allocations() == 1);
}

#[test]
fn who_goes_to_another_shard_gets_nothing_where_it_was() {
    let place = Place::new(2, Settings { asks_owner: true, ..settings() });
    let mut ann = StreamClient::new(&place, "ann");
    ann.introduce();
    let allocate = ann.client.sealed(Method::ALLOCATE, &[(UDP.0, UDP.1.to_vec())]);
    ann.socket.write_all(&allocate).unwrap();
    let (handle, question) = place.event(|event| match event {
        Event::TurnAsked { handle, question } => Some((handle, question)),
        _ => None,
    });
    let elsewhere = 1 - handle.shard() as u32;
    let bind = ann.client.bare(Method::CONNECTION_BIND, &[(kind::CONNECTION_ID, elsewhere.to_be_bytes().to_vec())]);
    ann.socket.write_all(&bind).unwrap();
    assert_eq!(ann.receive().code(), 401, "from the other shard");
    place.engine.turn_decide(handle, question.id, Verdict::Allow).unwrap();
    assert_eq!(list(&place, 1), [], "nobody would hear what comes to it");
}

#[test]
fn new_settings_are_for_those_who_come_from_now_on() {
    let place = Place::new(2, settings());
    let mut ann = UdpClient::new(&place, "ann");
    ann.allocate();
    let without_bob = Settings { users: settings().users[..1].to_vec(), ..settings() };
    place.engine.turn_reload(&place.turn, &std::sync::Arc::new(without_bob)).unwrap();
    assert_eq!(list(&place, 1).len(), 1);
    assert_eq!(ann.request(Method::REFRESH, &[lifetime(600)]).code(), 200);
    let mut ann_again = UdpClient::new(&place, "ann");
    ann_again.allocate();
    let mut bob = UdpClient::new(&place, "bob");
    bob.client.realm = ann.client.realm.clone();
    let message = bob.client.bare(Method::ALLOCATE, &[crate::udp_client::lifetime(600)]);
    bob.socket.send(&message).unwrap();
    let challenge = crate::answer::Answer(bob.receive());
    crate::udp_client::learn(&mut bob.client, &challenge);
    let message = bob.client.sealed(Method::ALLOCATE, &[(crate::client::UDP.0, crate::client::UDP.1.to_vec())]);
    bob.socket.send(&message).unwrap();
    assert_eq!(crate::answer::Answer(bob.receive()).code(), 401);
}
