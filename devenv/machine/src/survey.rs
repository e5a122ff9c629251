//! One look at everything of devenv on this machine.

use devenv_containers::engine::{ContainerEngine, ContainerEngines, NoHost};
use std::sync::Arc;

use crate::container_environments::{ContainerSurvey, survey_engine};
use crate::error::Error;
use crate::folders::Folders;
use crate::process_environments::{ProcessEnvironment, ProcessEnvironments};

/// Where environments are looked for.
#[derive(Debug)]
pub struct Places<'a> {
    pub processes: &'a dyn ProcessEnvironments,
    pub engines: &'a dyn ContainerEngines,
    pub folders: &'a dyn Folders,
}

#[derive(Debug)]
pub struct Survey {
    pub processes: Vec<ProcessEnvironment>,
    pub containers: ContainerSurvey,
    /// The engine, or why none is listed.
    pub engine: Result<Arc<dyn ContainerEngine>, NoHost>,
}

pub async fn survey(places: &Places<'_>) -> Result<Survey, Error> {
    let (processes, engine) = tokio::join!(places.processes.find(), places.engines.connect());
    let containers = match &engine {
        Ok(engine) => survey_engine(engine.as_ref()).await?,
        Err(_) => ContainerSurvey::default(),
    };
    Ok(Survey { processes: processes?, containers, engine })
}
