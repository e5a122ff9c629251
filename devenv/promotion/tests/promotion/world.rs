//! A project, and the AWS account that it is released to.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use devenv_containers::host::ContainerHosts;
use devenv_containers::oci::{Blob, OciImage};
use devenv_fakes::{FakeEngine, FakeObjects, FakeRegistry, FakeServices, Faults};
use devenv_model::event::TestOutcome;
use devenv_model::evidence::{Circumstances, Evidence, ProvenTest};
use devenv_processes::host::ProcessHost;
use devenv_promotion::RegistryImage;
use devenv_rehearsal::services::digests;
use devenv_runtime::{Project, ProjectOptions};
use serde_json::json;
use tempfile::TempDir;

use crate::repository::{ABROAD, HOME, Repository, TABLE, bucket};

pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const BUCKET: &str = "shop-state";
/// In every registry.
pub(crate) const REPOSITORY: &str = "shop/web";

/// The edition that stands for the image of a database.
pub(crate) const DATABASE: u32 = 9;
/// The edition that stands for the image of a function.
pub(crate) const FUNCTION: u32 = 8;
/// In every registry.
const FUNCTION_REPOSITORY: &str = "shop/resize";

/// Of one layer, which is all that tells one edition from another.
pub(crate) fn image(edition: u32) -> OciImage {
    let layer = Blob::new(format!("edition {edition}"));
    let config = json!({ "rootfs": { "type": "layers", "diff_ids": [layer.digest()] } });
    OciImage::new(Blob::new(config.to_string()), vec![layer])
}

/// The tag of an edition's image.
pub(crate) fn tag(edition: u32) -> String {
    digest(edition).replace(':', "-")
}

/// What it is called everywhere.
pub(crate) fn digest(edition: u32) -> String {
    image(edition).digest()
}

/// The same, as a registry has it.
pub(crate) fn registry_image(edition: u32) -> RegistryImage {
    let image = image(edition);
    let (digest, media_type) = (image.digest(), image.media_type());
    RegistryImage { digest, media_type, manifest: image.manifest().clone(), blobs: image.blobs() }
}

/// An account, and the folder that it is promoted to from.
pub(crate) struct World {
    pub(crate) objects: FakeObjects,
    pub(crate) registry: FakeRegistry,
    /// Of the other region.
    pub(crate) abroad: FakeRegistry,
    pub(crate) services: FakeServices,
    /// Of the caller: everything but Terraform.
    pub(crate) faults: Faults,
    pub(crate) terraform_faults: Faults,
    pub(crate) repository: Arc<Repository>,
    state: TempDir,
}

impl World {
    /// In which nothing was released yet.
    pub(crate) fn new() -> Self {
        Self::of(Repository::usual())
    }

    /// The same, with every target.
    pub(crate) fn of_targets() -> Self {
        Self::of(Repository::of_targets())
    }

    pub(crate) fn of(repository: Arc<Repository>) -> Self {
        let faults = Faults::default();
        let objects = FakeObjects::new(faults.clone(), [HOME, ABROAD].map(bucket));
        let output = |value: serde_json::Value| json!({ "value": value, "type": "any" });
        let table: serde_json::Value = serde_json::from_str(TABLE).expect("JSON");
        for target in repository.targets {
            let (name, host) = (target.name, if target.region == HOME { "registry" } else { "registry.abroad" });
            let mut repositories = BTreeMap::from([("web", format!("{host}.example/{REPOSITORY}"))]);
            if repository.has_function {
                repositories.insert("resize", format!("{host}.example/{FUNCTION_REPOSITORY}"));
            }
            let foundation = json!({
                "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "a", "resources": [],
                "outputs": {
                    "release": output(json!({ "cluster": { "name": format!("shop-{name}") } })),
                    "repository_urls": output(json!(repositories)),
                    "url": output(json!("https://shop.example")),
                    "tables": output(json!({ "items": table })),
                },
            });
            let key = format!("{name}/foundation.tfstate");
            objects.overwrite(bucket(target.region), &key, foundation.to_string());
        }
        let [registry, abroad] = [(); 2].map(|()| FakeRegistry::new(faults.clone(), [REPOSITORY, FUNCTION_REPOSITORY]));
        let services = FakeServices::new(faults.clone());
        let terraform_faults = Faults::default();
        Self { objects, registry, abroad, services, faults, terraform_faults, repository, state: state() }
    }

    /// The same account after somebody changed the project.
    pub(crate) fn after(self, change: impl FnOnce(Repository) -> Repository) -> Self {
        let repository = Arc::into_inner(self.repository).expect("a project of this world alone");
        Self { repository: Arc::new(change(repository)), ..self }
    }

    /// One like it, with whatever goes on in it ended, met from another folder.
    pub(crate) fn copied(&self) -> Self {
        let faults = Faults::default();
        Self {
            objects: self.objects.copied(faults.clone()),
            registry: self.registry.copied(faults.clone()),
            abroad: self.abroad.copied(faults.clone()),
            services: self.services.copied(faults.clone()),
            faults,
            terraform_faults: Faults::default(),
            repository: self.repository.clone(),
            state: state(),
        }
    }

    /// The very same account, met from another machine.
    pub(crate) fn elsewhere(&self) -> Self {
        let faults = Faults::default();
        Self {
            objects: self.objects.client(faults.clone()),
            registry: self.registry.client(faults.clone()),
            abroad: self.abroad.client(faults.clone()),
            services: self.services.client(faults.clone()),
            faults,
            terraform_faults: Faults::default(),
            repository: self.repository.clone(),
            state: state(),
        }
    }

    pub(crate) fn state(&self) -> Utf8PathBuf {
        Utf8PathBuf::try_from(self.state.path().to_owned()).expect("UTF-8")
    }

    /// The ids of the releases that were made, oldest first.
    pub(crate) fn releases(&self) -> Vec<String> {
        let keys = self.objects.keys(BUCKET);
        let of = |key: &String| Some(key.strip_prefix("dev/releases/")?.strip_suffix("/terraform.tar")?.to_owned());
        keys.iter().filter_map(of).collect()
    }

    /// Somebody changes a text in every object of a target's releases.
    pub(crate) fn rewrite(&self, bucket: &str, target: &str, from: &str, to: &str) {
        for key in self.objects.keys(bucket) {
            let content = self.objects.content(bucket, &key).expect("it is there");
            if let Ok(text) = String::from_utf8(content)
                && key.starts_with(&format!("{target}/releases/"))
            {
                self.objects.overwrite(bucket, &key, text.replace(from, to));
            }
        }
    }

    /// As evidence has it, where the rehearsal has no Terraform of its own.
    fn configuration(&self) -> BTreeMap<String, String> {
        if !self.repository.targets.is_empty() {
            return BTreeMap::new();
        }
        let engine = FakeEngine::new(Faults::default());
        let project = ProjectOptions {
            directory: self.repository.path().to_owned(),
            compose: devenv_runtime::ComposeOptions::default(),
            state_dir: Some(self.state()),
            ephemeral: false,
            runtimes: Arc::new(ContainerHosts::new(Arc::new(engine), Arc::new(ProcessHost))),
        };
        digests(&Project::load(&project).expect("its files are right").manifest)
    }

    /// The tests of an edition were green.
    pub(crate) fn prove(&self, edition: u32) {
        self.prove_with(edition, false);
    }

    /// The same, with or without changes that are not committed.
    pub(crate) fn prove_with(&self, edition: u32, dirty: bool) {
        let database = self.repository.has_database.then(|| ("db".to_owned(), digest(DATABASE)));
        let function = self.repository.has_function.then(|| ("resize".to_owned(), digest(FUNCTION)));
        let evidence = Evidence {
            images: [("web".to_owned(), digest(edition))].into_iter().chain(database).chain(function).collect(),
            terraform: self.repository.terraform_digest(),
            circumstances: Circumstances {
                project: "shop".to_owned(),
                commit: self.repository.commit.clone(),
                dirty,
                emulator: "embedded".to_owned(),
                emulator_image: "devenv-emulator:local".to_owned(),
                filtered: false,
                began: "2026-11-21T09:00:00Z".to_owned(),
                seconds: 1.0,
                failure: None,
                results_from: Vec::new(),
                sources: BTreeMap::new(),
                configuration: self.configuration(),
            },
            tests: vec![ProvenTest { name: "a".to_owned(), outcome: TestOutcome::Passed, seconds: None }],
        };
        let content = evidence.to_json();
        let folder = self.state().join("evidence");
        std::fs::create_dir_all(&folder).expect("writable");
        let name = Evidence::file_name(&format!("20261121T090000Z-embedded{edition}"), &content);
        std::fs::write(folder.join(name), content).expect("writable");
    }
}

fn state() -> TempDir {
    tempfile::Builder::new().prefix("state").tempdir().expect("a temporary directory")
}
