use std::collections::BTreeMap;

use devenv_engine::Project;
use devenv_model::resource::ResourceId;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

pub(super) async fn seed(context: &Context, emulator_url: Option<&str>) -> Result<Outcome, Failure> {
    let project = Project::current(&context.options)?;
    let put = devenv_engine::seed(&project, emulator_url).await?;
    let text = if project.manifest.seeds.is_empty() {
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
    let text = if project.manifest.tables.is_empty() {
        "nothing to reset: the project has no tables".to_owned()
    } else {
        format!("rebuilt {} tables; seeded: {}", put.len(), counts(&put))
    };
    Ok(Outcome::done(text, &json!({ "put": by_name(&put) })))
}

fn by_name(put: &BTreeMap<ResourceId, usize>) -> BTreeMap<&str, usize> {
    put.iter().map(|(resource, count)| (resource.name.as_str(), *count)).collect()
}

fn counts(put: &BTreeMap<ResourceId, usize>) -> String {
    let parts: Vec<String> = put
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(into, count)| format!("{count} into {}", into.name))
        .collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}
