//! Runs the tests of a project in a separate environment, reads their output, and keeps evidence, reports and bundles of
//! failures.

mod bundle;
mod collector;
pub mod error;
pub mod evidence;
mod glob;
pub mod guard;
mod junit;
mod junit_file;
mod newest;
mod pieces;
mod reports;
pub mod run;
pub mod runners;
pub mod test;
pub mod test_every;
mod timings;
