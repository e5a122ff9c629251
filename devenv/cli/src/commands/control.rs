use std::time::Duration;

use devenv_engine::{Control, control};
use devenv_runtime::Project;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

pub(super) async fn run(
    context: &Context,
    action: Control,
    services: &[String],
    timeout: Duration,
) -> Result<Outcome, Failure> {
    let project = Project::current(&context.options)?;
    let changed = control(&project, action, services, timeout, &context.emitter, &context.cancel).await?;
    let (done, already) = match action {
        Control::Stop => ("stopped", "stopped already"),
        Control::Start => ("started", "running already"),
        Control::Restart => ("restarted", "nothing to restart"),
    };
    let text = if changed.is_empty() { already.to_owned() } else { format!("{done} {}", changed.join(", ")) };
    Ok(Outcome::done(text, &json!({ "changed": changed })))
}
