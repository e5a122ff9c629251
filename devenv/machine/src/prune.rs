//! The removal of remnants.

use devenv_containers::engine::ContainerEngine;
use devenv_runtime::Emitter;

use crate::error::Error;
use crate::process_environments::ProcessEnvironments;
use crate::remnants::{Object, Remnant};

#[derive(Debug, Default)]
pub struct Pruned {
    pub removed: Vec<Remnant>,
    /// With the reason: one object that stays does not keep the others.
    pub kept: Vec<(Remnant, String)>,
}

/// Removes each remnant, in their order.
pub async fn prune(
    remnants: Vec<Remnant>,
    processes: &dyn ProcessEnvironments,
    engine: Option<&dyn ContainerEngine>,
    emitter: &Emitter,
) -> Pruned {
    let mut pruned = Pruned::default();
    for remnant in remnants {
        match remove(&remnant.object, processes, engine, emitter).await {
            Ok(None) => pruned.removed.push(remnant),
            Ok(Some(why)) => pruned.kept.push((remnant, why)),
            Err(error) => pruned.kept.push((remnant, error.to_string())),
        }
    }
    pruned
}

/// Returns why the object stays; `None` if it is gone.
async fn remove(
    object: &Object,
    processes: &dyn ProcessEnvironments,
    engine: Option<&dyn ContainerEngine>,
    emitter: &Emitter,
) -> Result<Option<String>, Error> {
    let Some(engine) = engine else {
        return of_processes(object, processes, emitter).await;
    };
    match object {
        Object::Processes { .. } | Object::RuntimeDirectory { .. } => of_processes(object, processes, emitter).await,
        Object::Container { name, runs } => {
            if *runs {
                emitter.notice(format!("stopping the container {name}"));
                engine.stop(name).await?;
            }
            engine.remove(name).await?;
            Ok(None)
        }
        Object::Network { id } => Ok(engine.remove_network(id).await.map(|()| None)?),
        Object::Volume { name } => Ok(engine.remove_volume(name).await.map(|()| None)?),
        Object::Image { name } => Ok(engine.remove_image(name).await.map(|()| None)?),
    }
}

async fn of_processes(
    object: &Object,
    processes: &dyn ProcessEnvironments,
    emitter: &Emitter,
) -> Result<Option<String>, Error> {
    match object {
        Object::Processes { count, runtime } => {
            emitter.notice(format!("ending {count} processes"));
            processes.end(runtime).await?;
            Ok(None)
        }
        Object::RuntimeDirectory { runtime, .. } => {
            let in_use = || "a command uses it by now".to_owned();
            Ok((!processes.remove(runtime)?).then(in_use))
        }
        _ => Ok(Some("no container engine answers".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use devenv_containers::engine::ContainerEngine;
    use devenv_fakes::{FakeEngine, Faults};

    use super::*;
    use crate::fakes::{FakeFolders, FakeProcesses, process_environment, running};
    use crate::process_environments::Life;
    use crate::remnants::remnants;
    use crate::survey::{Places, survey};

    #[tokio::test]
    async fn what_is_left_of_a_folder_that_is_gone_is_ended_and_removed() {
        let processes = FakeProcesses::of(vec![
            process_environment("/gone", running(7)),
            process_environment("/shop", Life::Stopped),
        ]);
        let engine = FakeEngine::new(Faults::default());
        let labels = |root: &str| {
            let state = format!("{root}/.devenv");
            [("devenv.root", root), ("devenv.state", &state)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        };
        for root in ["/gone", "/shop"] {
            engine.ensure_network(&format!("net-{root}"), &labels(root)).await.expect("no fault");
        }
        let folders = FakeFolders::with(&["/shop"]);
        let places = Places { processes: &processes, engines: &engine, folders: &folders };
        let look = async || survey(&places).await.expect("no fault");
        let found = look().await;
        let (emitter, _events) = Emitter::channel();
        let all = remnants(&found, &folders);
        assert_eq!(all.len(), 5, "{all:?}");
        let pruned = prune(all, &processes, Some(&engine), &emitter).await;
        assert!(pruned.kept.is_empty() && pruned.removed.len() == 5, "{pruned:?}");
        assert!(remnants(&look().await, &folders).is_empty(), "a second run finds nothing");
        assert!(engine.networks("devenv.state").await.expect("no fault").is_empty());
    }

    #[tokio::test]
    async fn an_object_that_stays_is_reported_and_keeps_no_other() {
        let processes = FakeProcesses::of(vec![
            process_environment("/one", Life::Stopped),
            process_environment("/two", Life::Stopped),
        ]);
        processes.use_again("/one");
        let folders = FakeFolders::with(&[]);
        let engine = FakeEngine::new(Faults::default());
        let places = Places { processes: &processes, engines: &engine, folders: &folders };
        let all = remnants(&survey(&places).await.expect("no fault"), &folders);
        let (emitter, _events) = Emitter::channel();
        let pruned = prune(all, &processes, None, &emitter).await;
        assert_eq!((pruned.removed.len(), pruned.kept.len()), (1, 1));
        assert!(pruned.kept[0].1.contains("uses it by now"));
    }
}
