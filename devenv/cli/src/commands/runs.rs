//! `devenv runs`: the commands that changed something, from the journal.

use comfy_table::{Table, presets};
use devenv_journal::{Ended, Run, RunState};
use devenv_model::event::Event;
use devenv_runtime::{Error, Project};
use devenv_supervisor::clock;
use devenv_terminal::arguments::Runs;
use devenv_terminal::exit::Exit;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::{Value, json};

use super::ps::age;

/// The digits of a commit that a list shows.
const COMMIT_DIGITS: usize = 10;

pub(super) fn run(context: &Context, arguments: &Runs) -> Result<Outcome, Failure> {
    let Some((_, state_dir)) = Project::place(&context.options) else {
        return Err(Error::NoManifest { start: context.options.directory.clone() }.into());
    };
    match &arguments.run {
        None => {
            let runs = devenv_journal::list(&state_dir, arguments.limit).map_err(|error| failure(&error))?;
            let none = "no runs yet: up, test and every other command that changes something leaves one";
            let text = if runs.is_empty() { none.to_owned() } else { table(&runs, clock::now()) };
            Ok(Outcome::done(text, &json!({ "runs": runs })))
        }
        Some(id) => {
            let path = devenv_journal::find(&state_dir, id).map_err(|error| failure(&error))?;
            let run = devenv_journal::read(&path).map_err(|error| failure(&error))?;
            let lines = devenv_journal::lines(&path).map_err(|error| failure(&error))?;
            Ok(show(context, &run, lines))
        }
    }
}

/// Shows the events as the run itself showed them.
fn show(context: &Context, run: &Run, lines: Vec<Value>) -> Outcome {
    context.emitter.notice(format!(
        "{} began {}: devenv {}",
        run.started.run,
        run.started.at,
        run.started.argv.join(" ")
    ));
    for line in lines {
        if let Ok(event) = serde_json::from_value::<Event>(line) {
            context.emitter.emit(event);
        }
    }
    let text = match &run.state {
        RunState::Ended(Ended { left_out, .. }) if *left_out > 0 => {
            format!("{}; {left_out} lines of other programs were left out", result(&run.state))
        }
        state => result(state),
    };
    Outcome::done(text, run)
}

fn failure(error: &devenv_journal::Error) -> Failure {
    let (code, hint) = match error {
        devenv_journal::Error::NoId
        | devenv_journal::Error::Unknown { .. }
        | devenv_journal::Error::Ambiguous { .. } => ("no_such_run", "devenv runs lists them"),
        devenv_journal::Error::Foreign { .. } => ("no_such_run", "remove the file; devenv runs lists the others"),
        devenv_journal::Error::Read { .. } | devenv_journal::Error::Write { .. } => {
            ("unreadable_journal", "check the permissions of that file")
        }
    };
    Failure::new(error.to_string(), &[], (code, Exit::Failed, Some(hint.to_owned())))
}

fn table(runs: &[Run], now: u64) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["ID", "AGE", "COMMAND", "TOOK", "RESULT", "COMMIT"]);
    for run in runs {
        let began = u64::try_from(run.started.at.as_millisecond()).unwrap_or_default();
        let took = match &run.state {
            RunState::Ended(ended) => duration(ended.elapsed_ms),
            RunState::Running | RunState::Killed => "-".to_owned(),
        };
        let commit: String = run.started.commit.as_deref().unwrap_or("-").chars().take(COMMIT_DIGITS).collect();
        table.add_row([
            run.started.run.clone(),
            age(now.saturating_sub(began) / 1000),
            command(&run.started.argv),
            took,
            result(&run.state),
            commit,
        ]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// The arguments, as far as a row has room.
fn command(argv: &[String]) -> String {
    const ROOM: usize = 48;
    let words = argv.join(" ").replace(char::is_control, " ");
    if words.chars().count() <= ROOM { words } else { words.chars().take(ROOM - 3).chain("...".chars()).collect() }
}

fn result(state: &RunState) -> String {
    match state {
        RunState::Running => "running".to_owned(),
        RunState::Killed => "killed".to_owned(),
        RunState::Ended(Ended { exit: 0, .. }) => "ok".to_owned(),
        RunState::Ended(Ended { exit, error: Some(error), .. }) => format!("exit {exit}: {error}"),
        RunState::Ended(Ended { exit, error: None, .. }) => format!("exit {exit}"),
    }
}

fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..60_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1000),
    }
}

#[cfg(test)]
mod tests {
    use devenv_journal::Started;

    use super::*;

    fn run(argv: &[&str], state: RunState) -> Run {
        let started = Started {
            version: 1,
            run: "0a1b2c".to_owned(),
            at: "2026-11-30T02:41:46Z".parse().expect("a time"),
            verb: argv[0].to_owned(),
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            commit: Some("bcb98f4e0c1d2e3f".to_owned()),
            devenv: "0.3.0".to_owned(),
        };
        Run { started, state }
    }

    #[test]
    fn a_row_has_the_command_its_time_and_its_result() {
        let ended = |exit, error: Option<&str>| {
            RunState::Ended(Ended { exit, elapsed_ms: 4_250, error: error.map(str::to_owned), left_out: 0 })
        };
        let runs = [
            run(&["test"], RunState::Running),
            run(&["test", "--runtime", "docker", "--emulator", "all", "--keep", "--timeout"], ended(1, None)),
            run(&["up", "-d"], ended(5, Some("order-api is not ready"))),
            run(&["up"], RunState::Killed),
            run(&["down"], ended(0, None)),
        ];
        let now = u64::try_from(runs[0].started.at.as_millisecond()).expect("after 1970") + 120_000;
        insta::assert_snapshot!(table(&runs, now), @"
        ID      AGE  COMMAND                                           TOOK   RESULT                          COMMIT
        0a1b2c  2m   test                                              -      running                         bcb98f4e0c
        0a1b2c  2m   test --runtime docker --emulator all --keep -...  4.2 s  exit 1                          bcb98f4e0c
        0a1b2c  2m   up -d                                             4.2 s  exit 5: order-api is not ready  bcb98f4e0c
        0a1b2c  2m   up                                                -      killed                          bcb98f4e0c
        0a1b2c  2m   down                                              4.2 s  ok                              bcb98f4e0c
        ");
    }
}
