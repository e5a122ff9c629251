//! Test support for the services: the embedded DynamoDB in this process, with the project's own tables, behind a proxy that
//! fails on demand.

mod emulator;
mod eventually;
mod faults;
mod malformed;
mod running;
mod serving;

pub use emulator::{Emulator, IN_STOCK, OTHER_IN_STOCK};
pub use eventually::eventually;
pub use faults::Fault;
pub use malformed::{Report, send_malformed};
pub use running::Running;
pub use serving::{Serving, serve, service};
