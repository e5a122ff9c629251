//! The `devenv` command: arguments in, events and one result out. `devenv-engine` does the work, `devenv-terminal` renders
//! it.

mod background;
mod commands;
mod companion;
mod installation;
mod long_lived;
mod promote;

use std::process::ExitCode;
use std::sync::Arc;

use devenv_artifacts::static_link;
use devenv_containers::engine::ContainerEngines;
use devenv_containers::host::ContainerHosts;
use devenv_docker::Docker;
use devenv_processes::host::ProcessHost;
use devenv_terminal::arguments::{self, Command};
use devenv_terminal::exit::Exit;
use devenv_terminal::guard::guard;
use devenv_terminal::run::{Verb, complain, run};

fn main() -> ExitCode {
    if static_link::is_requested() {
        let error = static_link::compile();
        return complain(&format!("cannot run the compiler: {error}"), Exit::Failed);
    }
    let arguments = match arguments::read() {
        Ok(arguments) => arguments,
        Err(usage) => return usage.show(),
    };
    let (global, verb) = (&arguments.global, Verb::of(&arguments.command));
    match arguments.command {
        Command::Environment(command) => {
            let runtimes = ContainerHosts::new(Arc::new(Docker::default()), Arc::new(ProcessHost));
            run(global, verb, Arc::new(runtimes), async |context| commands::run(context, command).await)
        }
        Command::Machine(command) => {
            let engines: Arc<dyn ContainerEngines> = Arc::new(Docker::default());
            let runtimes = Arc::new(ContainerHosts::new(Arc::clone(&engines), Arc::new(ProcessHost)));
            run(global, verb, runtimes, async |context| commands::machine(context, engines.as_ref(), &command).await)
        }
        Command::Promotion(_) => promote::run(global, verb.name),
        Command::Completions { shell } => commands::completions::run(shell),
        Command::Emulator { arguments } => long_lived::emulator(&arguments),
        Command::Database { arguments } => long_lived::database(&arguments),
        Command::Supervise { instance } => long_lived::supervise(global, &instance),
        Command::Guard => guard(global),
    }
}
