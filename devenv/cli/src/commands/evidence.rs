use devenv_engine::{Error, promotion};

use crate::run::{Context, Outcome};

pub(super) async fn record(context: &Context, environment: &str) -> Result<Outcome, Error> {
    let recorded = promotion::record_evidence(&context.options, environment, &context.emitter, &context.cancel).await?;
    let files = recorded.files.join("\n  ");
    let text = format!("recorded for {environment}:\n  {files}\nnext: devenv promote {environment}");
    Ok(Outcome::done(text, &recorded))
}
