use devenv_engine::UpOptions;
use devenv_model::event::Event;
use devenv_runtime::{LogOptions, Project};
use devenv_terminal::arguments::Up;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

use super::functions;

/// Earlier log lines to show of each service.
const BACKLOG: usize = 5;

pub(super) async fn run(context: &Context, arguments: &Up) -> Result<Outcome, Failure> {
    let project = Project::load(&context.options)?;
    let options =
        UpOptions { request: arguments.request(), services: arguments.services.clone(), timeout: arguments.timeout };
    if arguments.dry_run {
        let plan = devenv_engine::plan(&project, &options, &context.emitter).await?;
        return Ok(Outcome::done(plan.to_string().trim_end(), &plan));
    }
    functions::prepare(context, &project)?;
    let mut up = devenv_engine::up(&project, &options, &context.emitter, &context.cancel).await?;
    context.emitter.emit(Event::EnvironmentReady { report: up.report.clone(), changed: up.changed });
    let fields = json!({ "changed": up.changed, "environment": up.report });
    if arguments.detach {
        up.attachment.detach().await?;
        let test = if project.manifest.test.is_some() { "devenv test, " } else { "" };
        return Ok(Outcome::done(format!("next: devenv logs -f, {test}devenv down"), &fields));
    }
    let follow =
        LogOptions { services: arguments.services.clone(), tail: Some(BACKLOG), follow: true, ..LogOptions::default() };
    let stopped_elsewhere = tokio::select! {
        outcome = devenv_engine::logs(&project, &follow, &context.emitter, &context.cancel) => {
            outcome?;
            false
        }
        () = up.attachment.lost() => true,
    };
    let text = if stopped_elsewhere {
        "the environment was stopped"
    } else if up.attachment.is_owner() {
        up.attachment.stop(&context.emitter).await?;
        "stopped; the data stays"
    } else {
        "left running, as it was before (devenv down stops it)"
    };
    Ok(Outcome::done(text, &fields))
}
