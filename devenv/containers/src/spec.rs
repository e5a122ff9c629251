//! Translates a unit intent into a container specification.

use devenv_model::intent::{Binding, Lifetime, Mount, RestartPolicy, UnitIntent};
use devenv_model::unit::EMULATOR;

use crate::container::{ContainerSpec, PublishedPort, VolumeMount};
use crate::scope::Scope;

/// The variable that names the image to its program, unless the Compose file sets it.
const IMAGE: &str = "IMAGE";

/// Returns the specification. `image` is an id, or a reference with an exact version.
pub(crate) fn spec(intent: &UnitIntent, image: &str, scope: &Scope) -> ContainerSpec {
    let mut environment = intent.environment.clone();
    if intent.name != EMULATOR {
        environment.entry(IMAGE.to_owned()).or_insert_with(|| image.to_owned());
    }
    let volume = |mount: &Mount| match mount {
        Mount::Volume { name, target } => VolumeMount { volume: scope.volume(name), target: target.clone() },
    };
    ContainerSpec {
        name: intent.name.clone(),
        aliases: intent.aliases.clone(),
        image: image.to_owned(),
        entrypoint: intent.entrypoint.clone(),
        command: intent.command.clone(),
        environment,
        ports: intent.bindings.iter().map(published).collect(),
        probe: intent.probe.clone(),
        stop_grace_period: intent.stop_grace_period,
        user: intent.user.clone(),
        limits: intent.limits.clone(),
        healthcheck: intent.healthcheck.clone(),
        volume: intent.mounts.first().map(volume),
        binds: Vec::new(),
        labels: intent.labels.clone(),
        restart: match intent.lifetime {
            Lifetime::OneShot => RestartPolicy::No,
            Lifetime::LongLived { restart } => restart,
        },
    }
}

fn published(binding: &Binding) -> PublishedPort {
    PublishedPort { container: binding.container, host: binding.host.port(), host_ip: binding.host.ip() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use camino::Utf8Path;
    use devenv_model::artifact::Artifact;
    use devenv_model::intent::Protocol;
    use devenv_model::manifest::Limits;
    use devenv_model::unit::Probe;

    use super::*;

    fn intent(name: &str) -> UnitIntent {
        let binding =
            Binding { container: 8000, protocol: Protocol::Tcp, host: "127.0.0.2:20100".parse().expect("an address") };
        UnitIntent {
            name: name.to_owned(),
            aliases: Vec::new(),
            artifact: Artifact::Image { reference: "api:1".to_owned() },
            entrypoint: None,
            command: None,
            environment: BTreeMap::new(),
            bindings: vec![binding],
            mounts: vec![Mount::Volume { name: "embedded".to_owned(), target: "/data".to_owned() }],
            probe: Probe::Started,
            healthcheck: None,
            limits: Limits::default(),
            user: None,
            labels: BTreeMap::new(),
            stop_grace_period: Duration::from_secs(1),
            lifetime: Lifetime::LongLived { restart: RestartPolicy::Always },
        }
    }

    #[test]
    fn a_port_keeps_its_address_and_a_volume_is_of_its_environment() {
        let scope = Scope::new("orders-1a2b3c", Utf8Path::new("/orders"), Utf8Path::new("/orders/.devenv"));
        let spec = spec(&intent("api"), "sha256:1", &scope);
        let port = PublishedPort { container: 8000, host: 20100, host_ip: "127.0.0.2".parse().expect("an address") };
        assert_eq!(spec.ports, [port]);
        assert_eq!(spec.volume.expect("one is mounted").volume, "orders-1a2b3c-embedded");
        assert_eq!(spec.restart, RestartPolicy::Always);
    }

    #[test]
    fn a_service_is_told_its_image_and_the_emulator_is_not() {
        let scope = Scope::new("orders-1a2b3c", Utf8Path::new("/orders"), Utf8Path::new("/orders/.devenv"));
        assert_eq!(spec(&intent("api"), "sha256:1", &scope).environment[IMAGE], "sha256:1");
        assert_eq!(spec(&intent(EMULATOR), "sha256:1", &scope).environment.get(IMAGE), None);
        let mut own = intent("api");
        own.environment.insert(IMAGE.to_owned(), "mine".to_owned());
        assert_eq!(spec(&own, "sha256:1", &scope).environment[IMAGE], "mine");
    }
}
