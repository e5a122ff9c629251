//! Facts about this machine, for messages and for `devenv doctor`.

mod doctor;
mod terraform;

pub use doctor::{Finding, Fix, State, doctor};
pub use terraform::{TerraformError, terraform, terraform_version};
