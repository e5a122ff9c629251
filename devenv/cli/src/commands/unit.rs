use devenv_engine::{Error, Project, UnitAction};
use serde_json::json;

use crate::arguments::Action;
use crate::run::{Context, Outcome};

pub(super) async fn run(context: &Context, action: Action, name: &str) -> Result<Outcome, Error> {
    let action = match action {
        Action::Kill => UnitAction::Kill,
        Action::Stop => UnitAction::Stop,
        Action::Start => UnitAction::Start,
    };
    devenv_engine::unit(&Project::load(&context.options)?, action, name).await?;
    Ok(Outcome::done("", &json!({ "unit": name })))
}
