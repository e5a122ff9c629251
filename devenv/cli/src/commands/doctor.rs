use std::process::Stdio;

use devenv_doctor::{Finding, Fix, State, doctor};
use devenv_terminal::exit::Exit;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

use crate::promote;

pub(super) async fn run(context: &Context, fix: bool) -> Result<Outcome, Failure> {
    let mut findings = look(context).await;
    let mut ran = Vec::new();
    if fix {
        for safe in findings.iter().filter_map(|finding| finding.fix.as_ref()).filter(|fix| fix.safe) {
            context.emitter.notice(format!("running {}", safe.command));
            ran.push(safe.command.clone());
            apply(safe).await;
        }
        if !ran.is_empty() {
            findings = look(context).await;
        }
    }
    let text: Vec<String> = findings.iter().map(|finding| line(context, finding)).collect();
    let problems = findings.iter().filter(|finding| finding.state == State::Problem).count();
    let mut outcome = Outcome::done(text.join("\n"), &json!({ "findings": findings, "ran": ran }));
    if problems > 0 {
        outcome.exit = Exit::PrerequisiteMissing;
    }
    Ok(outcome)
}

/// All findings; the two about promotions stand together.
async fn look(context: &Context) -> Vec<Finding> {
    let mut findings = doctor(&context.options).await;
    if let Some(place) = findings.iter().position(|finding| finding.check == "terraform") {
        findings.insert(place, promote::finding());
    }
    findings
}

/// Runs a fix. The next look shows its effect; its exit code does not.
async fn apply(fix: &Fix) {
    let mut command = tokio::process::Command::new("sh");
    let _ = command.args(["-c", &fix.command]).stdin(Stdio::null()).stdout(Stdio::null()).status().await;
}

fn line(context: &Context, finding: &Finding) -> String {
    let style = context.style;
    let mark = match finding.state {
        State::Ok => style.green("ok     "),
        State::Warning => style.yellow("warning"),
        State::Problem => style.red("problem"),
    };
    let mut line = format!("{mark}  {}: {}", finding.check, finding.message);
    if let Some(fix) = &finding.fix {
        line.push_str("\n         fix: ");
        line.push_str(&fix.command);
    }
    line
}
