//! DTLS whose ciphers hide nothing and whose signatures are always right: what a peer can do who has the keys, because he
//! made the handshake himself. A process of its own, as the ciphers are chosen once for all.

#[path = "../../../turn/tests/turn/fuzzed/bytes.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod bytes;
#[path = "../fuzzed/dtls.rs"]
mod dtls;
mod glass;
#[path = "../fuzzed/mutation.rs"]
mod mutation;

use std::path::Path;

/// Both of the newest, or both of 1.2, honest; delivers all until there is no more.
const UNDISTURBED: [&[u8]; 2] = [b"\x00\x00\x00\x0e\x0e\x0e", b"\x01\x01\x00\x0e\x0e\x0e"];

#[test]
fn two_connect_through_glass() {
    glass::install();
    for bytes in UNDISTURBED {
        assert_eq!(dtls::run(bytes, false), [true; 2]);
    }
}

#[test]
fn the_corpus_of_the_fuzz_target_does_no_harm() {
    glass::install();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/open_dtls");
    let mut replayed = 0;
    for entry in corpus.read_dir().expect("the corpus is part of the repository") {
        dtls::run(&std::fs::read(entry.unwrap().path()).unwrap(), false);
        replayed += 1;
    }
    assert!(replayed > 0);
}
