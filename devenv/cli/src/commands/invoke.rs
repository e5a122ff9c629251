use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use devenv_document::closest::closest;
use devenv_engine::Error;
use devenv_model::event::Event;
use devenv_resources::error::Error as ResourceError;
use devenv_resources::function_host::client::Invoked;
use devenv_runtime::Project;
use devenv_terminal::arguments::Invoke;
use devenv_terminal::exit::Exit;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::{Value, json};

/// Bytes of an event: Lambda's limit.
const EVENT_LIMIT: u64 = 6 * 1024 * 1024;

pub(super) async fn run(context: &Context, arguments: &Invoke) -> Result<Outcome, Failure> {
    let project = Project::current(&context.options)?;
    let function = &arguments.function;
    known(&project, function)?;
    let event = event(arguments.event.as_deref())?;
    let host = devenv_engine::function_host(&project).await?;
    let invoked = host.invoke(function, event).await.map_err(|error| refused(function, error))?;
    let log = invoked.log.as_deref().and_then(log_lines).unwrap_or_default();
    for line in &log {
        context.emitter.emit(Event::InvocationLog { line: line.clone() });
    }
    Ok(outcome(function, invoked, &log))
}

fn outcome(function: &str, invoked: Invoked, log: &[String]) -> Outcome {
    let response = serde_json::from_str(&invoked.response).unwrap_or_else(|_| Value::from(invoked.response.clone()));
    let fields = json!({ "function": function, "response": response, "function_error": invoked.is_error, "log": log });
    let exit = if invoked.is_error { Exit::Failed } else { Exit::Done };
    Outcome { exit, ..Outcome::done(invoked.response, &fields) }
}

fn known(project: &Project, function: &str) -> Result<(), Failure> {
    let names: Vec<&str> = project.manifest.functions.functions.iter().map(|one| one.name.as_str()).collect();
    if names.contains(&function) {
        return Ok(());
    }
    if let Some(profiles) = project.manifest.functions.disabled.get(function) {
        return Err(disabled(function, profiles, &project.compose.profiles));
    }
    let hint = match closest(function, names.iter().copied()) {
        Some(meant) => format!("did you mean {meant}? devenv invoke {meant}"),
        None if names.is_empty() => {
            "the project has no functions; docs/functions.md describes how to add one".to_owned()
        }
        None => format!("the functions are {}", names.join(", ")),
    };
    let message = format!("no file declares the function {function}");
    Err(Failure::new(message, &[], ("unknown_function", Exit::Usage, Some(hint))))
}

/// A function of `profiles`, none of which is among `enabled`.
fn disabled(function: &str, profiles: &[String], enabled: &[String]) -> Failure {
    let message = match profiles {
        [profile] => format!("the function {function} belongs to the profile {profile}, which is not enabled"),
        several => {
            format!("the function {function} belongs to the profiles {}, none of which is enabled", several.join(", "))
        }
    };
    // The option takes the place of the profiles of the last start.
    let options: Vec<&str> =
        enabled.iter().chain(profiles.first()).flat_map(|profile| ["--profile", profile.as_str()]).collect();
    Failure::new(message, &[], ("disabled_function", Exit::Usage, Some(format!("devenv up -d {}", options.join(" ")))))
}

/// The event in a file or, for `-`, on standard input; an empty one by default.
fn event(source: Option<&str>) -> Result<Vec<u8>, Failure> {
    let Some(source) = source else { return Ok(b"{}".to_vec()) };
    let failed = |cause: String| {
        let hint = "devenv invoke FUNCTION --event FILE, or --event - to read it from standard input";
        Failure::new(cause, &[], ("event", Exit::Usage, Some(hint.to_owned())))
    };
    let mut event = Vec::new();
    let read = match source {
        "-" => std::io::stdin().lock().take(EVENT_LIMIT + 1).read_to_end(&mut event),
        path => std::fs::File::open(path).and_then(|file| file.take(EVENT_LIMIT + 1).read_to_end(&mut event)),
    };
    let size = read.map_err(|error| failed(format!("cannot read the event {source}: {error}")))?;
    if size as u64 > EVENT_LIMIT {
        return Err(failed(format!("the event {source} has more than 6 MiB, Lambda's limit")));
    }
    match serde_json::from_slice::<Value>(&event) {
        Ok(_) => Ok(event),
        Err(error) => Err(failed(format!("the event {source} is not JSON: {error}"))),
    }
}

fn refused(function: &str, error: ResourceError) -> Failure {
    if error.is("TooManyRequestsException") {
        let hint = format!("devenv logs {function}");
        return Failure::new(
            format!("{function} has not taken the event: {error}"),
            &[],
            ("not_taken", Exit::NotReadyInTime, Some(hint)),
        );
    }
    Error::from(error).into()
}

/// The lines of a log in Base64.
fn log_lines(encoded: &str) -> Option<Vec<String>> {
    let text = String::from_utf8_lossy(&STANDARD.decode(encoded).ok()?).into_owned();
    Some(text.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read() {
        assert_eq!(log_lines("U1RBUlQKw6kK").expect("Base64"), ["START", "é"]);
        assert_eq!(log_lines("?"), None);
    }

    #[test]
    fn an_error_of_the_function_is_a_failure_with_its_response() {
        let failed = Invoked { response: "{\"errorType\":\"E\"}".to_owned(), is_error: true, log: None };
        let outcome = outcome("low-stock", failed, &[]);
        assert_eq!((outcome.exit, outcome.fields["response"]["errorType"].as_str()), (Exit::Failed, Some("E")));
    }
}
