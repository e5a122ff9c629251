//! `observe`: one look at everything that the plan depends on. Changes nothing.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use devenv_model::artifact::Artifact;
use devenv_model::intent::binding_of;
use devenv_model::messaging;
use devenv_model::observed::{Observed, UnitState};
use devenv_resources::chosen_emulator::ChosenEmulator;
use devenv_resources::emulator_ports::EmulatorPort;
use devenv_resources::resources::Resources;
use devenv_runtime::{Abilities, Project, Runtime, own_program};

use crate::desired;
use crate::error::Error;

/// One look at the environment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) observed: Observed,
    /// Ports of this machine with their holders, if the runtime knows a better name than the operating system.
    pub(crate) held_ports: BTreeMap<u16, String>,
    pub(crate) abilities: Abilities,
    pub(crate) caller: Caller,
}

/// The facts about the calling process that units get.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    /// The path of this `devenv` program.
    pub(crate) program: Utf8PathBuf,
    /// The file in which the emulator records the calls of each service.
    pub(crate) calls: Option<String>,
    pub(crate) localstack_token: Option<String>,
}

impl Caller {
    /// The token for images that need an account.
    pub(crate) const LOCALSTACK_TOKEN: &str = "LOCALSTACK_AUTH_TOKEN";
    const CALLS: &str = "DEVENV_EMULATOR_CALLS";

    fn look() -> Result<Self, Error> {
        let calls = std::env::var_os(Self::CALLS).map(|file| {
            // Relative to the caller's folder, not to the emulator's.
            let file = std::path::absolute(&file).unwrap_or(file.into());
            file.to_string_lossy().into_owned()
        });
        let localstack_token = std::env::var(Self::LOCALSTACK_TOKEN).ok();
        Ok(Self { program: own_program()?, calls, localstack_token })
    }
}

/// Takes the snapshot. `artifacts` are those of the wanted units.
pub(crate) async fn observe(
    project: &Project,
    emulator: &ChosenEmulator,
    abilities: Abilities,
    runtime: &dyn Runtime,
    artifacts: &[(String, Artifact)],
) -> Result<Snapshot, Error> {
    let missing = runtime.missing(artifacts).await?;
    let seen = runtime.observe().await?;
    let mut observed = Observed {
        units: seen.units,
        leftovers: seen.leftovers,
        resources: None,
        stale: missing.stale,
        stale_units: missing.stale_units,
        absent_images: missing.absent_images,
    };
    if answers(project, emulator, &observed) {
        let ports = observed.units.iter().map(|(name, unit)| (name.clone(), unit.bindings.clone())).collect();
        let resources = Resources::of(&project.manifest, &emulator.endpoints(&ports)?, desired::region(project));
        observed.resources = Some(resources.observe().await?);
    }
    Ok(Snapshot { observed, held_ports: seen.held_ports, abilities, caller: Caller::look()? })
}

/// Whether every kind of resource can be asked for. An emulator that was started before the project declared its first queue lacks the port.
fn answers(project: &Project, emulator: &ChosenEmulator, observed: &Observed) -> bool {
    let has = |port: EmulatorPort| {
        let unit = observed.units.get(port.unit);
        let unit = unit.filter(|unit| matches!(unit.state, UnitState::Ready { .. }));
        unit.is_some_and(|unit| {
            port.container != messaging::PORT || binding_of(&unit.bindings, port.container).is_some()
        })
    };
    match emulator {
        ChosenEmulator::Outside(_) => true,
        ChosenEmulator::Absent => false,
        ChosenEmulator::Own(_) => emulator.ports(&project.manifest).into_iter().all(has),
    }
}

#[cfg(test)]
mod tests {
    use devenv_fakes::FakeProject;
    use devenv_model::manifest::EmulatorKind;
    use devenv_model::unit::EMULATOR;

    use super::*;

    const ABILITIES: Abilities = Abilities { images: true, network: true, any_address: true };

    #[tokio::test]
    async fn the_tables_are_looked_at_once_the_emulator_answers() {
        let project = FakeProject::new();
        let loaded = project.load();
        let emulator = ChosenEmulator::Own(EmulatorKind::DynamodbLocal);
        let look = async || observe(&loaded, &emulator, ABILITIES, project.runtime.as_ref(), &[]).await;
        assert_eq!(look().await.expect("a fake answers").observed.resources, None);
        project.runtime.set(EMULATOR, UnitState::Starting { pid: 7, since: 0 });
        assert_eq!(look().await.expect("a fake answers").observed.resources, None);
        project.runtime.set(EMULATOR, UnitState::Ready { pid: 7, since: 0 });
        assert!(look().await.expect("a fake answers").observed.resources.is_some());
    }

    #[tokio::test]
    async fn only_what_is_wanted_is_missing() {
        let project = FakeProject::new();
        let images = ["api:1", "other:1"].map(str::to_owned);
        project.runtime.absent_images.lock().expect("not poisoned").extend(images);
        let wanted = [("api".to_owned(), Artifact::Image { reference: "api:1".to_owned() })];
        let emulator = ChosenEmulator::Own(EmulatorKind::DynamodbLocal);
        let snapshot = observe(&project.load(), &emulator, ABILITIES, project.runtime.as_ref(), &wanted).await;
        let absent = snapshot.expect("a fake answers").observed.absent_images;
        assert_eq!(absent.into_iter().collect::<Vec<_>>(), ["api:1"]);
    }
}
