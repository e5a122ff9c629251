//! The runtime that a command was given, whichever it is.

use crate::choice::{Choice, ChosenRuntime};
use crate::containers::ContainerRuntime;
use crate::effects::{Observation, Runtime};
use crate::process_runtime::ProcessRuntime;
use crate::{Error, Project};

pub(crate) enum AnyRuntime {
    Processes(ProcessRuntime),
    Containers(ContainerRuntime),
}

impl AnyRuntime {
    pub(crate) async fn connect(project: &Project, choice: &Choice) -> Result<Self, Error> {
        Ok(match &choice.runtime {
            ChosenRuntime::Process => Self::Processes(ProcessRuntime::connect(&project.state).await?),
            ChosenRuntime::Docker(engine) => Self::Containers(ContainerRuntime::new(engine.clone(), project)),
        })
    }

    pub(crate) async fn observe(&self) -> Result<Observation, Error> {
        match self {
            Self::Processes(runtime) => runtime.observe().await,
            Self::Containers(runtime) => runtime.observe().await,
        }
    }

    pub(crate) async fn remove(&self, unit: &str) -> Result<(), Error> {
        match self {
            Self::Processes(runtime) => runtime.remove(unit).await,
            Self::Containers(runtime) => runtime.remove(unit).await,
        }
    }

    pub(crate) async fn await_ready(&self, unit: &str) -> Result<(), Error> {
        match self {
            Self::Processes(runtime) => runtime.await_ready(unit).await,
            Self::Containers(runtime) => runtime.await_ready(unit).await,
        }
    }

    pub(crate) async fn end_leftover(&self, unit: &str) -> Result<(), Error> {
        match self {
            Self::Processes(runtime) => runtime.end_leftover(unit).await,
            Self::Containers(runtime) => runtime.end_leftover(unit).await,
        }
    }

    /// The last lines that a unit wrote, without their times.
    pub(crate) async fn last_lines(&self, unit: &str, count: usize) -> Vec<String> {
        match self {
            Self::Processes(runtime) => runtime.last_lines(unit, count),
            Self::Containers(runtime) => runtime.last_lines(unit, count).await,
        }
    }

    pub(crate) async fn supervisor_pid(&self) -> Option<u32> {
        match self {
            Self::Processes(runtime) => runtime.supervisor_pid().await,
            Self::Containers(_) => None,
        }
    }
}
