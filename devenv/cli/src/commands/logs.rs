use devenv_runtime::{LogOptions, Project};
use devenv_terminal::arguments::Logs;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

pub(super) async fn run(context: &Context, arguments: Logs) -> Result<Outcome, Failure> {
    let project = Project::current(&context.options)?;
    let Logs { services, follow, files: _, tail, since, grep, timestamps } = arguments;
    let options = LogOptions { services, tail, follow, since, grep, timestamps };
    devenv_engine::logs(&project, &options, &context.emitter, &context.cancel).await?;
    Ok(Outcome::done("", &json!({})))
}
