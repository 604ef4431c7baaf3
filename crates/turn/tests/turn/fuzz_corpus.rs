//! Replays the fuzzing corpus, so that what a fuzzer once found stays found without one.

use std::path::Path;

#[test]
fn the_corpus_of_the_fuzz_target_does_no_harm() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/turn");
    let mut replayed = 0;
    for entry in corpus.read_dir().expect("the corpus is part of the repository") {
        crate::fuzzed::run(&std::fs::read(entry.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed > 0);
}
