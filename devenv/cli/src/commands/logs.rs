use devenv_engine::{LogOptions, Project};
use serde_json::json;

use crate::arguments::Logs;
use crate::report::Failure;
use crate::run::{Context, Outcome};

pub(super) async fn run(context: &Context, arguments: Logs) -> Result<Outcome, Failure> {
    let project = Project::load(&context.options)?;
    let options = LogOptions { services: arguments.services, tail: arguments.tail, follow: arguments.follow };
    devenv_engine::logs(&project, &options, &context.emitter, &context.cancel).await?;
    Ok(Outcome::done("", &json!({})))
}
