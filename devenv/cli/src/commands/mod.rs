//! One file per command: it reads the arguments, calls the engine and words the result.

pub(crate) mod completions;
mod data;
mod doctor;
mod down;
mod env;
mod logs;
mod parity;
mod status;
mod test;
mod test_report;
mod unit;
mod up;

use devenv_terminal::arguments::Command;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;

pub(crate) async fn run(context: &Context, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Up(arguments) => up::run(context, &arguments).await,
        Command::Down { volumes } => down::run(context, volumes).await,
        Command::Status => status::run(context).await,
        Command::Logs(arguments) => logs::run(context, arguments).await,
        Command::Seed { emulator_url } => data::seed(context, emulator_url.as_deref()).await,
        Command::Reset => data::reset(context).await,
        Command::Env { format } => env::run(context, format).await,
        Command::Test(arguments) => test::run(context, arguments).await,
        Command::Doctor { fix } => doctor::run(context, fix).await,
        Command::Unit { action, name } => unit::run(context, action, &name).await,
        _ => unreachable!("main handles the other commands"),
    }
}
