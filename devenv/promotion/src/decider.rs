//! The questions of a promotion, and their answers.

use devenv_model::event::Event;
use devenv_model::promotion::proposal::Proposal;
use devenv_runtime::Cancel;
use futures_util::future::BoxFuture;

use crate::context::PromotionContext;
use crate::error::Error;

/// Answers the questions of a promotion, which the run emits as events.
pub trait Decider: Send + Sync {
    /// Whether a person reads the questions.
    fn asks(&self) -> bool;
    /// Whether to continue. `None` without a person to ask.
    fn approve(&self) -> BoxFuture<'_, Option<bool>>;
    /// Whether to restore the previous release after an interruption. True without a person to ask.
    fn undo(&self) -> BoxFuture<'_, bool>;
}

pub(crate) async fn approve(
    context: &PromotionContext<'_>,
    decider: &dyn Decider,
    proposal: &Proposal,
    cancel: &Cancel,
) -> Result<(), Error> {
    context.emitter.emit(Event::Proposed { proposal: proposal.clone() });
    if decider.asks() {
        let text = format!("Make this live in {}? [y/N]", proposal.environment);
        context.emitter.emit(Event::Question { text });
    }
    let answer = tokio::select! {
        answer = decider.approve() => answer,
        () = cancel.cancelled() => return Err(devenv_engine::Error::Cancelled.into()),
    };
    match answer {
        Some(true) => Ok(()),
        Some(false) => Err(Error::Declined),
        None => Err(Error::NobodyToAsk),
    }
}
