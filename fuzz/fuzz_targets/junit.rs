#![no_main]

use libfuzzer_sys::fuzz_target;

// By their paths and not by their crate, which would bring the whole engine along.
#[path = "../../devenv/testing/src/junit_file.rs"]
mod junit_file;
#[path = "../../devenv/testing/src/runners/mod.rs"]
mod runners;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(tests) = junit_file::tests(bytes) {
        assert!(tests.len() <= runners::runner::MOST_TESTS);
    }
});
