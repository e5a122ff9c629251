use comfy_table::presets::NOTHING;
use devenv_promotion::{self as promotion, Error};
use devenv_releases::record::{Kind, Outcome as Ending, Record};
use devenv_terminal::outcome::Outcome;
use devenv_terminal::run::Context;
use serde_json::{Value, json};

use super::promote::options;

pub(super) async fn run(context: &Context, environment: &str, limit: usize) -> Result<Outcome, Error> {
    let records = promotion::history(&options(context), environment, limit, &context.emitter).await?;
    let mut table = comfy_table::Table::new();
    table.load_style(NOTHING);
    table.set_header(["WHEN", "WHAT", "RELEASE", "COMMIT", "BY", "ENDED"]);
    let mut fields = Vec::new();
    for record in &records {
        match record {
            Ok(record) => {
                table.add_row(row(record));
                fields.push(serde_json::to_value(record).unwrap_or_default());
            }
            Err(error) => {
                table.add_row(["?", "", "", "", "", &error.to_string()]);
                fields.push(json!({ "error": error.to_string() }));
            }
        }
    }
    let text = if records.is_empty() { format!("{environment} has no releases") } else { table.to_string() };
    Ok(Outcome::done(text, &json!({ "environment": environment, "records": Value::Array(fields) })))
}

fn row(record: &Record) -> [String; 6] {
    let kind = match record.kind {
        Kind::Promotion => "promotion",
        Kind::Rollback => "rollback",
    };
    let commit = record.release.commit.get(..12).unwrap_or(&record.release.commit);
    [
        record.began.get(..19).unwrap_or(&record.began).replace('T', " "),
        kind.to_owned(),
        record.release.id.clone(),
        commit.to_owned(),
        record.owner.clone(),
        ending(record),
    ]
}

fn ending(record: &Record) -> String {
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    match &record.outcome {
        None => format!("not ended (at {})", format!("{:?}", record.step).to_lowercase()),
        Some(Ending::Live) => "live".to_owned(),
        Some(Ending::RolledBack { cause }) => format!("rolled back: {}", first(cause)),
        Some(Ending::ScaledToZero { cause }) => format!("scaled to zero: {}", first(cause)),
        Some(Ending::RollbackFailed { rollback, .. }) => format!("the rollback failed: {}", first(rollback)),
        Some(Ending::NothingChanged { cause }) => format!("nothing changed: {}", first(cause)),
        Some(Ending::Superseded { by }) => format!("killed; superseded by {by}"),
    }
}
