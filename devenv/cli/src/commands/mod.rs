//! One file per command: it reads the arguments, calls the engine and words the result.

mod ask;
mod bare;
pub(crate) mod completions;
mod config;
mod control;
mod data;
mod doctor;
mod down;
mod env;
mod exec;
mod functions;
mod import;
mod init;
mod invoke;
mod logs;
mod ls;
mod machine_failure;
mod machine_table;
mod own;
mod parity;
mod prune;
mod ps;
mod resources;
mod runs;
mod status;
mod test;
mod test_report;
mod unit;
mod up;

use std::time::Duration;

use devenv_containers::engine::ContainerEngines;
use devenv_engine::Control;
use devenv_machine::{LocalFolders, LocalProcesses, Places};
use devenv_supervisor::runtime_directory::RuntimeVariables;
use devenv_terminal::arguments::{EnvironmentCommand, MachineCommand};
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;

pub(crate) async fn run(context: &Context, command: EnvironmentCommand) -> Result<Outcome, Failure> {
    match command {
        EnvironmentCommand::Up(arguments) => up::run(context, &arguments).await,
        EnvironmentCommand::Down { volumes } => down::run(context, volumes).await,
        EnvironmentCommand::Stop { services } => control::run(context, Control::Stop, &services, Duration::MAX).await,
        EnvironmentCommand::Start(arguments) => {
            control::run(context, Control::Start, &arguments.services, arguments.timeout).await
        }
        EnvironmentCommand::Restart(arguments) => {
            control::run(context, Control::Restart, &arguments.services, arguments.timeout).await
        }
        EnvironmentCommand::Status => status::run(context).await,
        EnvironmentCommand::Ps => ps::run(context).await,
        EnvironmentCommand::Logs(arguments) => logs::run(context, arguments).await,
        EnvironmentCommand::Runs(arguments) => runs::run(context, &arguments),
        EnvironmentCommand::Seed { emulator_url } => data::seed(context, emulator_url.as_deref()).await,
        EnvironmentCommand::Reset => data::reset(context).await,
        EnvironmentCommand::Exec(arguments) => exec::run(context, arguments).await,
        EnvironmentCommand::Invoke(arguments) => invoke::run(context, &arguments).await,
        EnvironmentCommand::Env { format } => env::run(context, format).await,
        EnvironmentCommand::Init(arguments) => init::run(context, arguments).await,
        EnvironmentCommand::Resources { action, list } => resources::run(context, action, list).await,
        EnvironmentCommand::Config(arguments) => config::run(context, arguments.format),
        EnvironmentCommand::Test(arguments) => test::run(context, arguments).await,
        EnvironmentCommand::Doctor { fix } => doctor::run(context, fix).await,
        EnvironmentCommand::Own { action } => own::run(action),
        EnvironmentCommand::Unit { action, name } => unit::run(context, action, &name).await,
    }
}

pub(crate) async fn machine(
    context: &Context,
    engines: &dyn ContainerEngines,
    command: &MachineCommand,
) -> Result<Outcome, Failure> {
    let processes = LocalProcesses::new(&RuntimeVariables::read());
    let places = Places { processes: &processes, engines, folders: &LocalFolders };
    match command {
        MachineCommand::Ls => ls::run(context, &places).await,
        MachineCommand::Prune { dry_run, yes } => prune::run(context, &places, *dry_run, *yes).await,
    }
}
