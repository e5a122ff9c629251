//! A command to run beside a unit's program.

use std::collections::BTreeMap;

/// The order to run a command where a unit runs: in its container, or with the variables and the folder of its process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOrder {
    /// The program and its arguments; never empty.
    pub command: Vec<String>,
    /// Variables over those of the unit.
    pub environment: BTreeMap<String, String>,
    /// The folder to run in instead of the unit's.
    pub directory: Option<String>,
    /// The user to run as instead of the container's.
    pub user: Option<String>,
    /// Whether a terminal of its own is its input and output, in a container.
    pub tty: bool,
}
