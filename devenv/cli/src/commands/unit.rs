use devenv_engine::UnitAction;
use devenv_runtime::Project;
use devenv_terminal::arguments::Action;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

pub(super) async fn run(context: &Context, action: Action, name: &str) -> Result<Outcome, Failure> {
    let action = match action {
        Action::Kill => UnitAction::Kill,
        Action::Stop => UnitAction::Stop,
        Action::Start => UnitAction::Start,
    };
    devenv_engine::unit(&Project::current(&context.options)?, action, name).await?;
    Ok(Outcome::done("", &json!({ "unit": name })))
}
