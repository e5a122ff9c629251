use devenv_engine::{Project, UnitAction};
use serde_json::json;

use crate::arguments::Action;
use crate::report::Failure;
use crate::run::{Context, Outcome};

pub(super) async fn run(context: &Context, action: Action, name: &str) -> Result<Outcome, Failure> {
    let action = match action {
        Action::Kill => UnitAction::Kill,
        Action::Stop => UnitAction::Stop,
        Action::Start => UnitAction::Start,
    };
    devenv_engine::unit(&Project::load(&context.options)?, action, name).await?;
    Ok(Outcome::done("", &json!({ "unit": name })))
}
