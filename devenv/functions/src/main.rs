//! The function host's program. `devenv up` starts it for a project with functions; as `devenv-functions init -- PROGRAM ARGUMENTS` it is
//! the first process of a function's container.

use std::process::ExitCode;

use devenv_functions::{Error, run_init, run_until_signalled};
use devenv_resources::function_host::settings::{HOST_SETTINGS, HostSettings};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == "init") {
        return run_init(arguments.collect()).unwrap_or_else(|error| complain(&error));
    }
    match settings().and_then(|settings| run_until_signalled(&settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

fn settings() -> Result<HostSettings, Error> {
    let text = std::env::var(HOST_SETTINGS).map_err(|_| Error::NoSettings)?;
    Ok(serde_json::from_str(&text)?)
}

#[expect(clippy::print_stderr, reason = "the only output for a person")]
fn complain(error: &Error) -> ExitCode {
    eprintln!("devenv-functions: {error}");
    ExitCode::FAILURE
}
