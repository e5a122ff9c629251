use devenv_engine::{Error, promotion};

use crate::run::{Context, Outcome};

pub(super) async fn record(context: &Context, environment: &str) -> Result<Outcome, Error> {
    let recorded = promotion::record_evidence(&context.options, environment, &context.emitter, &context.cancel).await?;
    let mut text = String::new();
    for file in &recorded.files {
        text.push_str(&format!("recorded for {environment}: {file}\n"));
    }
    text.push_str(&format!("next: devenv promote {environment}"));
    Ok(Outcome::done(text, &recorded))
}
