//! A project, and the AWS account that it is released to.

use std::process::Command;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_containers::oci::{Blob, OciImage};
use devenv_fakes::{FakeObjects, FakeRegistry, FakeServices, Faults};
use devenv_model::event::TestOutcome;
use devenv_model::evidence::{Circumstances, Evidence, ProvenTest, tree_digest};
use serde_json::json;
use tempfile::TempDir;

pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const BUCKET: &str = "shop-state";
pub(crate) const CLUSTER: &str = "shop-dev";
const REPOSITORY: &str = "shop/web";
/// As git writes it.
const MODE: u32 = 0o100_644;

const TABLE: &str = r#"{
  "TableName": "items",
  "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
  "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
  "BillingMode": "PAY_PER_REQUEST"
}
"#;

const SETTINGS: &str = r#"version = 1
name = "shop"
compose = "compose.yaml"
tables = "tables"
[emulator.embedded]
image = "devenv-emulator:local"
[services.web]
health = "/livez"
[promote.dev]
account = "000000000000"
region = "eu-west-1"
"#;

/// Of every file below `terraform/`.
const TERRAFORM: [(&str, &str); 2] = [
    (
        "terraform/envs/dev/account.tfvars.json",
        r#"{ "bucket": "shop-state", "region": "eu-west-1", "allowed_account_ids": ["000000000000"] }"#,
    ),
    ("terraform/envs/dev/release/main.tf", "# The fake Terraform reads no more than the variables.\n"),
];

/// One commit, made once: no test changes anything in it.
pub(crate) fn repository() -> &'static Utf8Path {
    static REPOSITORY: OnceLock<TempDir> = OnceLock::new();
    let folder = REPOSITORY.get_or_init(|| {
        let folder = tempfile::Builder::new().prefix("shop").tempdir().expect("a temporary directory");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("writable");
            std::fs::write(path, text).expect("writable");
        };
        write("devenv.toml", SETTINGS);
        let web =
            "services:\n  web:\n    image: web:1\n    ports: [\"8000\"]\n    environment: { AWS_REGION: eu-west-1 }\n";
        write("compose.yaml", web);
        write("tables/items.json", TABLE);
        for (path, text) in TERRAFORM {
            write(path, text);
        }
        for arguments in ["init --quiet", "add --all", "commit --quiet --message one"] {
            git(folder.path().try_into().expect("UTF-8"), arguments);
        }
        folder
    });
    folder.path().try_into().expect("UTF-8")
}

fn git(root: &Utf8Path, arguments: &str) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments.split(' '));
    let output = command.current_dir(root).output().expect("git is here");
    assert!(output.status.success(), "git {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn commit() -> &'static str {
    static COMMIT: OnceLock<String> = OnceLock::new();
    COMMIT.get_or_init(|| git(repository(), "rev-parse HEAD"))
}

/// Of one layer, which is all that tells one edition from another.
pub(crate) fn image(edition: u32) -> OciImage {
    let layer = Blob::new(format!("edition {edition}"));
    let config = json!({ "rootfs": { "type": "layers", "diff_ids": [layer.digest()] } });
    OciImage::new(Blob::new(config.to_string()), vec![layer])
}

/// What it is called everywhere.
pub(crate) fn digest(edition: u32) -> String {
    image(edition).digest()
}

/// An account, and the folder that it is promoted to from.
pub(crate) struct World {
    pub(crate) objects: FakeObjects,
    pub(crate) registry: FakeRegistry,
    pub(crate) services: FakeServices,
    /// Of the caller: everything but Terraform.
    pub(crate) faults: Faults,
    pub(crate) terraform_faults: Faults,
    state: TempDir,
}

impl World {
    /// In which nothing was released yet.
    pub(crate) fn new() -> Self {
        let faults = Faults::default();
        let objects = FakeObjects::new(faults.clone(), [BUCKET]);
        let output = |value: serde_json::Value| json!({ "value": value, "type": "any" });
        let table: serde_json::Value = serde_json::from_str(TABLE).expect("JSON");
        let foundation = json!({
            "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "a", "resources": [],
            "outputs": {
                "release": output(json!({ "cluster": { "name": CLUSTER } })),
                "repository_urls": output(json!({ "web": format!("registry.example/{REPOSITORY}") })),
                "url": output(json!("https://shop.example")),
                "tables": output(json!({ "items": table })),
            },
        });
        objects.overwrite(BUCKET, "dev/foundation.tfstate", foundation.to_string());
        let registry = FakeRegistry::new(faults.clone(), [REPOSITORY]);
        let services = FakeServices::new(faults.clone());
        Self { objects, registry, services, faults, terraform_faults: Faults::default(), state: state() }
    }

    /// One like it, with whatever goes on in it ended, met from another folder.
    pub(crate) fn copied(&self) -> Self {
        let faults = Faults::default();
        Self {
            objects: self.objects.copied(faults.clone()),
            registry: self.registry.copied(faults.clone()),
            services: self.services.copied(faults.clone()),
            faults,
            terraform_faults: Faults::default(),
            state: state(),
        }
    }

    /// The very same account, met from another machine.
    pub(crate) fn elsewhere(&self) -> Self {
        let faults = Faults::default();
        Self {
            objects: self.objects.client(faults.clone()),
            registry: self.registry.client(faults.clone()),
            services: self.services.client(faults.clone()),
            faults,
            terraform_faults: Faults::default(),
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

    /// The tests of an edition were green.
    pub(crate) fn prove(&self, edition: u32) {
        let files = TERRAFORM.iter().map(|(path, text)| (*path, MODE, text.as_bytes()));
        let evidence = Evidence {
            images: [("web".to_owned(), digest(edition))].into(),
            terraform: tree_digest(files),
            circumstances: Circumstances {
                project: "shop".to_owned(),
                commit: commit().to_owned(),
                dirty: false,
                emulator: "embedded".to_owned(),
                emulator_image: "devenv-emulator:local".to_owned(),
                filtered: false,
                began: "2026-11-21T09:00:00Z".to_owned(),
                seconds: 1.0,
                failure: None,
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
