use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM};
use peerline_wire::rtp::Header;
use peerline_wire::rtp_ext::ExtensionsWriter;
use proptest::prelude::*;

use super::cipher::Cipher;
use super::*;

const PROFILES: [SrtpProfile; 3] =
    [SrtpProfile::AES128_CM_SHA1_80, SrtpProfile::AEAD_AES_128_GCM, SrtpProfile::AEAD_AES_256_GCM];

fn keys(profile: SrtpProfile) -> SrtpKeys {
    SrtpKeys { profile, material: (0..profile.keying_material_len()).map(|byte| byte as u8).collect() }
}

/// What the client sends with and the server receives with.
fn pair(profile: SrtpProfile) -> (SrtpSender, SrtpReceiver) {
    let keys = keys(profile);
    (srtp(&keys, true).unwrap().0, srtp(&keys, false).unwrap().1)
}

fn rtp_packet(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut extensions = ExtensionsWriter::new();
    extensions.push(1, b"mid");
    let header = Header { is_marked: false, payload_type: 96, sequence, timestamp: 1, ssrc };
    let mut packet = Vec::new();
    header.write(&[], &extensions, &mut packet);
    packet.extend(payload);
    packet
}

fn rtcp_packet(ssrc: u32) -> Vec<u8> {
    let mut packet = Vec::new();
    peerline_wire::rtcp::write_receiver_report(&mut packet, ssrc, &[]);
    peerline_wire::rtcp::write_cname(&mut packet, ssrc, "ann");
    packet
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// RFC 7714 §16.1.1 and §16.2.1.
#[test]
fn gcm_encrypts_as_in_the_rfc() {
    let salt = hex("517569642070726f2071756f");
    let header = hex("8040f17b8041f8d35501a0b2");
    let plain = hex("47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573");
    let key: Vec<u8> = (0..32).collect();
    for (algorithm, key, expected) in [
        (
            &AES_128_GCM,
            &key[..16],
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
        ),
        (
            &AES_256_GCM,
            &key[..],
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
        ),
    ] {
        let cipher = Cipher::gcm(algorithm, key, &salt).unwrap();
        let mut packet = [&header[..], &plain[..]].concat();
        cipher.protect_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b).unwrap();
        assert_eq!(packet[12..], hex(expected));
        assert_eq!(cipher.unprotect_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b), Ok(50));
        assert_eq!(packet[12..50], plain);
    }
}

#[test]
fn what_one_protects_the_other_reads_and_nobody_else() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = pair(profile);
        let plain = rtp_packet(7, 1000, b"a frame of somebody");
        let mut packet = plain.clone();
        sender.protect_rtp(&mut packet).unwrap();
        assert!(packet.len() <= plain.len() + MAX_RTP_OVERHEAD);
        assert_eq!(packet[..20], plain[..20], "the header stays readable");
        assert!(!packet.windows(8).any(|bytes| plain[20..].starts_with(bytes)));
        assert_eq!(srtp(&keys(profile), true).unwrap().1.unprotect_rtp(&mut packet.clone()), Err(SrtpError::Forged));
        let len = receiver.unprotect_rtp(&mut packet).unwrap();
        assert_eq!(packet[..len], plain);

        let plain = rtcp_packet(7);
        let mut packet = plain.clone();
        sender.protect_rtcp(&mut packet).unwrap();
        assert!(packet.len() <= plain.len() + MAX_RTCP_OVERHEAD);
        assert_eq!(packet[..8], plain[..8]);
        assert_eq!(srtp(&keys(profile), true).unwrap().1.unprotect_rtcp(&mut packet.clone()), Err(SrtpError::Forged));
        let len = receiver.unprotect_rtcp(&mut packet).unwrap();
        assert_eq!(packet[..len], plain);
    }
}

#[test]
fn a_turned_bit_anywhere_is_noticed_and_changes_nothing() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = pair(profile);
        let (mut media, mut control) = (rtp_packet(7, 65_000, b"frame"), rtcp_packet(7));
        sender.protect_rtp(&mut media).unwrap();
        sender.protect_rtcp(&mut control).unwrap();
        for bit in 0..media.len() * 8 {
            let mut turned = media.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            assert!(receiver.unprotect_rtp(&mut turned).is_err(), "{profile:?} bit {bit}");
        }
        for bit in 0..control.len() * 8 {
            let mut turned = control.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            assert!(receiver.unprotect_rtcp(&mut turned).is_err(), "{profile:?} bit {bit}");
        }
        for len in 0..media.len() {
            assert!(receiver.unprotect_rtp(&mut media.clone()[..len]).is_err());
        }
        for len in 0..control.len() {
            assert!(receiver.unprotect_rtcp(&mut control.clone()[..len]).is_err());
        }
        assert!(receiver.unprotect_rtp(&mut media).is_ok());
        assert!(receiver.unprotect_rtcp(&mut control).is_ok());
    }
}

#[test]
fn what_is_played_again_is_refused() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = pair(profile);
        let (mut media, mut control) = (rtp_packet(7, 1, b"frame"), rtcp_packet(7));
        sender.protect_rtp(&mut media).unwrap();
        sender.protect_rtcp(&mut control).unwrap();
        receiver.unprotect_rtp(&mut media.clone()).unwrap();
        receiver.unprotect_rtcp(&mut control.clone()).unwrap();
        assert_eq!(receiver.unprotect_rtp(&mut media.clone()), Err(SrtpError::Replayed));
        assert_eq!(receiver.unprotect_rtcp(&mut control), Err(SrtpError::Replayed));
        let mut later = rtp_packet(7, 3000, b"frame");
        sender.protect_rtp(&mut later).unwrap();
        receiver.unprotect_rtp(&mut later).unwrap();
        assert_eq!(receiver.unprotect_rtp(&mut media), Err(SrtpError::TooOld));
    }
}

#[test]
fn a_source_goes_on_where_it_was_through_wraps_and_pauses() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = pair(profile);
        let mut pass = |ssrc: u32, sequence: u16| {
            let mut packet = rtp_packet(ssrc, sequence, b"frame");
            sender.protect_rtp(&mut packet).unwrap();
            receiver.unprotect_rtp(&mut packet)
        };
        for round in 0..3_u32 {
            for step in 0..8 {
                assert!(pass(1, (step * 8192) as u16).is_ok(), "{round}");
                assert!(pass(2, (round * 10 + step) as u16).is_ok(), "another source in between");
            }
        }
    }
}

#[test]
fn the_same_packet_again_is_the_same_bytes_and_late_ones_are_of_their_round() {
    let (mut sender, mut receiver) = pair(SrtpProfile::AEAD_AES_128_GCM);
    let mut protect = |sequence: u16| {
        let mut packet = rtp_packet(1, sequence, b"frame");
        sender.protect_rtp(&mut packet).map(|()| packet)
    };
    let first = protect(65_535).unwrap();
    let second = protect(0).unwrap();
    assert_eq!(protect(65_535).unwrap(), first);
    assert!(receiver.unprotect_rtp(&mut first.clone()).is_ok());
    assert!(receiver.unprotect_rtp(&mut second.clone()).is_ok());
}

#[test]
fn a_peer_with_sources_without_end_is_stopped() {
    let (mut sender, mut receiver) = pair(SrtpProfile::AEAD_AES_128_GCM);
    let mut pass = |ssrc| {
        let mut packet = rtp_packet(ssrc, 1, b"");
        sender.protect_rtp(&mut packet).unwrap();
        receiver.unprotect_rtp(&mut packet)
    };
    assert!((0..2048).all(|ssrc| pass(ssrc).is_ok()));
    assert_eq!(pass(5000), Err(SrtpError::TooManySources));
}

#[test]
fn material_of_another_length_makes_no_keys() {
    for profile in PROFILES {
        let mut keys = keys(profile);
        keys.material.pop();
        assert!(srtp(&keys, true).is_none());
    }
}

#[test]
fn what_is_no_packet_is_not_protected() {
    let (mut sender, _) = pair(SrtpProfile::AEAD_AES_128_GCM);
    assert_eq!(sender.protect_rtp(&mut vec![0x80; 11]), Err(SrtpError::Malformed));
    assert_eq!(sender.protect_rtcp(&mut vec![0x80; 7]), Err(SrtpError::Malformed));
}

proptest! {
    #[test]
    fn no_bytes_break_it(mut bytes: Vec<u8>, looks_right: bool) {
        if looks_right && let Some(first) = bytes.first_mut() {
            *first = 0x80;
        }
        for profile in PROFILES {
            let (_, mut receiver) = pair(profile);
            assert!(receiver.unprotect_rtp(&mut bytes.clone()).is_err());
            assert!(receiver.unprotect_rtcp(&mut bytes.clone()).is_err());
        }
    }

    #[test]
    fn whatever_arrives_in_any_order_within_the_window_is_read_once(
        start: u16, order in Just((0..200_u16).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        for profile in PROFILES {
            let (mut sender, mut receiver) = pair(profile);
            let packets: Vec<Vec<u8>> = (0..200)
                .map(|step| {
                    let mut packet = rtp_packet(1, start.wrapping_add(step), &step.to_be_bytes());
                    sender.protect_rtp(&mut packet).unwrap();
                    packet
                })
                .collect();
            // The first sets the round: whoever hears a later one first, across a wrap, cannot know it.
            receiver.unprotect_rtp(&mut packets[0].clone()).unwrap();
            for step in order.iter().filter(|step| **step > 0) {
                let mut packet = packets[usize::from(*step)].clone();
                let len = receiver.unprotect_rtp(&mut packet).unwrap();
                assert_eq!(packet[len - 2..len], step.to_be_bytes());
            }
        }
    }
}
