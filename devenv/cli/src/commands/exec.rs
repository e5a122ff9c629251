use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal};

use devenv_engine::Error;
use devenv_model::exec::ExecOrder;
use devenv_runtime::{Error as RuntimeError, Project};
use devenv_terminal::arguments::Exec;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

/// The codes with which shells report a program that cannot be started, and one that is not there.
const NOT_EXECUTABLE: i32 = 126;
const NOT_FOUND: i32 = 127;

pub(super) async fn run(context: &Context, arguments: Exec) -> Result<Outcome, Failure> {
    let project = Project::current(&context.options)?;
    let tty = !arguments.no_tty && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let order = ExecOrder {
        command: arguments.command,
        environment: environment(arguments.env),
        directory: arguments.workdir,
        user: arguments.user,
        tty,
    };
    let code = match devenv_engine::exec(&project, &arguments.service, &order).await {
        Ok(code) => code,
        Err(error) => match &error {
            Error::Runtime(RuntimeError::Exec { source, .. }) if source.kind() == ErrorKind::NotFound => {
                said(context, &error, NOT_FOUND)
            }
            Error::Runtime(RuntimeError::Exec { .. }) => said(context, &error, NOT_EXECUTABLE),
            _ => return Err(error.into()),
        },
    };
    Ok(Outcome::of_command(code, &json!({ "service": arguments.service, "exit_code": code })))
}

fn said(context: &Context, error: &Error, code: i32) -> i32 {
    context.emitter.notice(error.to_string());
    code
}

/// A name without a value takes the caller's, and is left out if the caller has none.
fn environment(given: Vec<String>) -> BTreeMap<String, String> {
    given
        .into_iter()
        .filter_map(|pair| match pair.split_once('=') {
            Some((name, value)) => Some((name.to_owned(), value.to_owned())),
            None => std::env::var(&pair).ok().map(|value| (pair, value)),
        })
        .collect()
}
