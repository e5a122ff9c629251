//! Runs a test command, understands what it prints, and keeps what is needed to understand a failure.

pub mod bundle;
mod error;
mod guard;
pub mod junit;
mod libtest;
mod run;
mod timings;

pub use error::Error;
pub use guard::guard;
pub(crate) use guard::{Guard, lock};
pub use run::{TestCase, TestCommand, TestRun, run};
