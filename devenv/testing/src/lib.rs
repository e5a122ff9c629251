//! Runs the tests of a project in an environment of their own, understands what they print, and keeps what proves
//! something or explains a failure.

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
