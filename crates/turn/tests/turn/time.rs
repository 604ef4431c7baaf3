//! Deadlines, however the clock jumps: an allocation ends, and it does not end early.

use std::time::Duration;

use peerline_turn::{Lifetimes, Settings};

use crate::client::Client;
use crate::world::{World, ann, settings};

#[test]
fn a_server_that_nobody_used_for_hours_still_lets_allocations_end() {
    for idle_s in [1, 4000, 4095, 4096, 5000, 100_000, 10_000_000] {
        let mut world = World::new(settings());
        world.skip(idle_s);
        world.allocate(&mut ann());
        world.pass(599);
        assert_eq!(world.count(), 1, "after {idle_s} s");
        world.pass(2);
        assert_eq!((world.count(), world.host.open.len()), (0, 0), "after {idle_s} s");
        world.skip(idle_s);
        let mut again = Client { nonce: Vec::new(), ..ann() };
        world.allocate(&mut again);
        world.pass(599);
        assert_eq!(world.count(), 1);
        world.pass(2);
        assert_eq!((world.count(), world.server.poll_timeout()), (0, None));
    }
}

#[test]
fn a_jump_over_many_deadlines_meets_all_of_them() {
    for jump_s in [600, 4096, 4097, 9000, 1_000_000] {
        let mut world = World::new(settings());
        for port in 1..100 {
            world.allocate(&mut Client::new(&format!("198.51.100.1:{port}"), "ann", "pass of ann"));
            world.skip(1);
        }
        world.skip(jump_s);
        world.server.handle_timeout(world.now, &mut world.host);
        assert_eq!((world.count(), world.host.open.len()), (0, 0), "{jump_s}");
    }
}

#[test]
fn lifetimes_may_be_longer_than_the_wheel_is_round() {
    let lifetimes = Lifetimes { min_s: 600, max_s: 86_400, default_s: 50_000 };
    let mut world = World::new(Settings { lifetimes, ..settings() });
    world.allocate(&mut ann());
    world.pass(49_999);
    assert_eq!(world.count(), 1);
    world.pass(2);
    assert_eq!((world.count(), world.server.poll_timeout()), (0, None));
}

#[test]
fn a_clock_that_goes_back_ends_nothing_and_breaks_nothing() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.skip(1000);
    world.allocate(&mut ann);
    world.now.instant -= Duration::from_secs(900);
    world.server.handle_timeout(world.now, &mut world.host);
    assert_eq!(world.refresh(&mut ann, 600).code(), 200);
    world.pass(2000);
    assert_eq!(world.count(), 0);
}

#[test]
fn refreshing_every_second_costs_no_memory() {
    let mut world = World::new(settings());
    let mut ann = ann();
    world.allocate(&mut ann);
    for _ in 0..3000 {
        world.refresh(&mut ann, 600);
    }
    world.pass(599);
    assert_eq!(world.count(), 1);
    world.pass(2);
    assert_eq!((world.count(), world.server.poll_timeout()), (0, None), "no entry is left in the wheel");
}
