use std::collections::BTreeMap;

use devenv_resources::dynamo::store::Store;
use devenv_resources::endpoint::Endpoint;

use crate::environment::Running;
use crate::up::command_lock;
use crate::{Error, Project, desired};

/// Puts the seed items that are absent; never restores one that was changed. Returns how many were put, by table.
///
/// With an `emulator_url`, which must be on loopback, the tables that are absent there are made first: it may be one that
/// devenv did not start.
pub async fn seed(project: &Project, emulator_url: Option<&str>) -> Result<BTreeMap<String, usize>, Error> {
    let store = match emulator_url {
        Some(url) => {
            let store = Store::new(Endpoint::parse(url)?, desired::region(project));
            for table in &project.manifest.tables {
                store.ensure_table(table).await?;
            }
            store
        }
        None => Running::find(project).await?.store(project),
    };
    project.state.prepare()?;
    let _alone = command_lock(project)?;
    let mut put = BTreeMap::new();
    for seed in &project.manifest.seeds {
        if let Some(table) = project.manifest.tables.iter().find(|table| table.name == seed.table) {
            let count = store.apply_seed(table, seed).await?;
            *put.entry(seed.table.clone()).or_default() += count;
        }
    }
    Ok(put)
}

/// Rebuilds every table from its file and seeds it, while the services run. Returns how many items were put, by table.
pub async fn reset(project: &Project) -> Result<BTreeMap<String, usize>, Error> {
    let store = Running::find(project).await?.store(project);
    let _alone = command_lock(project)?;
    Ok(store.reset(&project.manifest.tables, &project.manifest.seeds).await?)
}
