//! The emulator alone, for an image that holds nothing else.

use std::process::ExitCode;

use devenv_emulator::{Error, parse, run_until_signalled};

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|options| run_until_signalled(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

#[expect(clippy::print_stderr, reason = "the one place where this program speaks to a person")]
fn complain(error: &Error) -> ExitCode {
    eprintln!("devenv-emulator: {error}");
    ExitCode::from(error.exit_code())
}
