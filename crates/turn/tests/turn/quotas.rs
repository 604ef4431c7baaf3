//! What one user may have: of allocations, permissions, channels, new peers, packets and bits.

use peerline_turn::{Accounts, Quotas, Rate, Settings, Shared};

use crate::client::Client;
use crate::world::{World, ann, guest, rest_settings};

fn guests(quotas: Quotas) -> World {
    World::new(Settings { quotas, ..rest_settings() })
}

fn carl(port: u16) -> Client {
    guest("carl", &format!("198.51.100.3:{port}"), 10_000)
}

#[test]
fn a_user_has_ten_allocations_and_one_that_ends_makes_room() {
    let mut world = guests(Quotas::default());
    let mut clients: Vec<Client> = (1..=10).map(carl).collect();
    for client in &mut clients {
        world.allocate(client);
    }
    // The same user under a later expiry is the same user.
    let mut later = guest("carl", "198.51.100.3:99", 20_000);
    assert_eq!(world.allocate_with(&mut later, &[]).code(), 486);
    world.allocate(&mut guest("dora", "198.51.100.3:100", 10_000));
    world.allocate(&mut ann());

    assert_eq!(world.refresh(&mut clients[0], 0).code(), 200);
    world.allocate(&mut later);
    let id = world.server.find(&clients[1].tuple).unwrap();
    assert_eq!(world.allocate_with(&mut clients[0], &[]).code(), 486);
    assert!(world.server.kick(id, &mut world.host));
    world.allocate(&mut clients[0]);
    world.server.client_gone(clients[2].tuple, &mut world.host);
    world.allocate(&mut clients[1]);
    world.pass(601);
    assert_eq!(world.count(), 0);
    for client in &mut clients {
        world.allocate(client);
    }
}

#[test]
fn what_is_refused_does_not_count() {
    let mut world = guests(Quotas { allocations: 1, ..Quotas::default() });
    world.host.limit = 0;
    for port in 1..5 {
        assert_eq!(world.allocate_with(&mut carl(port), &[]).code(), 508);
    }
    world.host.limit = usize::MAX;
    world.allocate(&mut carl(5));
    assert_eq!(world.allocate_with(&mut carl(6), &[]).code(), 486);
}

#[test]
fn the_shards_of_a_server_count_together() {
    let accounts = Accounts::default();
    let [mut first, mut second] = [(); 2].map(|()| {
        let mut world = guests(Quotas { allocations: 2, ..Quotas::default() });
        world.server.share(Shared { accounts: accounts.clone(), ..Shared::default() });
        world
    });
    first.allocate(&mut carl(1));
    second.allocate(&mut carl(2));
    assert_eq!(first.allocate_with(&mut carl(3), &[]).code(), 486);
    drop(second);
    first.allocate(&mut carl(3));
}

#[test]
fn permissions_and_channels_have_their_limits() {
    let mut world = guests(Quotas { permissions: 3, channels: 2, ..Quotas::default() });
    let mut carl = carl(1);
    world.allocate(&mut carl);
    assert_eq!(world.permit(&mut carl, &["8.8.0.1:1", "8.8.0.2:1", "8.8.0.3:1", "8.8.0.4:1"]), 508, "all or none");
    assert_eq!(world.permit(&mut carl, &["8.8.0.1:1", "8.8.0.2:1", "8.8.0.1:2"]), 200);
    assert_eq!(world.bind(&mut carl, 0x4000, "8.8.0.3:5000"), 200);
    assert_eq!(world.permit(&mut carl, &["8.8.0.4:1"]), 508);
    assert_eq!(world.permit(&mut carl, &["8.8.0.1:1", "8.8.0.2:1", "8.8.0.3:1"]), 200, "renewal needs no room");
    assert_eq!(world.bind(&mut carl, 0x4001, "8.8.0.4:5000"), 508, "of a channel the permission is missing");
    assert_eq!(world.bind(&mut carl, 0x4001, "8.8.0.3:5001"), 200);
    assert_eq!(world.bind(&mut carl, 0x4002, "8.8.0.3:5002"), 508);
    assert_eq!(world.bind(&mut carl, 0x4001, "8.8.0.3:5001"), 200, "renewal needs no room");
    world.refresh(&mut carl, 3600);
    world.pass(301);
    assert_eq!(world.permit(&mut carl, &["8.8.0.4:1", "8.8.0.5:1", "8.8.0.6:1"]), 200, "those that ended make room");
}

#[test]
fn permissions_have_an_end_for_everybody() {
    let mut world = World::new(rest_settings());
    let mut ann = ann();
    world.allocate(&mut ann);
    let mut permitted = 0;
    for block in 0..200_u32 {
        let peers: Vec<String> = (0..50).map(|n| format!("8.{}.{}.{n}:1", block >> 8, block & 0xff)).collect();
        permitted += u32::from(world.permit(&mut ann, &peers.iter().map(String::as_str).collect::<Vec<_>>()) == 200);
    }
    assert_eq!(permitted, 4096 / 50);
}

#[test]
fn new_peers_come_slowly_after_a_burst() {
    let mut world = guests(Quotas::default());
    let mut carl = carl(1);
    world.allocate(&mut carl);
    let mut next = 0;
    let mut permitted = |world: &mut World, carl: &mut Client| {
        let mut count = 0;
        for _ in 0..60 {
            next += 1;
            count += u32::from(world.permit(carl, &[&format!("8.8.{}.{}:1", next >> 8, next & 0xff)]) == 200);
        }
        count
    };
    assert_eq!(permitted(&mut world, &mut carl), 32);
    world.pass(2);
    assert_eq!(permitted(&mut world, &mut carl), 10);
    assert_eq!(world.permit(&mut carl, &["8.8.0.1:1"]), 200, "who is known is not new");
}

#[test]
fn packets_and_bits_flow_at_their_rate_and_static_users_freely() {
    let mut world = guests(Quotas { packets_per_s: 100, bits_per_s: 80_000, ..Quotas::default() });
    let carl = world.allocate(&mut carl(1));
    let ann = world.allocate(&mut ann());
    let admitted = |world: &mut World, id, bytes| {
        (0..1000).filter(|_| world.server.admit(world.now.instant, id, 1, bytes)).count()
    };
    assert_eq!(admitted(&mut world, carl, 10), 100);
    world.skip(1);
    assert_eq!(admitted(&mut world, carl, 1000), 10);
    assert_eq!(admitted(&mut world, ann, 60_000), 1000);
}

#[test]
fn all_together_flow_at_the_rate_of_the_server_also_those_without_limits() {
    let total = Rate { packets_per_s: 100, bits_per_s: 0 };
    let mut world = World::new(Settings { total, ..rest_settings() });
    let (carl, ann) = (world.allocate(&mut carl(1)), world.allocate(&mut ann()));
    let admitted =
        |world: &mut World, id| (0..80).filter(|_| world.server.admit(world.now.instant, id, 1, 100)).count();
    assert_eq!((admitted(&mut world, carl), admitted(&mut world, ann)), (80, 20));
    world.skip(1);
    assert_eq!(admitted(&mut world, ann), 80);
    world.reload(Settings { total: Rate { packets_per_s: 0, bits_per_s: 8_000 }, ..rest_settings() });
    assert_eq!(admitted(&mut world, carl), 10);
}
