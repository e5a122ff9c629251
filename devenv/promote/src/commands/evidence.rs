use devenv_promotion::{self as promotion, Error};
use devenv_terminal::outcome::Outcome;
use devenv_terminal::run::Context;

use super::promote::options;

pub(super) async fn record(context: &Context, environment: &str) -> Result<Outcome, Error> {
    let recorded =
        promotion::record_evidence(&options(context), environment, &context.emitter, &context.cancel).await?;
    let files = recorded.files.join("\n  ");
    let text = format!("recorded for {environment}:\n  {files}\nnext: devenv promote {environment}");
    Ok(Outcome::done(text, &recorded))
}
