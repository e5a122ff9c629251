//! The units that a runtime has now, as it reports them.

use std::collections::BTreeMap;

use devenv_model::observed::ObservedUnit;
use devenv_runtime::Project;

use crate::error::Error;
use crate::resolve;

/// A process or a container of the environment.
#[derive(Debug)]
pub struct RunningUnit {
    pub unit: ObservedUnit,
    /// The container's name; `None` for a process.
    pub container: Option<String>,
    /// The memory in use, in bytes, if the runtime knows it.
    pub memory: Option<u64>,
}

/// Every process or container of the environment, by unit. Services that were never started are not among them.
pub async fn ps(project: &Project) -> Result<Vec<RunningUnit>, Error> {
    let runtime = resolve::current(project).await?.connect(project).await?;
    let units: Vec<ObservedUnit> = runtime.observe().await?.units.into_values().collect();
    let memory: BTreeMap<String, u64> = runtime.memory(&units).await;
    let of = |unit: ObservedUnit| {
        let (container, memory) = (runtime.container_name(&unit.name), memory.get(&unit.name).copied());
        RunningUnit { unit, container, memory }
    };
    Ok(units.into_iter().map(of).collect())
}
