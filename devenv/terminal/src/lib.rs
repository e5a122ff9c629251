//! Shared by `devenv` and `devenv-promote`: the command line, the display of events and results, and the exit code of an error.

pub mod arguments;
pub mod choices;
pub mod exit;
pub mod guard;
pub mod outcome;
mod recording;
pub mod render;
pub mod report;
pub mod run;
pub mod testing_report;
mod values;
