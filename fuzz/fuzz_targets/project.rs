#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| devenv_manifest::fuzz::project(text));
