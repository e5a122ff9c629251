//! Units whose images Dockerfiles make, on an engine in memory.

use std::sync::{Arc, Mutex};

use devenv_artifacts::error::BuildError;
use devenv_containers::engine::ContainerEngine;
use devenv_fakes::{FakeEngine, Faults};
use devenv_model::artifact::Artifact;
use devenv_model::container::ContainerSettings;
use devenv_model::intent::UnitIntent;
use devenv_runtime::{Error, Project, Runtime};

use crate::world;

struct Built {
    folder: tempfile::TempDir,
    engine: FakeEngine,
    project: Project,
}

impl Built {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).expect("writable");
        write("devenv.toml", "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\n");
        write("compose.yaml", "services:\n  web:\n    build: { context: web, tags: [\"web:extra\"] }\n");
        std::fs::create_dir(folder.path().join("web")).expect("writable");
        write("web/Dockerfile", "FROM x");
        write("web/app.py", "1");
        let engine = FakeEngine::new(Faults::default());
        let project = world::project(folder.path(), &engine, false);
        Self { folder, engine, project }
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.path().join(file), text).expect("writable");
    }

    fn artifact(&self) -> Artifact {
        Artifact::Dockerfile(Box::new(self.project.manifest.services["web"].build.clone().expect("it has one")))
    }

    fn intent(&self) -> UnitIntent {
        world::web(self.artifact(), ContainerSettings::default())
    }

    /// The runtime of a new command.
    async fn runtime(&self) -> Arc<dyn Runtime> {
        world::runtime(&self.project, &self.engine).await
    }

    async fn stale(&self) -> Option<String> {
        let wanted = [("web".to_owned(), self.artifact())];
        self.runtime().await.missing(&wanted).await.expect("no fault").stale_units.remove("web")
    }

    /// Builds the image, and starts the unit if that succeeds.
    async fn build(&self) -> (Result<(), Error>, Vec<String>) {
        let told = Mutex::new(Vec::new());
        let runtime = self.runtime().await;
        let progress = |line| told.lock().expect("not poisoned").push(line);
        let outcome = async {
            runtime.build_unit(&self.intent(), &progress).await?;
            runtime.start(&self.intent()).await
        };
        let outcome = outcome.await;
        (outcome, told.into_inner().expect("not poisoned"))
    }

    fn name(&self) -> String {
        format!("{}-web:local", self.project.instance.name)
    }
}

#[tokio::test]
async fn an_image_is_built_once_for_each_content() {
    let built = Built::new();
    assert_eq!(built.stale().await.as_deref(), Some("not built yet"));
    let (outcome, told) = built.build().await;
    outcome.expect("no fault");
    assert_eq!(told, ["Step 1 : Dockerfile"]);
    assert_eq!(built.stale().await, None);
    let image = built.engine.image(&built.name()).await.expect("no fault").expect("it is built");
    assert_eq!(image.labels["devenv.root"], built.project.instance.root.as_str());
    assert!(built.engine.image("web:extra").await.expect("no fault").is_some());

    built.write("web/app.py", "22");
    assert_eq!(built.stale().await.as_deref(), Some("web/app.py changed"));
    built.build().await.0.expect("no fault");
    assert_eq!(built.stale().await, None);
    let label = format!("devenv.root={}", built.project.instance.root);
    assert!(built.engine.unnamed_images(&label).await.expect("no fault").is_empty(), "the replaced image is removed");

    built.engine.remove(&format!("{}-web", built.project.instance.name)).await.expect("no fault");
    let newer = built.engine.image(&built.name()).await.expect("no fault").expect("it is built");
    assert_ne!(newer.id, image.id);
    built.engine.remove_image("web:extra").await.expect("it is there");
    built.engine.remove_image(&built.name()).await.expect("it is there");
    assert_eq!(built.stale().await.as_deref(), Some("its image was removed"));
}

#[tokio::test]
async fn a_failed_build_keeps_the_old_image_and_has_the_builders_words() {
    let built = Built::new();
    built.build().await.0.expect("no fault");
    let before = built.engine.image(&built.name()).await.expect("no fault").expect("it is built");
    built.write("web/Dockerfile", "FROM x\nRUN FAIL");
    let error = built.build().await.0.expect_err("its command fails");
    let Error::Build(BuildError::Unit { unit, cause, output, .. }) = error else { panic!("{error}") };
    assert_eq!((unit.as_str(), &output[..]), ("web", &["Step 1 : Dockerfile".to_owned()][..]));
    assert!(cause.contains("non-zero code: 1"), "{cause}");
    let after = built.engine.image(&built.name()).await.expect("no fault").expect("it stays");
    assert_eq!(after.id, before.id);
    assert_eq!(built.stale().await.as_deref(), Some("web/Dockerfile changed"), "the next `up` builds it again");
}
