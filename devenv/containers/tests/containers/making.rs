//! The making of a container from several parts, on an engine in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use devenv_containers::engine::{ContainerEngine, NewVolume};
use devenv_fakes::{FakeEngine, Fault, Faults};
use devenv_model::artifact::Artifact;
use devenv_model::intent::UnitIntent;
use devenv_runtime::{Project, Runtime};
use tempfile::TempDir;

use crate::world;

const SETTINGS: &str = "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\n";
const COMPOSE: &str = "services:\n  web:\n    image: web:1\n    networks: [front, back]\n    volumes: [\"data:/data\"]\n    configs: \
                       [settings]\nnetworks: { front: , back: }\nvolumes: { data: }\nconfigs: { settings: { content: a=b } }\n";

struct World {
    folder: TempDir,
    faults: Faults,
    engine: FakeEngine,
}

impl World {
    fn new(compose: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(folder.path().join("tables")).expect("writable");
        let faults = Faults::default();
        let engine = FakeEngine::new(faults.clone()).with_image("web:1", &world::image("web"));
        let world = Self { folder, faults, engine };
        world.write("devenv.toml", SETTINGS);
        world.write("compose.yaml", compose);
        world
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.path().join(file), text).expect("writable");
    }

    fn project(&self, is_ephemeral: bool) -> Project {
        world::project(self.folder.path(), &self.engine, is_ephemeral)
    }

    /// A runtime as a new command has it.
    async fn runtime(&self, is_ephemeral: bool) -> (Arc<dyn Runtime>, Project) {
        let project = self.project(is_ephemeral);
        (world::runtime(&project, &self.engine).await, project)
    }

    /// Starts `web`, and returns the name of its container.
    async fn start(&self) -> Result<String, String> {
        let (runtime, project) = self.runtime(false).await;
        runtime.start(&intent(&project)).await.map_err(|error| error.to_string())?;
        Ok(runtime.container_name("web").expect("it is a container"))
    }

    fn is_whole(&self, container: &str) -> bool {
        self.engine.running() == [container]
            && self.engine.networks_of(container).len() == 2
            && self.engine.uploads(container).len() == 1
    }
}

fn intent(project: &Project) -> UnitIntent {
    let container = project.manifest.services["web"].container.clone();
    world::web(Artifact::Image { reference: "web:1".to_owned() }, container)
}

#[tokio::test]
async fn a_container_with_any_port_is_labelled_as_serving_and_one_that_others_start_after_is_not() {
    let other = "  other:\n    image: web:1\n";
    for (more, serves) in [
        (String::new(), "false"),
        ("    expose: [\"80\"]\n".to_owned(), "true"),
        ("    ports: [\"53/udp\"]\n".to_owned(), "true"),
        (format!("{other}    depends_on: [web]\n"), "false"),
    ] {
        let world = World::new(&format!("services:\n  web:\n    image: web:1\n{more}"));
        let name = world.start().await.expect("no fault");
        let labels = world.engine.ordered(&name).expect("it is there").labels;
        assert_eq!(labels["devenv.serves"], serves, "{more}");
    }
}

#[tokio::test]
async fn a_container_has_its_parts_before_it_starts_and_down_leaves_only_its_data() {
    let world = World::new(COMPOSE);
    let name = world.start().await.expect("no fault");
    assert!(world.is_whole(&name), "{:?}", world.engine);
    let calls = world.faults.calls();
    let place =
        |words: &str| calls.iter().position(|call| call.starts_with(words)).unwrap_or_else(|| panic!("{words}"));
    let order = ["create_volume", "create_network", "create ", "connect ", "upload", "rename", "start"].map(place);
    assert!(order.is_sorted(), "{calls:?}");
    let before = world.engine.ordered(&name).expect("there").labels;
    assert_eq!(world.start().await, Ok(name.clone()));
    assert_eq!(world.engine.ordered(&name).expect("there").labels, before, "an unchanged start is a no-op");
    let (runtime, _) = world.runtime(false).await;
    runtime.take_down().await.expect("no fault");
    assert_eq!(world.engine.names(), [""; 0]);
    assert!(world.engine.networks("devenv.state").await.expect("no fault").is_empty());
    assert_eq!(world.engine.volumes("devenv.state").await.expect("no fault").len(), 1);
    assert!(runtime.remove_data().await.expect("no fault"));
    assert!(world.engine.volumes("devenv.state").await.expect("no fault").is_empty());
}

#[tokio::test]
async fn a_command_that_dies_at_any_step_leaves_what_the_next_one_completes_or_removes() {
    for call in ["create_volume", "create_network", "create -web", "connect -web", "upload", "rename", "start"] {
        for fault in [Fault::Killed, Fault::KilledAfter] {
            let world = World::new(COMPOSE);
            world.faults.on(call, 1, fault.clone());
            tokio::select! {
                () = world.faults.killed() => {}
                outcome = world.start() => panic!("{call}: it was to die, and returned {outcome:?}"),
            }
            world.faults.clear();
            let (runtime, _) = world.runtime(false).await;
            let seen = runtime.observe().await.expect("no fault").units;
            // Once it has its name, it is whole.
            if !matches!((call, &fault), ("rename", Fault::KilledAfter) | ("start", _)) {
                assert!(
                    seen.values().all(|unit| unit.config_hash.is_empty()),
                    "{call}: {seen:?} has not all its parts"
                );
            }
            let name = world.start().await.unwrap_or_else(|error| panic!("{call}: {error}"));
            assert!(world.is_whole(&name), "{call}: {:?}", world.engine);
            runtime.take_down().await.expect("no fault");
            assert_eq!(world.engine.names(), [""; 0], "{call}");
        }
    }
}

#[tokio::test]
async fn a_changed_network_is_made_anew_without_its_containers() {
    let world = World::new(COMPOSE);
    let name = world.start().await.expect("no fault");
    let ids = async || {
        let found = world.engine.networks("devenv.state").await.expect("no fault");
        found.into_iter().map(|network| network.id).collect::<Vec<_>>()
    };
    let before = ids().await;
    world.write("compose.yaml", &COMPOSE.replace("back: }", "back: { internal: true } }"));
    assert_eq!(world.start().await, Ok(name.clone()));
    let after = ids().await;
    assert_eq!(after.iter().filter(|id| before.contains(id)).count(), 2, "{before:?} {after:?}");
    assert!(world.is_whole(&name));
}

#[tokio::test]
async fn what_others_have_is_neither_taken_nor_removed() {
    let world = World::new(&COMPOSE.replace("data: }", "data: { name: theirs } }"));
    let new = NewVolume { name: "theirs".to_owned(), driver_options: BTreeMap::new(), labels: BTreeMap::new() };
    world.engine.create_volume(&new).await.expect("no fault");
    let refused = world.start().await.expect_err("it is theirs");
    assert!(refused.contains("the volume theirs") && refused.contains("external: true"), "{refused}");
    world.write("compose.yaml", &COMPOSE.replace("data: }", "data: { name: theirs, external: true } }"));
    world.start().await.expect("no fault");
    let (runtime, _) = world.runtime(false).await;
    runtime.take_down().await.expect("no fault");
    assert!(!runtime.remove_data().await.expect("no fault"));
    assert!(world.engine.volume("theirs").await.expect("no fault").is_some());
    world.write("compose.yaml", &COMPOSE.replace("front: ,", "front: { external: true },"));
    let absent = world.start().await.expect_err("there is no such network");
    assert!(absent.contains("docker network create front"), "{absent}");
}

#[tokio::test]
async fn an_image_that_may_not_be_pulled_is_not() {
    let world = World::new(&COMPOSE.replace("image: web:1", "image: web:2\n    pull_policy: never"));
    world.engine.offer("web:2", &world::image("newer"));
    let (runtime, _) = world.runtime(false).await;
    let refused = runtime.pull("web:2", &|_| ()).await.expect_err("it may not").to_string();
    assert!(refused.contains("its `pull_policy` is never"), "{refused}");
    world.write("compose.yaml", &COMPOSE.replace("image: web:1", "image: web:2\n    platform: linux/arm64"));
    let (runtime, _) = world.runtime(false).await;
    runtime.pull("web:2", &|_| ()).await.expect("it is offered");
    let pulled = world.engine.image("web:2").await.expect("no fault").expect("it is there");
    assert_eq!(pulled.platform, "linux/arm64");
}

#[tokio::test]
async fn the_environment_of_a_test_run_takes_no_name_of_the_usual_one() {
    let named = COMPOSE
        .replace("image: web:1", "image: web:1\n    container_name: shop")
        .replace("data: }", "data: { name: goods } }");
    let world = World::new(&named);
    assert_eq!(world.start().await.as_deref(), Ok("shop"));
    let (runtime, project) = world.runtime(true).await;
    assert_ne!(runtime.container_name("web").as_deref(), Some("shop"));
    drop(project);
    assert!(world.engine.volume("goods").await.expect("no fault").is_some());
    // Another name is the same unit.
    world.write("compose.yaml", &named.replace("container_name: shop", "container_name: store"));
    assert_eq!(world.start().await.as_deref(), Ok("store"));
    assert_eq!(world.engine.names(), ["store"]);
}
