#![no_main]

use libfuzzer_sys::fuzz_target;

// By its path and not by its crate, which would bring the whole engine along.
#[path = "../../devenv/testing/src/runners/mod.rs"]
mod runners;

use runners::every::EveryRunner;
use runners::runner::MOST_TESTS;
use runners::text::plain;

fuzz_target!(|bytes: &[u8]| {
    let mut runners = EveryRunner::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        runners.line(&plain(line));
    }
    let recognised = runners.is_recognised();
    let (names, results) = runners.results();
    assert_eq!(recognised, !names.is_empty());
    assert!(recognised || results.tests.is_empty(), "a result that no runner gave");
    // Each of the seven has the limit for itself.
    assert!(results.tests.len() <= 7 * MOST_TESTS);
});
