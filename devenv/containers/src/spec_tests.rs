use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8Path;
use devenv_model::artifact::Artifact;
use devenv_model::container::{FileSource, Mount, MountedFile, Network, Volume};
use devenv_model::functions::FUNCTION_HOST;
use devenv_model::manifest::StartOrder;
use devenv_model::transport::Protocol;
use devenv_model::unit::{EMULATOR, Probe};

use super::*;

fn intent(name: &str) -> UnitIntent {
    let binding =
        Binding { container: 8000, protocol: Protocol::Tcp, host: "127.0.0.2:20100".parse().expect("an address") };
    UnitIntent {
        name: name.to_owned(),
        service: name.to_owned(),
        aliases: Vec::new(),
        artifact: Artifact::Image { reference: "api:1".to_owned() },
        entrypoint: None,
        command: None,
        environment: BTreeMap::new(),
        bindings: vec![binding],
        probe: Probe::Started,
        healthcheck: None,
        container: ContainerSettings {
            mounts: vec![Mount::volume("embedded", "/data")],
            ..ContainerSettings::default()
        },
        user: None,
        labels: BTreeMap::new(),
        stop_grace_period: Duration::from_secs(1),
        lifetime: Lifetime::LongLived { restart: RestartPolicy::Always },
        runs_under_init: false,
    }
}

fn service(name: &str, container: ContainerSettings) -> (String, Service) {
    let service = Service {
        name: name.to_owned(),
        image: Some("web:1".to_owned()),
        build: None,
        replicas: 1,
        entrypoint: None,
        command: None,
        environment: BTreeMap::new(),
        ports: Vec::new(),
        expose: Vec::new(),
        depends_on: BTreeMap::new(),
        healthcheck: None,
        labels: BTreeMap::new(),
        user: None,
        container,
        stop_grace_period: Duration::ZERO,
        restart: None,
        health: None,
        start: StartOrder::default(),
        process: None,
        notices: Vec::new(),
    };
    (name.to_owned(), service)
}

fn spec_of(intent: &UnitIntent, services: &BTreeMap<String, Service>) -> ContainerSpec {
    let scope = Scope::new("orders-1a2b3c", Utf8Path::new("/orders"), Utf8Path::new("/orders/.devenv"));
    let folder = Utf8Path::new("/orders/.devenv/files");
    spec(intent, "sha256:1", Surroundings { scope: &scope, services, folder, init: "sha256:init" })
        .expect("its files are readable")
}

fn on(networks: &[Network]) -> ContainerSettings {
    let attachments = networks.iter().map(|network| Attachment { network: network.clone(), ..Attachment::default() });
    let mut settings = ContainerSettings::default();
    settings.networking.mode = NetworkMode::Joined(attachments.collect());
    settings
}

fn names(spec: &ContainerSpec) -> Vec<&str> {
    let attachments = spec.settings.networking.mode.attachments();
    attachments.iter().filter_map(|attachment| attachment.network.name.as_deref()).collect()
}

fn volume(spec: &ContainerSpec) -> Option<&str> {
    spec.settings.mounts.iter().find_map(|mount| match &mount.source {
        MountSource::Volume { volume: Volume { name, .. }, .. } => name.as_deref(),
        _ => None,
    })
}

#[test]
fn a_port_keeps_its_address_and_a_volume_is_of_its_environment() {
    let spec = spec_of(&intent("api"), &BTreeMap::new());
    let host_ip = "127.0.0.2".parse().expect("an address");
    assert_eq!(spec.ports, [PublishedPort { container: 8000, protocol: Protocol::Tcp, host: 20100, host_ip }]);
    assert_eq!(volume(&spec), Some("orders-1a2b3c_embedded"));
    assert_eq!(volume(&spec_of(&intent(EMULATOR), &BTreeMap::new())), Some("orders-1a2b3c-embedded"));
    assert_eq!(spec.restart, RestartPolicy::Always);
}

#[test]
fn a_service_is_told_its_image_and_the_emulator_is_not() {
    let none = BTreeMap::new();
    assert_eq!(spec_of(&intent("api"), &none).environment[IMAGE], "sha256:1");
    for own in [EMULATOR, FUNCTION_HOST] {
        assert_eq!(spec_of(&intent(own), &none).environment.get(IMAGE), None);
    }
    let mut own = intent("api");
    own.environment.insert(IMAGE.to_owned(), "mine".to_owned());
    assert_eq!(spec_of(&own, &none).environment[IMAGE], "mine");
}

#[test]
fn the_emulator_is_on_every_network_of_the_environment_and_on_no_other() {
    let (front, back) = (Network { key: "front".to_owned(), ..Network::default() }, Network::default());
    let theirs = Network { key: "theirs".to_owned(), external: true, ..Network::default() };
    let services =
        BTreeMap::from([service("web", on(&[front, back])), service("db", on(std::slice::from_ref(&theirs)))]);
    for own in [EMULATOR, FUNCTION_HOST] {
        assert_eq!(names(&spec_of(&intent(own), &services)), ["orders-1a2b3c", "orders-1a2b3c_front"]);
    }
    // A service that is on networks of others only reaches the emulator too.
    let db = UnitIntent { container: on(&[theirs]), ..intent("db") };
    assert_eq!(names(&spec_of(&db, &services)), ["theirs", "orders-1a2b3c"]);
}

#[test]
fn a_container_is_replaced_with_its_companion_and_with_the_content_of_its_files() {
    let mut sidecar = intent("sidecar");
    sidecar.container.networking.mode = NetworkMode::Service("web".to_owned());
    let source = FileSource::Content("hunter2".to_owned());
    sidecar.container.files = vec![MountedFile { target: "/password".to_owned(), uid: 0, gid: 0, mode: 0o444, source }];
    let mut services = BTreeMap::from([service("web", ContainerSettings::default())]);
    let first = spec_of(&sidecar, &services);
    assert_eq!(first.settings.networking.mode, NetworkMode::Service("orders-1a2b3c-web".to_owned()));
    assert!(!format!("{first:?}").contains("hunter2"));
    services.get_mut("web").expect("there").environment.insert("A".to_owned(), "b".to_owned());
    let second = spec_of(&sidecar, &services);
    assert_ne!(first.config_hash(), second.config_hash());
    sidecar.container.files[0].source = FileSource::Content("hunter3".to_owned());
    assert_ne!(second.config_hash(), spec_of(&sidecar, &services).config_hash());
}

#[test]
fn a_function_has_a_place_for_its_init_and_is_replaced_with_it() {
    let plain = spec_of(&intent("resize"), &BTreeMap::new());
    let function = spec_of(&UnitIntent { runs_under_init: true, ..intent("resize") }, &BTreeMap::new());
    assert_eq!((plain.init.as_deref(), function.init.as_deref()), (None, Some("sha256:init")));
    assert!(!plain.settings.mounts.contains(&init::mount()) && function.settings.mounts.contains(&init::mount()));
    let other = ContainerSpec { init: Some("sha256:other".to_owned()), ..function.clone() };
    assert_ne!(other.config_hash(), function.config_hash());
}
