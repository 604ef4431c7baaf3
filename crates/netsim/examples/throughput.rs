//! How fast a data channel is over links that delay and lose, in virtual time: what congestion control allows.
//!
//! Run: `make bench-loss`. The machine's speed does not matter.

#![allow(dead_code, reason = "the tests use more of it")]
#![allow(clippy::print_stdout)]

#[path = "../tests/netsim/call.rs"]
mod call;
#[path = "../tests/netsim/person.rs"]
mod person;
#[path = "../tests/netsim/signaling.rs"]
mod signaling;
#[path = "../tests/netsim/stun_server.rs"]
mod stun_server;

use std::time::Duration;

use peerline_netsim::Quality;
use peerline_transport::data_channel::ChannelKey;

use call::{ANN, BOB, Call};

const MESSAGE: usize = 16 * 1024;
const SEEDS: u64 = 3;
const SPAN: Duration = Duration::from_secs(10);
/// Bytes of a message in a packet, and what of Reno's steady state they make (Mathis et al., 1997).
const PAYLOAD: f64 = 1160.0;
const MATHIS: f64 = 1.22;

/// MB/s that arrive during so much time.
fn rate(call: &mut Call, channel: ChannelKey, message: &[u8]) -> f64 {
    let (end, before) = (call.now() + SPAN, call.person(BOB).bytes_received("file"));
    while call.now() < end {
        // As much as the sender takes, always: nothing waits for the application.
        for _ in call.person(ANN).outbox.len()..64 {
            call.person(ANN).send(channel, message);
        }
        call.step();
    }
    (call.person(BOB).bytes_received("file") - before) as f64 / SPAN.as_secs_f64() / 1e6
}

fn median(mut of: [f64; SEEDS as usize]) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn main() {
    println!(
        "Messages of 16 KiB one way, MB/s in virtual time, median of {SEEDS} seeds. Loss is both ways, each packet by"
    );
    println!("itself; a line has a queue of 256 KiB. Reno: what a loss rate allows it in the long run (Mathis et al.)");
    println!("{:>6} {:>7} {:>11} {:>12} {:>10} {:>6}", "RTT", "loss", "line", "first 10 s", "next 10 s", "Reno");
    for (round_trip_ms, loss, line_mbps) in [
        (50, 0.02, None),
        (50, 0.01, None),
        (50, 0.001, None),
        (10, 0.02, None),
        (100, 0.02, None),
        (300, 0.02, None),
        (50, 0.0, Some(10)),
        (50, 0.0, Some(100)),
        (50, 0.02, Some(10)),
    ] {
        let rate_bps = line_mbps.map(|rate: u64| rate * 1_000_000);
        let quality = Quality { loss, rate_bps, ..Quality::delayed(round_trip_ms / 2) };
        let mut rates = [[0.0; SEEDS as usize]; 2];
        for seed in 0..SEEDS {
            let (mut call, channel) = Call::connected(seed, quality);
            let message = call.network.dice.bytes(MESSAGE);
            rates.iter_mut().for_each(|span| span[seed as usize] = rate(&mut call, channel, &message));
        }
        let reno = PAYLOAD * MATHIS / (round_trip_ms as f64 / 1000.0 * loss.sqrt()) / 1e6;
        let reno = if loss > 0.0 { format!("{reno:.2}") } else { "-".to_owned() };
        let line = line_mbps.map_or("no limit".to_owned(), |rate| format!("{rate} Mbit/s"));
        let [first, next] = rates.map(median);
        println!("{round_trip_ms:>3} ms {:>5.1} % {line:>11} {first:>12.2} {next:>10.2} {reno:>6}", loss * 100.0);
    }
}
