//! From the manifest and the chosen ports to specifications with nothing left open.

mod address;
mod aws;
pub(crate) mod containers;
pub(crate) mod processes;
mod selection;

pub(crate) use address::{bound, reached};
pub use aws::aws_environment;
pub(crate) use aws::region;
pub use processes::own_program;
pub(crate) use selection::{dependencies, selected};
