//! ConnectionBind (RFC 6062 §5.4) and how connections end: by time, with their allocation, by themselves.

use peerline_turn::{ConnectionId, FreeReason, RateLimit, Secret, Settings, Transport, TurnEvent};
use peerline_wire::stun::{Method, kind};

use crate::client::Client;
use crate::draft::Attribute;
use crate::tcp_world::{another, over, tcp_ann, tcp_bob, tcp_settings};
use crate::world::{Came, PEER, SECRET, World, guest};

fn waiting() -> (World, Client, ConnectionId) {
    let mut world = World::new(tcp_settings());
    let mut ann = tcp_ann();
    world.allocate_tcp(&mut ann);
    let id = world.connected(&mut ann, PEER);
    (world, ann, id)
}

fn code(came: Came, client: &Client) -> u16 {
    match came {
        Came::Answer(answer) => {
            answer.assert_is_for(client);
            answer.code()
        }
        Came::Joined(_, answer) => {
            answer.assert_is_for(client);
            assert_eq!(answer.message().method, Method::CONNECTION_BIND);
            answer.code()
        }
        other => panic!("no answer but {other:?}"),
    }
}

#[test]
fn a_new_connection_of_the_same_user_is_joined() {
    for transport in [Transport::Tcp, Transport::Tls] {
        for is_modern in [false, true] {
            let (mut world, ann, id) = waiting();
            let mut data = Client { has_fingerprint: is_modern, ..over(transport, another(&ann, 5000)) };
            data = if is_modern { data.modern() } else { data };
            let came = world.bind_connection(&mut data, id);
            assert!(matches!(came, Came::Joined(joined, _) if joined == id));
            assert_eq!(code(came, &data), 200);
            assert_eq!((world.host.connections.len(), world.messages()), (1, vec![]));
        }
    }
}

#[test]
fn one_that_a_peer_has_begun_is_joined_in_the_same_way() {
    let (mut world, mut ann, _) = waiting();
    assert_eq!(world.permit(&mut ann, &[PEER]), 200);
    let allocation = world.server.find(&ann.tuple).unwrap();
    let id = world.come(allocation, "8.8.8.8:1234").unwrap();
    assert!(matches!(world.bind_connection(&mut another(&ann, 5000), id), Came::Joined(..)));
}

#[test]
fn it_is_joined_once() {
    let (mut world, ann, id) = waiting();
    assert!(matches!(world.bind_connection(&mut another(&ann, 5000), id), Came::Joined(..)));
    let mut second = another(&ann, 5001);
    assert_eq!(code(world.bind_connection(&mut second, id), &second), 400);
    world.end(id);
    assert_eq!(code(world.bind_connection(&mut second, id), &second), 400, "it is gone");
}

#[test]
fn nobody_else_can_have_it() {
    let (mut world, _, id) = waiting();
    let mut bob = tcp_bob();
    assert_eq!(code(world.bind_connection(&mut bob, id), &bob), 400, "as if there were none");
    world.allocate_tcp(&mut bob);
    let mut data = another(&bob, 5000);
    assert_eq!(code(world.bind_connection(&mut data, id), &data), 400);
    let mut stranger = Client { password: "guessed".into(), ..another(&tcp_ann(), 5001) };
    world.introduce(&mut stranger);
    let Came::Answer(answer) = world.bind_connection(&mut stranger, id) else { panic!() };
    assert_eq!((answer.code(), answer.is_sealed()), (401, false));
    assert!(matches!(world.bind_connection(&mut another(&tcp_ann(), 5002), id), Came::Joined(..)), "it is still there");
}

#[test]
fn a_connection_that_is_not_made_yet_cannot_be_joined() {
    let (mut world, mut ann, _) = waiting();
    let id = world.begin(&mut ann, "8.8.8.8:5001");
    let mut data = another(&ann, 5000);
    assert_eq!(code(world.bind_connection(&mut data, id), &data), 400);
    world.server.peer_connected(world.now, id);
    assert_eq!(code(world.bind_connection(&mut data, id), &data), 200);
}

#[test]
fn a_bind_that_makes_no_sense_is_refused_and_takes_nothing_away() {
    let (mut world, mut ann, id) = waiting();
    assert_eq!(code(world.bind_connection(&mut ann, id), &ann), 400, "over the allocation's own connection");
    let mut udp = over(Transport::Udp, another(&ann, 5000));
    assert_eq!(code(world.bind_connection(&mut udp, id), &udp), 400, "over UDP");
    let mut data = another(&ann, 5001);
    let bad: [Vec<Attribute>; 4] = [
        vec![],
        vec![(kind::CONNECTION_ID, vec![])],
        vec![(kind::CONNECTION_ID, vec![0; 8])],
        vec![(kind::CONNECTION_ID, id.0.wrapping_add(1).to_be_bytes().to_vec())],
    ];
    for attributes in bad {
        assert_eq!(world.request(&mut data, Method::CONNECTION_BIND, &attributes).code(), 400);
    }
    let right = (kind::CONNECTION_ID, id.0.to_be_bytes().to_vec());
    assert_eq!(world.request(&mut data, Method::CONNECTION_BIND, &[right, (0x7777, vec![])]).code(), 420);
    assert_eq!(code(world.bind_connection(&mut data, id), &data), 200);
}

#[test]
fn nobody_waits_longer_than_half_a_minute() {
    let (mut world, ann, id) = waiting();
    world.pass(28);
    assert_eq!(world.host.connections.len(), 1);
    world.pass(3);
    assert_eq!((world.host.connections.len(), world.messages()), (0, vec![]));
    let mut data = another(&ann, 5000);
    assert_eq!(code(world.bind_connection(&mut data, id), &data), 400);

    let (mut world, ann, id) = waiting();
    world.pass(28);
    assert!(matches!(world.bind_connection(&mut another(&ann, 5000), id), Came::Joined(..)));
    world.pass(500);
    assert_eq!(world.host.connections.len(), 1, "what is joined stays");
}

#[test]
fn with_an_allocation_go_its_connections() {
    type End = fn(&mut World, &mut Client);
    let ends: [(End, FreeReason); 4] = [
        (|world, ann| assert_eq!(world.refresh(ann, 0).code(), 200), FreeReason::Released),
        (|world, ann| world.server.client_gone(ann.tuple, &mut world.host), FreeReason::Disconnected),
        (|world, _| world.pass(601), FreeReason::Expired),
        (
            |world, ann| {
                let id = world.server.find(&ann.tuple).unwrap();
                assert!(world.server.kick(id, &mut world.host));
            },
            FreeReason::Kicked,
        ),
    ];
    for (end, why) in ends {
        let (mut world, mut ann, joined) = waiting();
        assert!(matches!(world.bind_connection(&mut another(&ann, 5000), joined), Came::Joined(..)));
        let mut bob = tcp_bob();
        world.allocate_tcp(&mut bob);
        let is_of_bob = world.connected(&mut bob, PEER);
        world.bind_connection(&mut another(&bob, 5001), is_of_bob);
        if why == FreeReason::Expired {
            world.pass(300);
            world.refresh(&mut bob, 3600);
        }
        world.connected(&mut ann, "8.8.8.8:5001");
        world.begin(&mut ann, "8.8.8.8:5002");
        end(&mut world, &mut ann);
        let left: Vec<ConnectionId> = world.host.connections.keys().copied().collect();
        assert_eq!((left, world.host.open.len()), (vec![is_of_bob], 1));
        assert_eq!(world.server.counters().connections, 1);
        let freed = world.events().into_iter().filter_map(|event| match event {
            TurnEvent::Freed { why, .. } => Some(why),
            TurnEvent::Allocated { .. } => None,
        });
        assert_eq!(freed.collect::<Vec<_>>(), [why]);
    }
}

#[test]
fn what_ends_late_or_twice_is_nobodys() {
    let (mut world, mut ann, id) = waiting();
    world.end(id);
    world.server.peer_gone(world.now, id);
    world.server.peer_connected(world.now, id);
    world.server.peer_connected(world.now, ConnectionId(12_345));
    assert_eq!((world.messages(), world.server.counters().connections), (vec![], 0));
    let id = world.begin(&mut ann, PEER);
    world.server.client_gone(ann.tuple, &mut world.host);
    world.server.peer_gone(world.now, id);
    assert_eq!(world.messages(), [], "nobody is there to be told");
    world.pass(40);
    assert_eq!((world.messages(), world.server.counters().connections), (vec![], 0));
}

#[test]
fn a_connection_of_a_client_that_closes_before_it_is_joined_takes_nothing_along() {
    let (mut world, ann, id) = waiting();
    let mut data = another(&ann, 5000);
    world.introduce(&mut data);
    world.server.client_gone(data.tuple, &mut world.host);
    assert!(matches!(world.bind_connection(&mut another(&ann, 5001), id), Came::Joined(..)));
}

#[test]
fn a_name_that_has_expired_is_good_for_what_it_has() {
    let mut world = World::new(Settings { secrets: vec![Secret(SECRET.to_vec())], ..tcp_settings() });
    let mut carl = over(Transport::Tcp, guest("carl", "198.51.100.3:1", 100));
    world.allocate_tcp(&mut carl);
    world.pass(200);
    let id = world.connected(&mut carl, PEER);
    let mut data = another(&carl, 2);
    assert_eq!(code(world.bind_connection(&mut data, id), &data), 200);
}

#[test]
fn a_bind_for_another_shard_is_handed_over_before_anybody_is_asked_who_it_is() {
    let (shards, answers) = (4, Some(RateLimit { per_second: 1, burst: 50 }));
    let mut worlds: Vec<World> = (0..shards).map(|_| World::new(Settings { answers, ..tcp_settings() })).collect();
    for (shard, world) in (0..).zip(&mut worlds) {
        world.server.share_connections(shard, shards);
    }
    let mut ann = tcp_ann();
    worlds[2].allocate_tcp(&mut ann);
    for port in 5000..5020 {
        let id = worlds[2].connected(&mut ann, &format!("8.8.8.8:{port}"));
        let mut data = another(&ann, port);
        worlds[2].introduce(&mut data);
        for shard in [0, 1, 3] {
            assert_eq!(worlds[shard].bind_connection(&mut data, id), Came::HandOver(2));
        }
        let mut bare = another(&ann, port + 100);
        let message = bare.bare(Method::CONNECTION_BIND, &[(kind::CONNECTION_ID, id.0.to_be_bytes().to_vec())]);
        assert_eq!(worlds[0].send(bare.tuple, &message), Came::HandOver(2));
        assert_eq!(worlds[2].answer(bare.tuple, &message).code(), 401);
        assert!(matches!(worlds[2].bind_connection(&mut data, id), Came::Joined(..)));
    }
    let mut data = another(&ann, 6000);
    worlds[2].introduce(&mut data);
    let id = worlds[2].connected(&mut ann, "8.8.4.4:5000");
    let handed = (0..100).filter(|_| worlds[0].bind_connection(&mut data, id) == Came::HandOver(2)).count();
    assert_eq!(handed, 10, "nobody wanders about among the shards");
    let mut udp = over(Transport::Udp, data);
    worlds[1].introduce(&mut udp);
    assert_eq!(code(worlds[1].bind_connection(&mut udp, id), &udp), 400, "datagrams stay where they are");
}

#[test]
fn a_connection_that_has_an_allocation_is_not_handed_over() {
    let mut world = World::new(tcp_settings());
    world.server.share_connections(0, 2);
    let mut ann = tcp_ann();
    let allocation = world.allocate_tcp(&mut ann);
    let elsewhere = ConnectionId(1);
    assert_eq!(code(world.bind_connection(&mut ann, elsewhere), &ann), 400);
    assert_eq!(world.bind_connection(&mut another(&ann, 5000), elsewhere), Came::HandOver(1));
    assert_eq!(world.server.find(&ann.tuple), Some(allocation));
}
