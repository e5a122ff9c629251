//! One file a command: from its arguments to the engine's call and the words for what came of it.

pub(crate) mod completions;
mod data;
mod doctor;
mod down;
mod env;
mod logs;
mod status;
mod test;
mod unit;
mod up;

use devenv_engine::{Error, Project};
use devenv_model::event::Event;

use crate::arguments::{Choice, Command, Emulator, Runtime};
use crate::run::{Context, Outcome};

pub(crate) async fn run(context: &Context, command: Command) -> Result<Outcome, Error> {
    match command {
        Command::Up(arguments) => up::run(context, &arguments).await,
        Command::Down { volumes } => down::run(context, volumes).await,
        Command::Status => status::run(context).await,
        Command::Logs(arguments) => logs::run(context, arguments).await,
        Command::Seed => data::seed(context).await,
        Command::Reset => data::reset(context).await,
        Command::Env { format } => env::run(context, format).await,
        Command::Test(arguments) => test::run(context, arguments).await,
        Command::Doctor { fix } => doctor::run(context, fix).await,
        Command::Unit { action, name } => unit::run(context, action, &name).await,
        Command::Completions { .. } | Command::Emulator { .. } | Command::Supervise { .. } => {
            unreachable!("these never reach the runtime of a command")
        }
    }
}

/// Says which runtime and emulator serve, or that the wished-for ones are not there.
fn choose(context: &Context, project: &Project, choice: &Choice) -> Result<(), Error> {
    let missing = |what: &str| Err(Error::NotAvailable { what: what.to_owned() });
    let why = match choice.runtime {
        Runtime::Docker => return missing("the Docker runtime"),
        Runtime::Process => "asked for",
        Runtime::Auto => "the one runtime of this version",
    };
    match choice.emulator {
        Some(Emulator::DynamodbLocal) => return missing("the emulator dynamodb-local"),
        Some(Emulator::Localstack) => return missing("the emulator localstack"),
        Some(Emulator::Embedded) | None => {}
    }
    context.emitter.emit(Event::RuntimeChosen {
        runtime: "process".to_owned(),
        why: why.to_owned(),
        emulator: "embedded".to_owned(),
        project: project.instance.name.clone(),
    });
    Ok(())
}
