//! The settings of the function host, which `up` gives it in a variable.

use std::net::SocketAddr;

use camino::Utf8PathBuf;
use devenv_model::functions::EventSource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The variable with the host's settings, a [`HostSettings`] in JSON.
pub const HOST_SETTINGS: &str = "DEVENV_FUNCTIONS";
/// The format of [`HostSettings`].
pub const HOST_FORMAT: u32 = 2;
/// The variable with the address of the Runtime API, HOST:PORT, for a function's program.
pub const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";
/// The host's path that answers 200 once a unit of a function has asked for its first event: the unit's name follows. With
/// [`devenv_model::unit::PROCESS_STARTED`], the unit must have asked since then.
pub const READY_PATH: &str = "/devenv/units/";

/// Everything that the function host is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSettings {
    pub format: u32,
    pub region: String,
    /// The address of the Invoke API.
    pub invoke: SocketAddr,
    /// The URL at which SQS answers.
    pub queues: String,
    /// The URL at which DynamoDB Streams answers.
    pub streams: String,
    /// The folder of what outlives the host: checkpoints, and events that wait.
    pub data: Utf8PathBuf,
    pub runner: UnitRunner,
    pub functions: Vec<HostedFunction>,
    pub mappings: Vec<HostedMapping>,
}

impl HostSettings {
    /// The value of [`HOST_SETTINGS`].
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("settings are plain data")
    }
}

/// Who runs the host and the units of functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitRunner {
    /// Nobody restarts a unit. The host listens on loopback only.
    Nobody,
    /// The supervisor with this state directory. The host listens on loopback only.
    Supervisor(Utf8PathBuf),
    /// A container engine. An init of the host's own program runs in each unit's container.
    Containers,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedFunction {
    pub name: String,
    pub timeout_seconds: u32,
    pub memory_megabytes: u32,
    pub units: Vec<HostedUnit>,
}

/// One unit of a function: it handles one event at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedUnit {
    pub name: String,
    /// The address of the unit's own Runtime API.
    pub runtime: SocketAddr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedMapping {
    pub name: String,
    pub function: String,
    pub source: EventSource,
    /// The `CreateEventSourceMapping` input.
    pub definition: Value,
}
