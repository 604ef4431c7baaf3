//! Replays what is kept in `fuzz/corpus`.

use std::path::Path;

#[track_caller]
fn replay<T>(target: &str, run: impl Fn(&[u8]) -> T) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut replayed = 0;
    for entry in corpus.read_dir().expect("the corpus is part of the repository") {
        run(&std::fs::read(entry.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed > 0);
}

#[test]
fn the_corpus_of_ice_does_no_harm() {
    replay("ice", crate::ice::run);
}

#[test]
fn the_corpus_of_dtls_does_no_harm() {
    replay("dtls", |bytes| crate::dtls::run(bytes, true));
}

#[test]
fn the_corpus_of_sctp_does_no_harm() {
    replay("sctp", crate::sctp::run);
}

#[test]
fn the_corpus_of_dcep_does_no_harm() {
    replay("dcep", crate::dcep::run);
}

#[test]
fn the_corpus_of_session_does_no_harm() {
    replay("session", crate::session::run);
}

#[test]
fn the_corpus_of_turn_client_does_no_harm() {
    replay("turn_client", crate::turn_client::run);
}

#[test]
fn the_corpus_of_rtp_does_no_harm() {
    replay("rtp", crate::rtp::run);
}

#[test]
fn the_corpus_of_media_does_no_harm() {
    replay("media", crate::media::run);
}
