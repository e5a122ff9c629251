use devenv_machine::{Places, Row, State, list, survey};
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
    if let Some(unknown) = unknown(&rows) {
        context.emitter.notice(unknown);
    }
    let known: Vec<&Row> = rows.iter().filter(|row| !is_unknown(row)).collect();
    let text = if known.is_empty() { "no environments".to_owned() } else { machine_table(&known, context.style) };
    Ok(Outcome::done(text, &json!({ "environments": rows, "containers_not_listed": not_listed })))
}

/// Whether only a directory is left, which does not record its environment: a row would show nothing.
fn is_unknown(row: &Row) -> bool {
    row.root.is_none() && row.state == State::Stopped
}

fn unknown(rows: &[Row]) -> Option<String> {
    let left = match rows.iter().filter(|row| is_unknown(row)).count() {
        0 => return None,
        1 => "1 directory is".to_owned(),
        count => format!("{count} directories are"),
    };
    Some(format!(
        "{left} left of stopped environments whose folders are not recorded; devenv prune removes what is left"
    ))
}

#[cfg(test)]
mod tests {
    use devenv_machine::Presence;

    use super::*;

    fn row(root: Option<&str>, state: State) -> Row {
        Row {
            name: "0001f5c65abb6581".to_owned(),
            root: root.map(Into::into),
            state_dir: None,
            folder: Presence::Unknown,
            runtime: None,
            state,
            ready: None,
            units: None,
            memory: None,
            since: None,
            pid: None,
        }
    }

    #[test]
    fn what_is_left_of_unknown_environments_is_counted() {
        assert_eq!(unknown(&[row(Some("/shop"), State::Stopped), row(None, State::Changing)]), None);
        let one = unknown(&[row(None, State::Stopped)]).expect("one is left");
        assert!(one.starts_with("1 directory is left"), "{one}");
        let two = unknown(&[row(None, State::Stopped), row(None, State::Stopped)]).expect("two are left");
        assert!(two.starts_with("2 directories are left"), "{two}");
    }
}
