//! `devenv self`: what this program is.

use devenv_runtime::own_program;
use devenv_terminal::arguments::OwnAction;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use serde_json::json;

use crate::installation::{Installation, TARGET};

pub(super) fn run(action: OwnAction) -> Result<Outcome, Failure> {
    match action {
        OwnAction::Version => version(),
    }
}

fn version() -> Result<Outcome, Failure> {
    let program = own_program()?;
    let installation = Installation::of(&program);
    let version = env!("CARGO_PKG_VERSION");
    let commit = installation.commit();
    let known = commit.as_deref().unwrap_or("unknown");
    let text = format!(
        "devenv {version}\ncommit: {known}\ntarget: {TARGET}\nprogram: {program}\ninstalled from: {installation}"
    );
    let fields = json!({
        "devenv_version": version, "commit": commit, "target": TARGET, "program": program,
        "installed_from": installation.to_string(),
    });
    Ok(Outcome::done(text, &fields))
}
