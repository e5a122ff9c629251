use std::collections::BTreeMap;

use devenv_runtime::Project;
use devenv_terminal::arguments::EnvFormat;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

pub(super) async fn run(context: &Context, format: EnvFormat) -> Result<Outcome, Failure> {
    let variables = devenv_engine::environment(&Project::current(&context.options)?).await?;
    let text = match format {
        EnvFormat::Shell => shell(&variables),
        EnvFormat::Dotenv => lines(&variables, ""),
        EnvFormat::Json => json!(variables).to_string(),
    };
    Ok(Outcome::done(text, &json!({ "variables": variables })))
}

/// Unsets the caller's profile: SDKs prefer it to the dummy credentials.
fn shell(variables: &BTreeMap<String, String>) -> String {
    format!("unset AWS_PROFILE AWS_SESSION_TOKEN\n{}", lines(variables, "export "))
}

fn lines(variables: &BTreeMap<String, String>, before: &str) -> String {
    let lines: Vec<String> =
        variables.iter().map(|(name, value)| format!("{before}{name}='{}'", value.replace('\'', r"'\''"))).collect();
    lines.join("\n")
}
