//! What a container engine keeps and loses when a host clears it, on an engine in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use devenv_containers::container::ContainerSpec;
use devenv_containers::engine::{ContainerEngine, JoinedNetwork, NewContainer, NewVolume};
use devenv_containers::images::Images;
use devenv_containers::rehearsal::{REGISTRY, remove};
use devenv_containers::scope::Scope;
use devenv_fakes::{FakeEngine, Faults};
use devenv_model::container::{ContainerSettings, Mount, MountSource};
use devenv_model::manifest::EmulatorKind;
use devenv_runtime::{Emitter, ImageBuild, OWN_EMULATOR, Project};
use tempfile::TempDir;

use crate::world::{self, image};

type Labels = BTreeMap<String, String>;

const SETTINGS: &str = "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\n\
    [emulator.dynamodb-local]\nimage = \"amazon/dynamodb-local:2.6.1\"\n[services.web]\nhealth = \"/livez\"\n";

fn project(engine: &FakeEngine) -> (TempDir, Project) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let web = "services:\n  web:\n    image: web:1\n    ports: [\"8000\"]\n";
    std::fs::create_dir(folder.path().join("tables")).expect("writable");
    for (name, text) in [("devenv.toml", SETTINGS), ("compose.yaml", web)] {
        std::fs::write(folder.path().join(name), text).expect("writable");
    }
    let project = world::project(folder.path(), engine, false);
    (folder, project)
}

fn engine() -> FakeEngine {
    let engine = FakeEngine::new(Faults::default()).with_image("web:1", &image("web"));
    engine.with_image("amazon/dynamodb-local:2.6.1", &image("dynamodb"))
}

fn labels(root: &Utf8Path, state: &Utf8Path) -> Labels {
    [("devenv.root", root), ("devenv.state", state)].map(|(name, path)| (name.to_owned(), path.to_string())).into()
}

/// A container with a volume, on a network of the same labels.
async fn add(engine: &FakeEngine, name: &str, image: &str, labels: &Labels) {
    let network = engine.ensure_network(&format!("{name}-network"), labels).await.expect("no fault");
    let data = format!("{name}-data");
    let new_volume = NewVolume { name: data.clone(), driver_options: BTreeMap::new(), labels: labels.clone() };
    engine.create_volume(&new_volume).await.expect("no fault");
    let mut mount = Mount::volume(&data, "/data");
    if let MountSource::Volume { volume, .. } = &mut mount.source {
        volume.name = Some(data);
    }
    let settings = ContainerSettings { mounts: vec![mount], ..ContainerSettings::default() };
    let spec = ContainerSpec { settings, ..ContainerSpec::new(name, image) };
    let network = JoinedNetwork::own(&network, name);
    let new = NewContainer { name: name.to_owned(), spec, labels: labels.clone(), network };
    engine.create(&new).await.expect("no fault");
    engine.start(name).await.expect("no fault");
}

#[tokio::test]
async fn only_environments_of_this_checkout_whose_folder_is_gone_are_orphans() {
    let engine = engine();
    let (_folder, project) = project(&engine);
    let root = project.instance.root.clone();
    let alive = root.join("other-state");
    std::fs::create_dir(&alive).expect("writable");
    add(&engine, "gone", "web:1", &labels(&root, &root.join("gone"))).await;
    add(&engine, "alive", "web:1", &labels(&root, &alive)).await;
    // Its folder may not exist yet.
    add(&engine, "own", "web:1", &labels(&root, project.state.path())).await;
    add(&engine, "elsewhere", "web:1", &labels(Utf8Path::new("/elsewhere"), Utf8Path::new("/elsewhere/gone"))).await;
    add(&engine, "foreign", "web:1", &BTreeMap::new()).await;

    let host = world::host(&engine).await;
    let (emitter, _events) = Emitter::channel();
    host.clear(&project, &emitter).await.expect("no fault");

    assert_eq!(engine.names(), ["alive", "elsewhere", "foreign", "own"]);
    let states = |found: Vec<devenv_containers::engine::Labelled>| {
        let mut states: Vec<_> = found.into_iter().map(|mut one| one.labels.remove("devenv.state")).collect();
        states.sort();
        states
    };
    let kept = [&alive, project.state.path(), Utf8Path::new("/elsewhere/gone")].map(|path| Some(path.to_string()));
    let mut kept = kept.to_vec();
    kept.sort();
    assert_eq!(states(engine.networks("devenv.state").await.expect("no fault")), kept);
    assert_eq!(states(engine.volumes("devenv.state").await.expect("no fault")), kept);
}

#[tokio::test]
async fn a_running_emulator_is_known_by_its_image_and_an_absent_one_is_none() {
    let engine = engine();
    let (_folder, project) = project(&engine);
    let host = world::host(&engine).await;
    assert_eq!(host.emulator_of(&project).await.expect("no fault"), None);
    let mut labels = labels(&project.instance.root, project.state.path());
    add(&engine, "web", "web:1", &labels).await;
    assert_eq!(host.emulator_of(&project).await.expect("no fault"), Some(project.manifest.emulator.default));
    labels.insert("devenv.unit".to_owned(), "emulator".to_owned());
    add(&engine, "emulator", "amazon/dynamodb-local:2.6.1", &labels).await;
    assert_eq!(host.emulator_of(&project).await.expect("no fault"), Some(EmulatorKind::DynamodbLocal));
}

#[tokio::test]
async fn a_rehearsal_goes_although_somebody_uses_one_of_its_images() {
    let engine = engine();
    let (_folder, project) = project(&engine);
    let scope = Scope::of_part(&project, &project.state.path().join("promote/rehearsal"), "rehearsal");
    let mut labels = scope.labels();
    labels.insert(REGISTRY.to_owned(), "127.0.0.1:4565".to_owned());
    add(&engine, &scope.container("guard"), "amazon/dynamodb-local:2.6.1", &labels).await;
    for name in ["127.0.0.1:4565/shop/web:1", "127.0.0.1:45650/shop/web:1"] {
        engine.tag("web:1", name).await.expect("no fault");
    }
    engine.remove_image("web:1").await.expect("it has other names");
    let used = "127.0.0.1:4565/shop/api:1";
    let engine = engine.with_image(used, &image("api"));
    add(&engine, "user", used, &BTreeMap::new()).await;

    remove(&engine, &scope).await.expect("the image in use stays");
    assert_eq!(engine.names(), ["user"]);
    assert_eq!(engine.image_names("127").await.expect("no fault"), ["127.0.0.1:45650/shop/web:1", used]);
    assert!(engine.volumes("devenv.state").await.expect("no fault").is_empty());
}

#[tokio::test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
async fn the_emulator_in_this_program_becomes_an_image_once() {
    let engine = engine();
    let (_folder, project) = project(&engine);
    let images = Images::new(Arc::new(engine.clone()), &project, &ImageBuild::default());
    let packages = [OWN_EMULATOR.to_owned()];
    let before = images.known(&packages).await.expect("no fault");
    assert_eq!(before.stale[OWN_EMULATOR], "image not built yet");
    let built = images.build(&packages, &|_| {}).await.expect("no fault");
    let after = images.known(&packages).await.expect("no fault");
    assert_eq!((after.ids, after.stale.len()), (built, 0));
    let image = engine.image("devenv-emulator:own").await.expect("no fault").expect("it is loaded");
    assert_eq!(image.labels["devenv.system"], "devenv-emulator");
    images.build(&packages, &|_| {}).await.expect("no fault");
    assert_eq!(engine.image_names("devenv-emulator").await.expect("no fault"), ["devenv-emulator:own"]);
}
