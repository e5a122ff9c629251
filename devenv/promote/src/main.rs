//! `devenv-promote`: the program that `devenv promote`, `rollback`, `history` and `evidence` run. It links AWS's SDKs and TLS;
//! `devenv` does not, so that no local command waits for them to compile.

mod commands;
mod report;

use std::process::ExitCode;
use std::sync::Arc;

use devenv_containers::host::ContainerHosts;
use devenv_docker::Docker;
use devenv_terminal::arguments::{self, Command};
use devenv_terminal::guard::guard;
use devenv_terminal::run::run;

fn main() -> ExitCode {
    match arguments::read() {
        Ok(arguments) if matches!(arguments.command, Command::Guard) => guard(&arguments.global),
        Ok(arguments) => {
            let runtimes = ContainerHosts::new(Arc::new(Docker::default()));
            run(arguments, Arc::new(runtimes), commands::run)
        }
        Err(usage) => usage.show(),
    }
}
