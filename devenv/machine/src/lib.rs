//! All environments of this machine and this user: `devenv ls` and `devenv prune`.
//!
//! Two kinds of places are searched ([`survey`]): the runtime directories of processes, and the labels in a container engine. The
//! decisions on what is found are pure: [`list`] for a row of each environment, [`remnants`] for what may be removed. They work in
//! any folder and read no file of a project.

mod container_environments;
mod error;
mod folders;
mod list;
mod process_environments;
mod prune;
mod remnants;
mod survey;

#[cfg(test)]
mod fakes;

pub use error::Error;
pub use folders::{Folders, LocalFolders, Presence};
pub use list::{Row, State, list};
pub use process_environments::{LocalProcesses, ProcessEnvironments};
pub use prune::{Pruned, prune};
pub use remnants::{Object, Remnant, Why, remnants};
pub use survey::{Places, Survey, survey};
