#![no_main]

use libfuzzer_sys::fuzz_target;

// By its path and not by its crate, which would bring the whole engine along.
#[path = "../../devenv/testing/src/libtest.rs"]
mod libtest;

use libtest::{Line, Reader};

fuzz_target!(|text: &str| {
    let mut reader = Reader::default();
    for line in text.lines() {
        let is_verdict = matches!(reader.take(line), Line::Finished { .. });
        assert!(!is_verdict || reader.is_libtest, "a verdict that no harness gave: {line}");
    }
    assert!(reader.is_libtest || reader.filtered_out == 0);
});
