//! The questions of a promotion, and their answers.

use devenv_engine::Cancel;
use devenv_model::event::Event;
use devenv_model::promotion::proposal::Proposal;
use futures_util::future::BoxFuture;

use crate::context::PromotionContext;
use crate::error::Error;

/// Whoever answers the questions of a promotion, which are asked as news.
pub trait Decider: Send + Sync {
    /// Whether somebody reads the questions.
    fn asks(&self) -> bool;
    /// Whether to go on. `None` when nobody is there to be asked.
    fn approve(&self) -> BoxFuture<'_, Option<bool>>;
    /// After an interruption: whether what was live before is to be live again. True when nobody is there to be asked.
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
