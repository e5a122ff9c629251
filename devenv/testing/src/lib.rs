//! Runs the tests of a project in a separate environment, reads their output, and keeps evidence, reports and bundles of
//! failures.

mod bundle;
pub mod error;
pub mod evidence;
pub mod guard;
mod junit;
pub mod libtest;
mod newest;
pub mod run;
pub mod test;
pub mod test_every;
mod timings;
