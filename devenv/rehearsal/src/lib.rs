//! The Terraform of a rehearsal that has none of its own: roots that `devenv` carries, and the services as the Compose file
//! describes them. Reads and changes nothing.

mod addresses;

pub mod account;
pub mod roots;
pub mod services;
