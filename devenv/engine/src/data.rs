use std::collections::BTreeMap;

use crate::environment::running_ports;
use crate::up::command_lock;
use crate::{Error, Project, world};

/// Puts the seed items that are absent; never restores one that was changed. Returns how many were put, by table.
pub async fn seed(project: &Project) -> Result<BTreeMap<String, usize>, Error> {
    let ports = running_ports(project).await?;
    let _alone = command_lock(project)?;
    let store = world::store(project, &ports)?;
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
    let ports = running_ports(project).await?;
    let _alone = command_lock(project)?;
    let store = world::store(project, &ports)?;
    Ok(store.reset(&project.manifest.tables, &project.manifest.seeds).await?)
}
