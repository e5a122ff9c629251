use std::collections::BTreeMap;

use devenv_model::addresses::Addresses;
use devenv_model::resource::ResourceId;
use devenv_resources::endpoint::Endpoint;
use devenv_resources::resources::Resources;
use devenv_runtime::Project;

use crate::command_lock::command_lock;
use crate::databases;
use crate::desired;
use crate::environment::Running;
use crate::error::Error;

/// Inserts absent seed items, and leaves changed items alone. Returns the number of inserted items by resource.
///
/// With an `emulator_url`, which must be on loopback, it first creates the absent resources: devenv may not have started that
/// emulator.
pub async fn seed(project: &Project, emulator_url: Option<&str>) -> Result<BTreeMap<ResourceId, usize>, Error> {
    let resources = match emulator_url {
        Some(url) => {
            let addresses = Addresses::single(Endpoint::parse(url)?);
            let resources = Resources::of(&project.manifest, &addresses, desired::region(project));
            resources.ensure_all().await?;
            resources
        }
        None => Running::find(project).await?.resources(project),
    };
    project.state.prepare()?;
    let _alone = command_lock(project)?;
    let mut put = BTreeMap::new();
    for (resource, _) in project.manifest.seeded() {
        let count = resources.seed(&resource).await?;
        put.insert(resource, count);
    }
    Ok(put)
}

/// Rebuilds every resource from its file and seeds it, while the services run; makes every database anew, and runs the services
/// again that run once and depend on one. Returns the number of inserted items by resource.
///
/// Tables go before everything else and come after it, so that whatever follows from an item of a new table goes to a new queue and a new
/// database. Work that services have under way with old items may still reach them.
pub async fn reset(project: &Project) -> Result<BTreeMap<ResourceId, usize>, Error> {
    let resources = Running::find(project).await?.resources(project);
    let _alone = command_lock(project)?;
    resources.remove_all().await?;
    let databases = databases::make_anew(project).await;
    // Also beside a database that failed: the services need their tables.
    let mut rebuilt = resources.make_all().await?;
    let databases = databases?;
    databases::run_again(project, &databases).await?;
    rebuilt.extend(databases.into_iter().map(|resource| (resource, 0)));
    Ok(rebuilt)
}
