use std::collections::BTreeMap;

use serde::Serialize;

/// The share of this machine that a container has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Resources {
    /// Bytes.
    pub memory: Option<u64>,
    /// Bytes.
    pub memory_reservation: Option<u64>,
    /// Bytes of memory and swap together; -1 for no limit.
    pub memory_swap: Option<i64>,
    /// Per cent.
    pub swappiness: Option<i64>,
    pub out_of_memory: OutOfMemory,
    /// Bytes of `/dev/shm`.
    pub shared_memory: Option<u64>,
    pub pids: Option<i64>,
    pub cpu: Cpu,
    pub ulimits: Vec<Ulimit>,
    pub devices: Vec<Device>,
    pub device_requests: Vec<DeviceRequest>,
    pub device_cgroup_rules: Vec<String>,
    pub cgroup_parent: Option<String>,
    pub storage: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OutOfMemory {
    pub kill_disabled: bool,
    pub score_adjustment: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Cpu {
    /// Billionths of a processor.
    pub nano: Option<i64>,
    pub count: Option<i64>,
    pub percent: Option<i64>,
    pub shares: Option<i64>,
    /// Microseconds.
    pub period: Option<i64>,
    /// Microseconds.
    pub quota: Option<i64>,
    /// Microseconds.
    pub realtime_period: Option<i64>,
    /// Microseconds.
    pub realtime_runtime: Option<i64>,
    /// The processors, such as `0-2,4`.
    pub set: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ulimit {
    pub name: String,
    pub soft: i64,
    pub hard: i64,
}

/// A device of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Device {
    pub source: String,
    pub target: String,
    /// Of `r`, `w` and `m`.
    pub permissions: String,
}

/// Devices that a driver of the engine chooses, such as GPUs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeviceRequest {
    pub driver: Option<String>,
    /// -1 for all.
    pub count: Option<i64>,
    pub ids: Vec<String>,
    pub capabilities: Vec<String>,
    pub options: BTreeMap<String, String>,
}
