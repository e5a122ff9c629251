//! PostgreSQL as a process of this machine: [`server`] finds the installed servers, [`choice`] takes one, [`serve`] is the unit's
//! program, which makes the data directory and becomes the server.

mod cluster;
mod copy;
mod login;
mod owner;
mod stale;
mod template;

pub mod choice;
pub mod data;
pub mod error;
pub mod password;
pub mod remedy;
pub mod serve;
pub mod server;
