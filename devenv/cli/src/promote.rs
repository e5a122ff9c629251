//! Runs `devenv-promote`, beside this program, in its place; builds it first if this program comes from a checkout.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use devenv_doctor::{Finding, Fix, State};
use devenv_runtime::own_program;
use devenv_terminal::arguments::Global;
use devenv_terminal::exit::Exit;
use devenv_terminal::report::Failure;
use devenv_terminal::run::refuse;

use crate::companion::{PROMOTE, Readiness};

const NAME: &str = PROMOTE.name;

/// Replaces this process by `devenv-promote` with the same arguments. Returns only an error.
pub(crate) fn run(global: &Global, name: &str) -> ExitCode {
    let tell = |line: String| {
        if !global.quiet {
            let _ = writeln!(io::stderr(), "{line}");
        }
    };
    match PROMOTE.ready(global.quiet, tell) {
        Ok(program) => {
            let source = Command::new(&program).args(std::env::args_os().skip(1)).exec();
            let message = format!("cannot start {program}: {source}");
            let told = ("promote_start", Exit::Failed, Some(PROMOTE.install()));
            refuse(global, name, Failure::new(message, &[], told))
        }
        Err(failure) => refuse(global, name, failure),
    }
}

/// The finding about `devenv-promote` for `devenv doctor`.
pub(crate) fn finding() -> Finding {
    let readiness = own_program().map(|own| PROMOTE.readiness(&own, &own.with_file_name(NAME)));
    let (state, message, fix) = match readiness {
        Ok(Readiness::Ready) => (State::Ok, format!("{NAME} is here"), None),
        Ok(Readiness::Stale(_, why)) => (State::Ok, format!("the next promotion builds {NAME} ({why})"), None),
        Ok(Readiness::Missing) | Err(_) => {
            let message = format!("{NAME} is not beside devenv; only promote, rollback, history and evidence need it");
            (State::Warning, message, Some(Fix { command: PROMOTE.install(), safe: false }))
        }
    };
    Finding { check: "promotion", state, message, fix }
}
