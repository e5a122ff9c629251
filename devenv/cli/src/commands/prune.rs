use std::fmt::Write as _;

use devenv_machine::{Error, Object, Places, Pruned, Remnant, Why, prune, remnants, survey};
use devenv_terminal::exit::Exit;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

use super::ask::{Reply, ask};
use super::machine_failure::failure;

pub(super) async fn run(context: &Context, places: &Places<'_>, dry_run: bool, yes: bool) -> Result<Outcome, Failure> {
    let survey = survey(places).await.map_err(failure)?;
    let found = remnants(&survey, places.folders);
    let not_listed = survey.engine.as_ref().err().map(|none| format!("containers are not listed: {none}"));
    if let Some(not_listed) = &not_listed {
        context.emitter.notice(not_listed);
    }
    if found.is_empty() {
        let fields = json!({ "removed": [], "kept": [], "containers_not_listed": not_listed });
        return Ok(Outcome::done("nothing to remove", &fields));
    }
    if dry_run {
        let text = format!("would remove:\n{}", lines(&found));
        return Ok(Outcome::done(text, &json!({ "would_remove": found, "containers_not_listed": not_listed })));
    }
    if !yes {
        confirm(&found).await.map_err(failure)?;
    }
    let engine = survey.engine.as_deref().ok();
    let Pruned { removed, kept } = prune(found, places.processes, engine, &context.emitter).await;
    let mut text =
        if removed.is_empty() { "removed nothing".to_owned() } else { format!("removed:\n{}", lines(&removed)) };
    for (remnant, why) in &kept {
        let _ = write!(text, "\nkept {}: {why}", describe(remnant));
    }
    let exit = if kept.is_empty() { Exit::Done } else { Exit::Failed };
    let kept: Vec<_> = kept.into_iter().map(|(remnant, why)| json!({ "remnant": remnant, "why": why })).collect();
    let fields = json!({ "removed": removed, "kept": kept, "containers_not_listed": not_listed });
    Ok(Outcome { exit, ..Outcome::done(text, &fields) })
}

async fn confirm(found: &[Remnant]) -> Result<(), Error> {
    match ask(format!("{}\nremove all this?", lines(found))).await {
        Reply::Yes => Ok(()),
        Reply::No => Err(Error::Declined),
        Reply::Nobody => Err(Error::NobodyToAsk),
    }
}

fn lines(found: &[Remnant]) -> String {
    found.iter().map(|remnant| format!("  {}", describe(remnant))).collect::<Vec<_>>().join("\n")
}

fn describe(remnant: &Remnant) -> String {
    let object = match &remnant.object {
        Object::Processes { count, .. } => format!("{count} running processes"),
        Object::RuntimeDirectory { path, .. } => format!("runtime directory {path}"),
        Object::Container { name, runs: true } => format!("container {name} (running)"),
        Object::Container { name, runs: false } => format!("container {name}"),
        Object::Network { id } => format!("network {}", id.get(..12).unwrap_or(id)),
        Object::Volume { name } => format!("volume {name}, with its data"),
        Object::Image { name } => format!("image {name}"),
    };
    let why = match remnant.why {
        Why::FolderGone => "its folder is gone",
        Why::Stopped => "stopped",
    };
    format!("{object} of {} ({why})", remnant.environment)
}
