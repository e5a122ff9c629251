//! The manifest: `devenv.toml`, the Compose file, the table files and the seeds, read into one checked value.

mod types;

pub use types::{
    Condition, Emulator, EmulatorKind, Health, HealthTest, Healthcheck, KeyAttribute, Limits, Manifest, Port,
    ProcessRun, ProcessSettings, Seed, Service, Table, TestSettings,
};
