//! One file per command: it reads the arguments, calls the promotion and words the result.

mod evidence;
mod history;
mod promote;

use devenv_terminal::arguments::{EvidenceAction, PromotionCommand};
use devenv_terminal::exit::Exit;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;

use crate::report::failure;

pub(crate) async fn run(context: &Context, command: PromotionCommand) -> Result<Outcome, Failure> {
    let outcome = match command {
        PromotionCommand::Promote { environment, plan, yes } => promote::promote(context, environment, plan, yes).await,
        PromotionCommand::Rollback { environment, to, yes } => {
            Box::pin(promote::roll_back(context, environment, to, yes)).await
        }
        PromotionCommand::History { environment, limit } => history::run(context, &environment, limit).await,
        PromotionCommand::Evidence { action: EvidenceAction::Record { environment } } => {
            evidence::record(context, &environment).await
        }
        PromotionCommand::RehearseService => promote::rehearse_service(context).await,
    };
    outcome.map_err(failure)
}

/// The error of a command that belongs to `devenv`.
pub(crate) fn not_here(command: &str) -> Failure {
    let message = format!("devenv-promote has no command {command}; run devenv instead");
    Failure::new(message, &[], ("usage", Exit::Usage, Some(format!("devenv {command}"))))
}
