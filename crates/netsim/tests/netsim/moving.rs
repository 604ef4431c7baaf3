//! Addresses change in the middle of a transfer: by the NAT, by the network, with a restart of ICE and without.

use std::net::IpAddr;
use std::time::Duration;

use peerline_netsim::{NatKind, Quality};
use peerline_transport::data_channel::{ChannelKey, ChannelSettings};
use peerline_transport::ice::IceState;

use crate::call::{ANN, BOB, Call};

const FILE: usize = 400_000;
/// The file takes about four seconds of it.
const LINE: Quality = Quality { rate_bps: Some(1_000_000), queue_bytes: 50_000, ..Quality::delayed(20) };
const ELSEWHERE: [u8; 4] = [198, 51, 100, 77];

/// A transfer from Ann that is one second old.
fn begun(seed: u64, nats: [Option<NatKind>; 2]) -> (Call, Vec<u8>) {
    let mut call = Call::behind(seed, LINE, nats);
    let channel = call.open(ANN, ChannelSettings::new("file"));
    call.gather();
    call.run_until("the channel is open", Call::is_open);
    let file = fill(&mut call, channel);
    call.run_for(Duration::from_secs(1));
    let came = call.person(BOB).bytes_received("file");
    assert!(came > 0 && came < FILE, "it is under way: {came}");
    (call, file)
}

fn fill(call: &mut Call, channel: ChannelKey) -> Vec<u8> {
    let file = call.network.dice.bytes(FILE);
    file.chunks(4096).for_each(|piece| call.person(ANN).send(channel, piece));
    file
}

/// Until the file is there, whole and right, and nobody had to say that it failed.
#[track_caller]
fn finish(call: &mut Call, file: &[u8], limit: Duration) {
    call.run_within(limit, "all of it is there", |call| call.person(BOB).bytes_received("file") >= FILE);
    assert!(call.person(BOB).received("file").concat() == file, "it is another file");
    for side in 0..2 {
        assert_eq!(call.person(side).when(IceState::Failed), None);
    }
}

#[test]
fn a_nat_that_forgets_during_a_transfer_is_found_again_and_loses_nothing() {
    for (seed, side, kind) in [
        (1, ANN, NatKind::FullCone),
        (2, ANN, NatKind::PortRestricted),
        (3, ANN, NatKind::Symmetric),
        (4, BOB, NatKind::FullCone),
        (5, BOB, NatKind::PortRestricted),
        (6, BOB, NatKind::Symmetric),
    ] {
        let mut nats = [None; 2];
        nats[side] = Some(kind);
        let (mut call, file) = begun(seed, nats);
        let router = call.routers[side].unwrap();
        call.network.nat(router).rebind();
        finish(&mut call, &file, Duration::from_secs(30));
    }
}

#[test]
fn a_new_address_with_a_restart_goes_on_at_once() {
    for (seed, side) in [(10, ANN), (11, BOB)] {
        let (mut call, file) = begun(seed, [None; 2]);
        call.readdress(side, IpAddr::from(ELSEWHERE));
        let now = call.now();
        call.person(side).restart(now);
        let before = call.person(BOB).bytes_received("file");
        let took = call.run_until("it goes on", |call| call.person(BOB).bytes_received("file") > before + 10_000);
        assert!(took < Duration::from_secs(5), "seed {seed}: {took:?}");
        finish(&mut call, &file, Duration::from_secs(30));
    }
}

#[test]
fn a_new_address_without_a_restart_is_found_as_a_candidate_that_came_late() {
    for (seed, side) in [(12, ANN), (13, BOB)] {
        let (mut call, file) = begun(seed, [None; 2]);
        call.readdress(side, IpAddr::from(ELSEWHERE));
        let now = call.now();
        call.person(side).gather(now);
        finish(&mut call, &file, Duration::from_secs(40));
    }
}

#[test]
fn from_behind_one_nat_to_behind_another_with_a_restart() {
    let (mut call, file) = begun(14, [Some(NatKind::PortRestricted), Some(NatKind::PortRestricted)]);
    let router = call.network.add_router(NatKind::Symmetric, [203, 0, 113, 9].into());
    // The other side has to be one that a symmetric NAT can meet.
    let bobs = call.routers[BOB].unwrap();
    call.network.nat(bobs).kind = NatKind::FullCone;
    let host = call.hosts[ANN];
    call.network.set_router(host, Some(router));
    call.readdress(ANN, [192, 168, 7, 2].into());
    let now = call.now();
    call.person(ANN).restart(now);
    finish(&mut call, &file, Duration::from_secs(40));
}

#[test]
fn an_outage_of_twenty_seconds_needs_no_restart() {
    let (mut call, file) = begun(15, [None; 2]);
    call.shape(Quality::CUT);
    call.run_for(Duration::from_secs(20));
    assert_eq!(call.person(ANN).ice_state(), IceState::Disconnected);
    call.shape(LINE);
    finish(&mut call, &file, Duration::from_secs(20));
}

#[test]
fn after_an_outage_longer_than_consent_lasts_a_restart_goes_on_where_it_stopped() {
    let (mut call, file) = begun(16, [None; 2]);
    call.shape(Quality::CUT);
    call.run_for(Duration::from_secs(40));
    assert_eq!(call.person(BOB).ice_state(), IceState::Failed);
    call.shape(LINE);
    let now = call.now();
    call.person(ANN).restart(now);
    call.run_within(Duration::from_secs(20), "all of it is there", |call| {
        call.person(BOB).bytes_received("file") >= FILE
    });
    assert!(call.person(BOB).received("file").concat() == file);
}

#[test]
fn a_restart_in_the_middle_of_a_transfer_loses_and_repeats_nothing() {
    for seed in 20..26 {
        let (mut call, file) = begun(seed, [None; 2]);
        call.shape(Quality { loss: 0.05, reorder: 0.1, reorder_by: Duration::from_millis(30), ..LINE });
        for round in 0..3 {
            let now = call.now();
            call.person(round % 2).restart(now);
            call.run_for(Duration::from_millis(700));
        }
        finish(&mut call, &file, Duration::from_secs(60));
    }
}
