//! The function host's program. `devenv up` starts it for a project with functions.

use std::process::ExitCode;

use devenv_functions::{Error, run_until_signalled};
use devenv_resources::function_host::settings::{HOST_SETTINGS, HostSettings};

fn main() -> ExitCode {
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
