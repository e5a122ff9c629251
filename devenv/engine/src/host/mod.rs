//! Facts about this machine, for messages and for `devenv doctor`.

mod doctor;
mod port_holder;
mod unwritable;

pub use doctor::{Finding, Fix, State, doctor};
pub use port_holder::{Holder, port_holder};
pub use unwritable::{Unwritable, unwritable};
