use devenv_engine::{LogOptions, Project};
use devenv_terminal::arguments::Logs;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

pub(super) async fn run(context: &Context, arguments: Logs) -> Result<Outcome, Failure> {
    let project = Project::load(&context.options)?;
    let options = LogOptions { services: arguments.services, tail: arguments.tail, follow: arguments.follow };
    devenv_engine::logs(&project, &options, &context.emitter, &context.cancel).await?;
    Ok(Outcome::done("", &json!({})))
}
