//! One file a command: from its arguments to the engine's call and the words for what came of it.

pub(crate) mod completions;
mod data;
mod doctor;
mod down;
mod env;
mod evidence;
mod history;
mod logs;
mod parity;
mod promote;
mod status;
mod test;
mod unit;
mod up;

use crate::arguments::{Command, EvidenceAction};
use crate::report::Failure;
use crate::run::{Context, Outcome};

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
        Command::Promote { environment, plan, yes } => promote::promote(context, environment, plan, yes).await,
        Command::Rollback { environment, to, yes } => Box::pin(promote::roll_back(context, environment, to, yes)).await,
        Command::History { environment, limit } => history::run(context, &environment, limit).await,
        Command::Evidence { action: EvidenceAction::Record { environment } } => {
            evidence::record(context, &environment).await
        }
        Command::RehearseService => promote::rehearse_service(context).await,
        Command::Doctor { fix } => doctor::run(context, fix).await,
        Command::Unit { action, name } => unit::run(context, action, &name).await,
        Command::Completions { .. } | Command::Emulator { .. } | Command::Supervise { .. } | Command::Guard => {
            unreachable!("these never reach the runtime of a command")
        }
    }
}
