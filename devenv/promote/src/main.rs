//! `devenv-promote`: the program that `devenv promote`, `rollback`, `history` and `evidence` run. It links AWS's SDKs and TLS;
//! `devenv` does not, so that no local command waits for them to compile.

mod commands;
mod report;

use std::process::ExitCode;
use std::sync::Arc;

use devenv_containers::host::ContainerHosts;
use devenv_docker::Docker;
use devenv_processes::host::ProcessHost;
use devenv_promotion::OWN_GUARD;
use devenv_terminal::arguments::{self, Command};
use devenv_terminal::exit::Exit;
use devenv_terminal::guard::guard;
use devenv_terminal::run::{Verb, complain, refuse, run};

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == OWN_GUARD) {
        return match devenv_guard::run_until_signalled() {
            Ok(()) => Exit::Done.into(),
            Err(error) => complain(&error.to_string(), Exit::Failed),
        };
    }
    let arguments = match arguments::read() {
        Ok(arguments) => arguments,
        Err(usage) => return usage.show(),
    };
    let (global, verb) = (&arguments.global, Verb::of(&arguments.command));
    match arguments.command {
        Command::Promotion(command) => {
            let runtimes = ContainerHosts::new(Arc::new(Docker::default()), Arc::new(ProcessHost));
            run(global, verb, Arc::new(runtimes), async |context| commands::run(context, command).await)
        }
        Command::Guard => guard(global),
        _ => refuse(global, verb.name, commands::not_here(verb.name)),
    }
}
