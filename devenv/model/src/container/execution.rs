use std::collections::BTreeMap;

use serde::Serialize;

/// How the program of a container runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Execution {
    /// A process has it too, if it is a folder of the project.
    pub working_dir: Option<String>,
    /// The signal that asks the program to end, such as `SIGINT`; a process has it too.
    pub stop_signal: Option<String>,
    pub init: bool,
    pub tty: bool,
    pub stdin_open: bool,
    /// Operating system and architecture, such as `linux/amd64`.
    pub platform: Option<String>,
    /// Another runtime of the engine, such as `runsc`.
    pub runtime: Option<String>,
    pub annotations: BTreeMap<String, String>,
    /// The engine's log; a small one of devenv's choice if `None`.
    pub logging: Option<Logging>,
    /// Does not change a container, so no part of its digest.
    #[serde(skip)]
    pub pull_policy: PullPolicy,
}

/// A log driver whose log can be read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logging {
    pub driver: String,
    pub options: BTreeMap<String, String>,
}

/// Whether an absent image is pulled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PullPolicy {
    #[default]
    Missing,
    Never,
}
