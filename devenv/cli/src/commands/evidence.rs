use devenv_promotion as promotion;

use super::promote::options;
use crate::report::Failure;
use crate::run::{Context, Outcome};

pub(super) async fn record(context: &Context, environment: &str) -> Result<Outcome, Failure> {
    let recorded =
        promotion::record_evidence(&options(context), environment, &context.emitter, &context.cancel).await?;
    let files = recorded.files.join("\n  ");
    let text = format!("recorded for {environment}:\n  {files}\nnext: devenv promote {environment}");
    Ok(Outcome::done(text, &recorded))
}
