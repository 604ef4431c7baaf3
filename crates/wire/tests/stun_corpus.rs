//! Replays the fuzzing corpus, so that what a fuzzer once found stays found without one.

use std::path::Path;

use peerline_wire::stun::Message;
use peerline_wire::stun::binding::{BindingRequest, MAX_ANSWER_LEN};

#[test]
fn the_corpus_of_the_fuzz_target_does_no_harm() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/stun");
    let mut replayed = 0;
    for entry in corpus.read_dir().expect("the corpus is part of the repository") {
        let datagram = std::fs::read(entry.unwrap().path()).unwrap();
        if let Ok(request) = BindingRequest::parse(&datagram) {
            let mut buffer = [0; MAX_ANSWER_LEN];
            let answer = request.answer("203.0.113.7:4242".parse().unwrap(), &mut buffer);
            assert!(Message::parse(answer.bytes(&buffer)).is_ok());
        }
        replayed += 1;
    }
    assert!(replayed > 0);
}
