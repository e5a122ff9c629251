//! The manifest: `devenv.toml`, the Compose file, the table files and the seeds, read into one checked value.

mod assemble;
mod attribute_value;
mod check;
mod compose;
mod compose_fields;
mod compose_values;
mod endpoint;
mod interpolate;
mod json;
mod problem;
mod promotion;
mod read_settings;
mod seeds;
mod settings;
mod source;
mod table_keys;
mod tables;
pub mod template;
mod tree;
mod types;
mod yaml;

pub use problem::{Drawing, ManifestError, Problem, ProblemReport};
pub use settings::{Settings, schema};
pub use source::SourceFile;
pub use types::{
    Condition, Emulator, EmulatorKind, EvidenceOrigin, Health, HealthTest, Healthcheck, KeyAttribute, Limits, Manifest,
    Port, ProcessRun, ProcessSettings, PromotePlace, PromoteTarget, Seed, Service, StartOrder, Table, TestSettings,
};
