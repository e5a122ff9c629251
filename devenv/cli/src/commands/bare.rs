//! The project of a command that must work even when the project's files cannot be read.

use devenv_runtime::Project;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;

/// Returns the project; without its services, and with a notice, if the files cannot be read: what runs is found without them.
pub(super) fn current(context: &Context) -> Result<Project, Failure> {
    let (project, error) = Project::current_or_bare(&context.options)?;
    if let Some(error) = error {
        let error = error.to_string();
        let first = error.lines().next().unwrap_or_default();
        context.emitter.notice(format!("the project's files cannot be read ({first}); only what runs is known"));
    }
    Ok(project)
}
