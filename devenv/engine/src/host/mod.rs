//! Facts about this machine, for messages and for `devenv doctor`.

mod doctor;

pub use doctor::{Finding, Fix, State, doctor};
