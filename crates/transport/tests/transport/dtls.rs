//! DTLS between two of us: roles, versions, fingerprints, and networks that are no good.

use std::time::Duration;

use peerline_transport::dtls::{
    Certificate, CertificateError, Dtls, DtlsEvent, DtlsFailure, DtlsRole, DtlsSettings, HashKind, NoUsableFingerprint,
    NotConnected, Versions,
};

use crate::dtls_pair::{CLIENT, DtlsPair, SERVER, all_fingerprints, certificate};
use crate::network::{Dice, Network, Path};

const P256_EXPIRES_S: u64 = 2400331122;
const P384_EXPIRES_S: u64 = 2400331122;
const BOTH: [Versions; 2] = [Versions::Newest; 2];

#[test]
fn both_versions_connect_and_agree_on_keys() {
    use Versions::{Newest, Only12, Only13};
    for (versions, expected) in [
        ([Newest, Newest], "1.3"),
        ([Only12, Only12], "1.2"),
        ([Only13, Only13], "1.3"),
        ([Newest, Only12], "1.2"),
        ([Only12, Newest], "1.2"),
        ([Newest, Only13], "1.3"),
        ([Only13, Newest], "1.3"),
    ] {
        let mut pair = DtlsPair::new(1, Path::CLEAN, versions);
        pair.connect();
        let keys = [CLIENT, SERVER].map(|side| match &pair.events[side][..] {
            [DtlsEvent::Connected { version, srtp: Some(keys), .. }] => {
                assert_eq!(*version, expected, "{versions:?}");
                keys.clone()
            }
            other => panic!("{versions:?}: {other:?}"),
        });
        assert_eq!(keys[0], keys[1]);
        assert_eq!(keys[0].material.len(), keys[0].profile.keying_material_len());
    }
}

#[test]
fn versions_without_anything_in_common_fail_on_one_side_at_least() {
    let mut pair = DtlsPair::new(2, Path::CLEAN, [Versions::Only12, Versions::Only13]);
    pair.run_for(Duration::from_secs(90));
    assert!(pair.ends.iter().all(|end| !end.is_connected()));
    assert!(pair.events.iter().flatten().any(|event| matches!(event, DtlsEvent::Failed(_))));
}

#[test]
fn each_side_is_shown_the_certificate_of_the_other() {
    let certificates = [certificate(), certificate()];
    let announced = [all_fingerprints(&certificates[1]), all_fingerprints(&certificates[0])];
    let mut pair = DtlsPair::with(3, Path::CLEAN, BOTH, &certificates, announced);
    pair.connect();
    for side in [CLIENT, SERVER] {
        let shown = |event: &DtlsEvent| match event {
            DtlsEvent::Connected { peer_certificate, .. } => peer_certificate == certificates[1 - side].der(),
            _ => false,
        };
        assert!(pair.events[side].iter().any(shown));
    }
}

#[test]
fn a_wrong_fingerprint_delivers_no_byte() {
    for versions in [BOTH, [Versions::Only12; 2]] {
        for deceived in [CLIENT, SERVER] {
            for hash in HashKind::ALL {
                let certificates = [certificate(), certificate()];
                let mut announced = [all_fingerprints(&certificates[1]), all_fingerprints(&certificates[0])];
                // Two of three are right.
                announced[deceived].retain(|fingerprint| fingerprint.hash() != hash);
                announced[deceived].push(certificate().fingerprint(hash));
                let mut pair = DtlsPair::with(4, Path::CLEAN, versions, &certificates, announced);
                for _ in 0..200 {
                    let now = pair.now();
                    // The impostor talks as soon as it can.
                    let _ = pair.ends[1 - deceived].send(now, b"trust me");
                    if !pair.step() {
                        break;
                    }
                }
                let failed = [DtlsEvent::Failed(DtlsFailure::WrongFingerprint)];
                assert_eq!(pair.events[deceived], failed, "{versions:?} {deceived} {hash:?}");
                let now = pair.now();
                assert_eq!(pair.ends[deceived].send(now, b"secret"), Err(NotConnected));
                assert!(pair.received(1 - deceived).is_empty());
            }
        }
    }
}

#[test]
fn without_a_fingerprint_nothing_begins() {
    let network = Network::<()>::new(0, Path::CLEAN);
    let settings = DtlsSettings::new(DtlsRole::Client);
    let result = Dtls::new(network.now, &certificate(), settings, Vec::new());
    assert_eq!(result.unwrap_err(), NoUsableFingerprint);
}

#[test]
fn data_flows_both_ways_in_records_up_to_what_sctp_sends() {
    let mut pair = DtlsPair::new(5, Path::CLEAN, BOTH);
    pair.connect();
    for side in [CLIENT, SERVER] {
        let mut sent = Vec::new();
        // Far more than may wait inside the DTLS crate.
        for number in 0..100_usize {
            let data = pair.network.dice.bytes(1 + number * 12);
            let now = pair.now();
            pair.ends[side].send(now, &data).unwrap();
            sent.push(data);
        }
        pair.run_for(Duration::from_millis(50));
        assert_eq!(pair.received(1 - side), sent);
    }
}

#[test]
fn a_record_larger_than_16_kib_is_refused_and_harms_nothing() {
    let mut pair = DtlsPair::new(6, Path::CLEAN, BOTH);
    pair.connect();
    let now = pair.now();
    assert_eq!(pair.ends[CLIENT].send(now, &[0; 16 * 1024 + 1]), Err(NotConnected));
    assert_eq!(pair.ends[CLIENT].send(now, &[7; 16 * 1024]), Ok(()));
    pair.run_for(Duration::from_millis(50));
    assert_eq!(pair.received(SERVER), [&[7; 16 * 1024]]);
}

#[test]
fn lost_repeated_and_reordered_flights_do_not_stop_the_handshake() {
    for seed in 0..20 {
        for versions in [BOTH, [Versions::Only12; 2]] {
            let mut pair = DtlsPair::new(seed, Path::lossy(seed % 21), versions);
            pair.connect();
            let now = pair.now();
            pair.network.path = Path::CLEAN;
            pair.ends[SERVER].send(now, b"done").unwrap();
            pair.run_for(Duration::from_secs(1));
            assert_eq!(pair.received(CLIENT), [b"done"]);
        }
    }
}

#[test]
fn a_peer_that_never_answers_fails_the_handshake_within_a_minute() {
    let mut pair = DtlsPair::new(7, Path { loss_percent: 100, ..Path::CLEAN }, BOTH);
    let start = pair.now();
    while pair.events[CLIENT].is_empty() && pair.step() {}
    assert_eq!(pair.events[CLIENT], [DtlsEvent::Failed(DtlsFailure::TimedOut)]);
    assert!(pair.now() - start <= Duration::from_secs(60));
    assert!(pair.sent[CLIENT] < 15, "{} packets into the void", pair.sent[CLIENT]);
    assert_eq!(pair.ends[CLIENT].poll_timeout(), None);
}

/// Loses the piece of that number of the server's flight, and lets ten seconds pass; the packets of the client meanwhile.
fn asked_for_a_lost_piece(lost: usize) -> Option<usize> {
    let certificates = [certificate(), certificate()];
    let mut now = Network::<()>::new(0, Path::CLEAN).now;
    let mut ends = [(CLIENT, DtlsRole::Client), (SERVER, DtlsRole::Server)].map(|(side, role)| {
        let settings = DtlsSettings { packet_bytes: 200, ..DtlsSettings::new(role) };
        Dtls::new(now, &certificates[side], settings, all_fingerprints(&certificates[1 - side])).unwrap()
    });
    let take = |ends: &mut [Dtls; 2], side: usize| -> Vec<Vec<u8>> {
        std::iter::from_fn(|| ends[side].poll_transmit()).collect()
    };
    // What begins so is encrypted (RFC 9147 §4). A server may ask for another hello first.
    let is_encrypted = |packet: &Vec<u8>| packet[0] >= 0x20;
    let mut flight = Vec::new();
    while !flight.iter().any(is_encrypted) {
        flight.iter().for_each(|packet: &Vec<u8>| ends[CLIENT].handle_input(now, packet));
        take(&mut ends, CLIENT).iter().for_each(|packet| ends[SERVER].handle_input(now, packet));
        flight = take(&mut ends, SERVER);
        assert!(!flight.is_empty());
    }
    if lost >= flight.len() {
        return None;
    }
    flight.remove(lost);
    flight.iter().for_each(|packet| ends[CLIENT].handle_input(now, packet));
    let mut asked = 0;
    let end = now + Duration::from_secs(10);
    while let Some(due) = ends[CLIENT].poll_timeout().filter(|due| *due < end && asked < 1000) {
        now = now.max(due);
        ends[CLIENT].handle_timeout(now);
        asked += take(&mut ends, CLIENT).len();
    }
    Some(asked)
}

#[test]
fn a_lost_piece_of_a_flight_is_asked_for_now_and_then_and_not_without_end() {
    let asked: Vec<usize> = (0..).map_while(asked_for_a_lost_piece).collect();
    assert!(asked.len() > 3, "the flight is in pieces");
    assert!(asked.iter().all(|asked| *asked < 150), "{asked:?} packets in ten seconds");
}

#[test]
fn goodbye_reaches_the_other_side_after_all_data() {
    let mut pair = DtlsPair::new(8, Path::CLEAN, BOTH);
    pair.connect();
    let now = pair.now();
    pair.ends[CLIENT].send(now, b"last").unwrap();
    pair.ends[CLIENT].close(now);
    pair.ends[CLIENT].close(now);
    assert_eq!(pair.ends[CLIENT].send(now, b"late"), Err(NotConnected));
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.events[SERVER][1..], [DtlsEvent::Received(b"last".to_vec()), DtlsEvent::Closed]);
    assert_eq!(pair.ends[SERVER].send(now, b"late"), Err(NotConnected));
}

#[test]
fn nothing_is_sent_before_the_connection_stands() {
    let mut pair = DtlsPair::new(9, Path::CLEAN, BOTH);
    let now = pair.now();
    assert_eq!(pair.ends[CLIENT].send(now, b"early"), Err(NotConnected));
    pair.connect();
    pair.run_for(Duration::from_secs(1));
    assert!(pair.received(SERVER).is_empty());
}

#[test]
fn garbage_never_panics_and_does_not_end_a_connection_that_stands() {
    for seed in 0..30 {
        let mut pair = DtlsPair::new(seed, Path::CLEAN, BOTH);
        pair.connect();
        let now = pair.now();
        for _ in 0..300 {
            let len = pair.network.dice.below(200) as usize;
            let mut garbage = pair.network.dice.bytes(len);
            if let Some(first) = garbage.first_mut() {
                // What demultiplexing lets through.
                *first = 20 + *first % 44;
            }
            for end in &mut pair.ends {
                end.handle_input(now, &garbage);
            }
        }
        pair.ends[CLIENT].send(now, b"still here").unwrap();
        pair.run_for(Duration::from_millis(50));
        assert_eq!(pair.received(SERVER), [b"still here"]);
    }
}

#[test]
fn turned_bits_in_the_handshake_never_panic() {
    for seed in 0..60 {
        let versions = if seed % 2 == 0 { BOTH } else { [Versions::Only12; 2] };
        let mut pair = DtlsPair::new(seed, Path::CLEAN, versions);
        let mut dice = Dice::new(seed);
        for _ in 0..40 {
            for side in 0..2 {
                let packets: Vec<Vec<u8>> = std::iter::from_fn(|| pair.ends[side].poll_transmit()).collect();
                for mut packet in packets {
                    if dice.percent(40) {
                        let at = dice.below(packet.len() as u64) as usize;
                        packet[at] ^= 1 << dice.below(8);
                    }
                    pair.network.send(1 - side, packet);
                }
            }
            if !pair.step() {
                break;
            }
        }
        let wrong = DtlsEvent::Failed(DtlsFailure::WrongFingerprint);
        assert!(!pair.events.iter().flatten().any(|event| *event == wrong), "a turned bit is no other certificate");
    }
}

#[test]
fn a_certificate_knows_when_it_expires_and_prints_its_fingerprints() {
    let certificate = Certificate::generate(1_790_000_000, 1_790_086_400).unwrap();
    assert_eq!(certificate.expires_s(), 1_790_086_400);
    assert_eq!(certificate.fingerprint(HashKind::Sha256).value().len(), 32 * 3 - 1);
    assert_eq!(certificate.fingerprint(HashKind::Sha512).value().len(), 64 * 3 - 1);
    assert!(Certificate::generate(1_790_000_000, u64::MAX).is_ok(), "the year 9999 is the last");
    assert!(!format!("{certificate:?}").contains("key"));
}

#[test]
fn a_certificate_from_pem_connects() {
    for (pem, key, expires_s) in [
        (include_str!("pem/p256.pem"), include_str!("pem/p256-pkcs8.key"), P256_EXPIRES_S),
        (include_str!("pem/p256.pem"), include_str!("pem/p256-sec1.key"), P256_EXPIRES_S),
        (include_str!("pem/p384.pem"), include_str!("pem/p384-pkcs8.key"), P384_EXPIRES_S),
    ] {
        let ours = Certificate::from_pem(pem, key).unwrap();
        assert_eq!(ours.expires_s(), expires_s);
        let certificates = [ours, certificate()];
        let announced = [all_fingerprints(&certificates[1]), all_fingerprints(&certificates[0])];
        DtlsPair::with(10, Path::CLEAN, BOTH, &certificates, announced).connect();
    }
}

#[test]
fn a_pem_that_cannot_be_used_says_why() {
    let (pem, key) = (include_str!("pem/p256.pem"), include_str!("pem/p256-pkcs8.key"));
    let read = |pem: &str, key: &str| Certificate::from_pem(pem, key).unwrap_err();
    assert_eq!(read("", key), CertificateError::BadCertificate);
    assert_eq!(read(&pem.replace("MII", "AAA"), key), CertificateError::BadCertificate);
    assert_eq!(read(pem, ""), CertificateError::UnsupportedKey);
    assert_eq!(read(pem, pem), CertificateError::UnsupportedKey);
    assert_eq!(read(pem, include_str!("pem/rsa.key")), CertificateError::UnsupportedKey);
    assert_eq!(read(pem, include_str!("pem/p384-pkcs8.key")), CertificateError::KeyMismatch);
}
