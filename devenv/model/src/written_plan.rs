//! The JSON of a step, read again: an operation and a cause on a resource have the resource's kind in their names.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};

use crate::plan::{Cause, Operation};
use crate::resource::{ResourceId, ResourceKind};

#[derive(Deserialize)]
struct WrittenOperation {
    operation: String,
    unit: Option<String>,
    pid: Option<u32>,
    packages: Option<Vec<String>>,
    image: Option<String>,
    /// The name of a resource, under its kind.
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        WrittenOperation::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
    }
}

impl TryFrom<WrittenOperation> for Operation {
    type Error = String;

    fn try_from(written: WrittenOperation) -> Result<Self, String> {
        let unknown = || format!("unknown or incomplete operation {}", written.operation);
        let unit = || written.unit.clone().ok_or_else(unknown);
        let resource = |kind: ResourceKind| {
            let name = written.others.get(kind.name()).and_then(serde_json::Value::as_str);
            name.map(|name| ResourceId::new(kind, name)).ok_or_else(unknown)
        };
        Ok(match written.operation.as_str() {
            "end_leftover" => Self::EndLeftover { unit: unit()?, pid: written.pid.ok_or_else(unknown)? },
            "build" => Self::Build { packages: written.packages.clone().ok_or_else(unknown)? },
            "build_unit" => Self::BuildUnit { unit: unit()? },
            "pull" => Self::Pull { image: written.image.clone().ok_or_else(unknown)? },
            "start_unit" => Self::StartUnit { unit: unit()? },
            "replace_unit" => Self::ReplaceUnit { unit: unit()? },
            "restart_unit" => Self::RestartUnit { unit: unit()? },
            "stop_unit" => Self::StopUnit { unit: unit()? },
            "await_ready" => Self::AwaitReady { unit: unit()? },
            "apply_seed" => {
                let found = ResourceKind::ALL.into_iter().find_map(|kind| resource(kind).ok());
                Self::Seed(found.ok_or_else(unknown)?)
            }
            operation => {
                let name = operation.strip_prefix("ensure_");
                let kind = ResourceKind::ALL.into_iter().find(|kind| Some(kind.name()) == name);
                Self::Ensure(resource(kind.ok_or_else(unknown)?)?)
            }
        })
    }
}

#[derive(Deserialize)]
struct WrittenCause {
    because: String,
    why: Option<String>,
    error: Option<String>,
    items: Option<usize>,
    differences: Option<Vec<String>>,
    unit: Option<String>,
}

impl<'de> Deserialize<'de> for Cause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        WrittenCause::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
    }
}

impl TryFrom<WrittenCause> for Cause {
    type Error = String;

    fn try_from(written: WrittenCause) -> Result<Self, String> {
        let unknown = || format!("unknown or incomplete cause {}", written.because);
        Ok(match written.because.as_str() {
            "not_running" => Self::NotRunning,
            "not_completed" => Self::NotCompleted,
            "configuration_changed" => Self::ConfigurationChanged,
            "program_stale" => Self::ProgramStale { why: written.why.ok_or_else(unknown)? },
            "program_rebuilt" => Self::ProgramRebuilt,
            "image_absent" => Self::ImageAbsent,
            "not_ready_yet" => Self::NotReadyYet,
            "failed" => Self::Failed { error: written.error.ok_or_else(unknown)? },
            "supervisor_gone" => Self::SupervisorGone,
            "not_in_manifest" => Self::NotInManifest,
            "emulator_starts" => Self::EmulatorStarts,
            "seed_absent" => Self::SeedAbsent { items: written.items.ok_or_else(unknown)? },
            "differs" => Self::Differs { differences: written.differences.ok_or_else(unknown)? },
            "requested" => Self::Requested,
            "dependency_replaced" => Self::DependencyReplaced { unit: written.unit.ok_or_else(unknown)? },
            because => {
                let name = because.strip_suffix("_absent");
                let kind = ResourceKind::ALL.into_iter().find(|kind| Some(kind.name()) == name);
                Self::Absent(kind.ok_or_else(unknown)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, Step};

    fn operations() -> Vec<Operation> {
        let unit = || "api".to_owned();
        let resources = ResourceKind::ALL.map(|kind| ResourceId::new(kind, "orders"));
        let on_resources =
            resources.into_iter().flat_map(|resource| [Operation::Ensure(resource.clone()), Operation::Seed(resource)]);
        let others = [
            Operation::EndLeftover { unit: unit(), pid: 7 },
            Operation::Build { packages: vec!["api".to_owned(), "worker".to_owned()] },
            Operation::BuildUnit { unit: unit() },
            Operation::Pull { image: "image:1".to_owned() },
            Operation::StartUnit { unit: unit() },
            Operation::ReplaceUnit { unit: unit() },
            Operation::RestartUnit { unit: unit() },
            Operation::StopUnit { unit: unit() },
            Operation::AwaitReady { unit: unit() },
        ];
        others.into_iter().chain(on_resources).collect()
    }

    fn causes() -> Vec<Cause> {
        let absent = ResourceKind::ALL.map(Cause::Absent);
        let others = [
            Cause::NotRunning,
            Cause::NotCompleted,
            Cause::ConfigurationChanged,
            Cause::ProgramStale { why: "api.rs changed".to_owned() },
            Cause::ProgramRebuilt,
            Cause::ImageAbsent,
            Cause::NotReadyYet,
            Cause::Failed { error: "exit code 1".to_owned() },
            Cause::SupervisorGone,
            Cause::NotInManifest,
            Cause::EmulatorStarts,
            Cause::SeedAbsent { items: 3 },
            Cause::Differs { differences: vec!["VisibilityTimeout: 30, not 60".to_owned()] },
            Cause::Requested,
            Cause::DependencyReplaced { unit: "emulator".to_owned() },
        ];
        others.into_iter().chain(absent).collect()
    }

    #[test]
    fn every_step_is_read_as_it_was_written() {
        let pairs = operations()
            .into_iter()
            .zip(causes().into_iter().cycle())
            .chain(causes().into_iter().map(|cause| (Operation::StopUnit { unit: "api".to_owned() }, cause)));
        let steps = pairs.map(|(operation, cause)| Step { operation, cause, after: vec![0] }).collect();
        let plan = Plan { steps };
        let json = serde_json::to_string(&plan).expect("plain data");
        assert_eq!(serde_json::from_str::<Plan>(&json).expect("the same shape"), plan);
    }

    #[test]
    fn an_unknown_operation_is_an_error() {
        for json in [r#"{"operation":"fly"}"#, r#"{"operation":"ensure_table"}"#, r#"{"operation":"stop_unit"}"#] {
            assert!(serde_json::from_str::<Operation>(json).is_err(), "{json}");
        }
        assert!(serde_json::from_str::<Cause>(r#"{"because":"moon_absent"}"#).is_err());
    }
}
