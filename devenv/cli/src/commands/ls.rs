use devenv_machine::{Places, list, survey};
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

use super::machine_failure::failure;
use super::machine_table::machine_table;

pub(super) async fn run(context: &Context, places: &Places<'_>) -> Result<Outcome, Failure> {
    let survey = survey(places).await.map_err(failure)?;
    let rows = list(&survey, places.folders);
    let not_listed = survey.engine.as_ref().err().map(|none| format!("containers are not listed: {none}"));
    if let Some(not_listed) = &not_listed {
        context.emitter.notice(not_listed);
    }
    let text = if rows.is_empty() { "no environments".to_owned() } else { machine_table(&rows, context.style) };
    Ok(Outcome::done(text, &json!({ "environments": rows, "containers_not_listed": not_listed })))
}
