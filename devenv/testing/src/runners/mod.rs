//! What test runners print, one file per runner. Pure: lines go in, tests come out.

pub mod every;
mod go_json;
mod go_text;
mod jest;
mod libtest;
mod nextest;
mod pytest;
#[cfg(test)]
mod recorded_tests;
pub mod runner;
mod tally;
pub mod text;
mod vitest;
