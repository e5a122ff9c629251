//! The facts of the files that a person may not expect, before anything starts.

use devenv_model::manifest::{Concerns, Service};
use devenv_runtime::{Abilities, Emitter, Project};

use crate::desired;

/// Emits the notices of the selected services, as far as they concern the chosen runtime.
pub(crate) fn tell(project: &Project, services: &[&Service], abilities: Abilities, emitter: &Emitter) {
    if !abilities.images {
        for notice in desired::database_notices(project, services) {
            emitter.notice(notice);
        }
    }
    for notice in services.iter().flat_map(|service| &service.notices) {
        let concerns = match notice.concerns {
            Concerns::All => true,
            Concerns::Containers => abilities.images,
            Concerns::Processes => !abilities.images,
        };
        if concerns {
            emitter.notice(notice.text.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use devenv_fakes::FakeProject;
    use devenv_model::event::Event;

    use super::*;

    async fn told(abilities: Abilities) -> Vec<String> {
        let project = FakeProject::new();
        let compose = std::fs::read_to_string(project.path().join("compose.yaml")).expect("readable");
        let more = compose.replace("image: api:1", "image: api:1\n    privileged: true\n    deploy: { mode: global }");
        project.write("compose.yaml", &more);
        let project = project.load();
        let (emitter, mut events) = Emitter::channel();
        tell(&project, &[&project.manifest.services["api"]], abilities, &emitter);
        drop(emitter);
        let mut told = Vec::new();
        while let Some(Event::Notice { message }) = events.recv().await {
            told.push(message);
        }
        told
    }

    #[tokio::test]
    async fn a_runtime_has_its_own_notices_and_those_of_all() {
        let containers = told(Abilities { images: true, network: true, any_address: true }).await;
        let processes = told(Abilities { images: false, network: false, any_address: false }).await;
        let has = |told: &[String], text: &str| told.iter().any(|line| line.contains(text));
        assert!(has(&containers, "compose.yaml:4: api is privileged"), "{containers:?}");
        assert!(
            has(&processes, "compose.yaml:2: api runs as a process and goes without `privileged`"),
            "{processes:?}"
        );
        for told in [containers, processes] {
            assert!(has(&told, "compose.yaml:5: `mode` has no effect"), "{told:?}");
            assert_eq!(told.len(), 2, "{told:?}");
        }
    }
}
