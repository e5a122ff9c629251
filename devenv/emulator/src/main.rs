//! The emulator's program, for an image that contains nothing else. As `devenv-emulator guard` it is the guard of a
//! rehearsal, which therefore needs no image of its own.

use std::process::ExitCode;

use devenv_emulator::{parse, run_until_signalled};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if_eq("guard").is_some() {
        return match devenv_guard::run_until_signalled() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error, 1),
        };
    }
    match parse(arguments).and_then(|options| run_until_signalled(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error, error.exit_code()),
    }
}

#[expect(clippy::print_stderr, reason = "the only output for a person")]
fn complain(error: &dyn std::error::Error, code: u8) -> ExitCode {
    eprintln!("devenv-emulator: {error}");
    ExitCode::from(code)
}
