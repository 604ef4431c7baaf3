//! What a connected pair costs that has nothing to say.

use crate::world::World;

const PAIRS: usize = 200;

/// Memory of this process that is in RAM, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
fn an_idle_pair_with_a_channel_costs_less_than_100_kib() {
    let pair = || {
        let mut world = World::new(true);
        world.open();
        world.trickle();
        world.run_until("the channel is open", |world| world.is_open(0) && world.is_open(1));
        world.run_for(std::time::Duration::from_secs(10));
        world
    };
    let warm: Vec<World> = (0..10).map(|_| pair()).collect();
    let before = resident();
    let pairs: Vec<World> = (0..PAIRS).map(|_| pair()).collect();
    let bytes = resident().saturating_sub(before) / PAIRS;
    assert!(bytes < 100 * 1024, "{bytes} bytes a pair");
    assert_eq!(pairs.len() + warm.len(), PAIRS + 10);
}
