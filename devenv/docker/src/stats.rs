//! The resources that a container uses.

use bollard::Docker;
use bollard::models::ContainerMemoryStats;
use bollard::query_parameters::StatsOptions;
use devenv_containers::engine::HostError;
use futures_util::TryStreamExt;

use crate::error::failed;

/// The names of the cache of files that is not in use: of version 2 and 1 of control groups.
const CACHE: [&str; 2] = ["inactive_file", "total_inactive_file"];

pub(crate) async fn memory(client: &Docker, container: &str) -> Result<Option<u64>, HostError> {
    // One look; by default the engine takes two, a second apart.
    let options = StatsOptions { stream: false, one_shot: true };
    let mut looks = std::pin::pin!(client.stats(container, Some(options)));
    let stats = looks.try_next().await.map_err(failed(format!("ask for the memory of the container {container}")))?;
    Ok(stats.and_then(|stats| in_use(&stats.memory_stats?)))
}

fn in_use(memory: &ContainerMemoryStats) -> Option<u64> {
    let cache = memory.stats.as_ref().and_then(|stats| CACHE.iter().find_map(|name| stats.get(*name)));
    Some(memory.usage?.saturating_sub(cache.copied().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_of_files_is_not_in_use() {
        let stats = |name: &str| Some([(name.to_owned(), 30)].into());
        for name in ["inactive_file", "total_inactive_file"] {
            let memory =
                ContainerMemoryStats { usage: Some(100), stats: stats(name), ..ContainerMemoryStats::default() };
            assert_eq!(in_use(&memory), Some(70), "{name}");
        }
        assert_eq!(in_use(&ContainerMemoryStats::default()), None, "it does not run");
    }
}
