//! A plan: operations, their order, and the cause of each.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::resource::{ResourceId, ResourceKind};

/// Steps with the indexes of the steps they wait for. The list is in a valid order of execution.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub steps: Vec<Step>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    #[serde(flatten)]
    pub operation: Operation,
    pub cause: Cause,
    /// Indexes into [`Plan::steps`]: the steps that must succeed before this one begins.
    pub after: Vec<usize>,
}

/// One change to the environment, or one wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Operation {
    /// Ends a process of an earlier, killed run.
    EndLeftover {
        unit: String,
        pid: u32,
    },
    Build {
        packages: Vec<String>,
    },
    /// Builds the artifact that a unit alone has.
    BuildUnit {
        unit: String,
    },
    Pull {
        image: String,
    },
    StartUnit {
        unit: String,
    },
    ReplaceUnit {
        unit: String,
    },
    /// Ends the unit and starts it again, although it is as wanted.
    RestartUnit {
        unit: String,
    },
    StopUnit {
        unit: String,
    },
    /// Waits until the unit's probe passes, or until a unit that runs once has completed.
    AwaitReady {
        unit: String,
    },
    /// Creates the resource, or compares it with its file if it exists by then.
    #[serde(untagged, serialize_with = "ensuring")]
    Ensure(ResourceId),
    /// Inserts the absent seed items.
    #[serde(untagged, serialize_with = "seeding")]
    Seed(ResourceId),
}

/// `{ "operation": "ensure_table", "table": "orders" }`: each operation names its object by kind, as `unit` and `image` do elsewhere.
fn ensuring<S: Serializer>(resource: &ResourceId, serializer: S) -> Result<S::Ok, S::Error> {
    on(&format!("ensure_{}", resource.kind), resource, serializer)
}

fn seeding<S: Serializer>(resource: &ResourceId, serializer: S) -> Result<S::Ok, S::Error> {
    on("apply_seed", resource, serializer)
}

fn on<S: Serializer>(operation: &str, resource: &ResourceId, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(2))?;
    map.serialize_entry("operation", operation)?;
    map.serialize_entry(resource.kind.name(), &resource.name)?;
    map.end()
}

/// Why a step is in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Cause {
    NotRunning,
    /// A unit that runs once has not ended with exit code 0 yet.
    NotCompleted,
    ConfigurationChanged,
    /// The program is older than its sources, or absent.
    ProgramStale {
        why: String,
    },
    ProgramRebuilt,
    ImageAbsent,
    NotReadyYet,
    Failed {
        error: String,
    },
    /// A killed run left the process.
    SupervisorGone,
    NotInManifest,
    EmulatorStarts,
    SeedAbsent {
        items: usize,
    },
    /// The resource differs from its file, and is changed in place.
    Differs {
        differences: Vec<String>,
    },
    Requested,
    /// The unit asks to be restarted with this dependency.
    DependencyReplaced {
        unit: String,
    },
    #[serde(untagged, serialize_with = "absent")]
    Absent(ResourceKind),
}

/// `{ "because": "table_absent" }`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn absent<S: Serializer>(kind: &ResourceKind, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry("because", &format!("{kind}_absent"))?;
    map.end()
}

/// One line per step: its number, operation, cause, and the numbers of the steps it waits for.
impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            return formatter.write_str("nothing to do\n");
        }
        for (index, step) in self.steps.iter().enumerate() {
            write!(formatter, "{:>2}. {} ({})", index + 1, step.operation, step.cause)?;
            if !step.after.is_empty() {
                let after: Vec<String> = step.after.iter().map(|earlier| (earlier + 1).to_string()).collect();
                write!(formatter, " after {}", after.join(", "))?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndLeftover { unit, pid } => {
                write!(formatter, "end leftover {unit} (process {pid})")
            }
            Self::Build { packages } => write!(formatter, "build {}", packages.join(", ")),
            Self::BuildUnit { unit } => write!(formatter, "build {unit}"),
            Self::Pull { image } => write!(formatter, "pull {image}"),
            Self::StartUnit { unit } => write!(formatter, "start {unit}"),
            Self::ReplaceUnit { unit } => write!(formatter, "replace {unit}"),
            Self::RestartUnit { unit } => write!(formatter, "restart {unit}"),
            Self::StopUnit { unit } => write!(formatter, "stop {unit}"),
            Self::AwaitReady { unit } => write!(formatter, "wait for {unit}"),
            Self::Ensure(resource) => write!(formatter, "ensure {resource}"),
            Self::Seed(resource) => write!(formatter, "seed {resource}"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning => formatter.write_str("not running"),
            Self::NotCompleted => formatter.write_str("not completed yet"),
            Self::ConfigurationChanged => formatter.write_str("configuration changed"),
            Self::ProgramStale { why } => formatter.write_str(why),
            Self::ProgramRebuilt => formatter.write_str("program is rebuilt"),
            Self::ImageAbsent => formatter.write_str("image not present locally"),
            Self::NotReadyYet => formatter.write_str("not ready yet"),
            Self::Failed { error } => write!(formatter, "failed before: {error}"),
            Self::SupervisorGone => formatter.write_str("its supervisor is gone"),
            Self::NotInManifest => formatter.write_str("no longer in the manifest"),
            Self::EmulatorStarts => formatter.write_str("the emulator starts"),
            Self::SeedAbsent { items } => write!(formatter, "{items} seed item(s) absent"),
            Self::Differs { differences } => formatter.write_str(&differences.join("; ")),
            Self::Requested => formatter.write_str("requested"),
            Self::DependencyReplaced { unit } => write!(formatter, "{unit} is replaced"),
            Self::Absent(kind) => write!(formatter, "{kind} absent"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_on_a_resource_names_its_kind_in_words_and_in_json() {
        let orders = || ResourceId::table("orders");
        let steps = vec![
            Step {
                operation: Operation::Ensure(orders()),
                cause: Cause::Absent(ResourceKind::Table),
                after: Vec::new(),
            },
            Step { operation: Operation::Seed(orders()), cause: Cause::SeedAbsent { items: 3 }, after: vec![0] },
        ];
        let plan = Plan { steps };
        insta::assert_snapshot!(format!("{plan}{}", serde_json::to_string_pretty(&plan).expect("plain data")));
    }
}
