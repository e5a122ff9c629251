use std::collections::BTreeMap;

use devenv_model::resource::{ResourceId, ResourceKind};
use devenv_runtime::Project;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

pub(super) async fn seed(context: &Context, emulator_url: Option<&str>) -> Result<Outcome, Failure> {
    let project = Project::current(&context.options)?;
    let put = devenv_engine::seed(&project, emulator_url).await?;
    let text = if project.manifest.seeded().is_empty() {
        "nothing to seed: the project has no seeds".to_owned()
    } else if put.values().all(|count| *count == 0) {
        "every seed item is there already".to_owned()
    } else {
        format!("seeded: {}", counts(&put))
    };
    Ok(Outcome::done(text, &json!({ "put": by_name(&put) })))
}

pub(super) async fn reset(context: &Context) -> Result<Outcome, Failure> {
    let project = Project::current(&context.options)?;
    let put = devenv_engine::reset(&project).await?;
    let text = if put.is_empty() {
        "nothing to reset: the project has no resources".to_owned()
    } else {
        format!("rebuilt {}; seeded: {}", kinds(&put), counts(&put))
    };
    Ok(Outcome::done(text, &json!({ "put": by_name(&put) })))
}

/// A table under its name; another kind under `queue NAME` and so on, since a queue may have the name of a table.
fn by_name(put: &BTreeMap<ResourceId, usize>) -> BTreeMap<String, usize> {
    let name = |resource: &ResourceId| match resource.kind {
        ResourceKind::Table => resource.name.clone(),
        _ => resource.to_string(),
    };
    put.iter().map(|(resource, count)| (name(resource), *count)).collect()
}

/// The number of resources of each kind.
fn kinds(put: &BTreeMap<ResourceId, usize>) -> String {
    let mut counts: BTreeMap<ResourceKind, usize> = BTreeMap::new();
    for resource in put.keys() {
        *counts.entry(resource.kind).or_default() += 1;
    }
    let words = counts.iter().map(|(kind, count)| format!("{count} {kind}s"));
    words.collect::<Vec<_>>().join(", ")
}

fn counts(put: &BTreeMap<ResourceId, usize>) -> String {
    let parts: Vec<String> = put
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(into, count)| format!("{count} into {}", into.name))
        .collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}
