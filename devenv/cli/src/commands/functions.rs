//! The functions of a project, for the commands that start or list them.

use camino::Utf8Path;
use devenv_engine::Error;
use devenv_resources::function_host::client::HostedState;
use devenv_runtime::Project;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::{Value, json};

use crate::companion::FUNCTIONS;

/// Builds the function host, if the project has functions and `devenv` comes from a checkout. Its image has the same program.
pub(super) fn prepare(context: &Context, project: &Project) -> Result<(), Failure> {
    if project.manifest.functions.is_empty() {
        return Ok(());
    }
    FUNCTIONS.ready(true, |line| context.emitter.notice(line)).map(drop)
}

/// The functions and mappings of a running environment; none in a project without.
pub(super) async fn list(project: &Project) -> Result<Vec<HostedState>, Error> {
    let files = &project.manifest.functions;
    if files.is_empty() {
        return Ok(Vec::new());
    }
    match devenv_engine::function_host(project).await {
        Ok(host) => Ok(host.list(files).await?),
        // Only some services were started, and none is a function.
        Err(Error::NotStarted { .. }) => {
            let absent = |resource| HostedState { resource, state: None, detail: None };
            Ok(files.resources().map(absent).collect())
        }
        Err(error) => Err(error),
    }
}

pub(super) fn state(hosted: &HostedState) -> &str {
    hosted.state.as_deref().unwrap_or("absent")
}

pub(super) fn fields(hosted: &HostedState, file: Option<&Utf8Path>) -> Value {
    let resource = &hosted.resource;
    json!({
        "kind": resource.kind.name(), "name": resource.name, "state": state(hosted), "detail": hosted.detail,
        "differences": [], "file": file, "messages": null,
    })
}

/// The lines about a resource below the table.
pub(super) fn detail(hosted: &HostedState) -> Option<String> {
    match (&hosted.state, &hosted.detail) {
        (None, _) => Some(format!("\n{} is absent\n  devenv up -d starts it", hosted.resource)),
        (Some(_), detail) => Some(format!("\n{}: {}", hosted.resource, detail.as_ref()?)),
    }
}
