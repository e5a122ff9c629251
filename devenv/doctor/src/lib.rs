//! Checks this machine for everything that `devenv` needs, and names the command that fixes each problem.

mod checks;
mod finding;

pub use checks::doctor;
pub use finding::{Finding, Fix, State};
