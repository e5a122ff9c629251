//! What `devenv` and `devenv-promote` share: the command line, how events and results look, and what an error's exit code is.

pub mod arguments;
pub mod exit;
pub mod guard;
pub mod outcome;
pub mod render;
pub mod report;
pub mod run;
pub mod testing_report;
