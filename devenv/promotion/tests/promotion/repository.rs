//! A project in a git repository of one commit.

use std::process::Command;
use std::sync::{Arc, OnceLock};

use camino::Utf8Path;
use devenv_model::evidence::tree_digest;
use tempfile::TempDir;

/// As git writes it.
const MODE: u32 = 0o100_644;

pub(crate) const TABLE: &str = r#"{
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
"#;

const REHEARSAL: &str = "[promote.rehearsal]\nimage = \"emulated-aws:1\"\n";

const FUNCTIONS: &str = "functions = \"functions\"\n";
const FUNCTION: &str = r#"{ "FunctionName": "resize", "PackageType": "Image" }"#;

const DATABASE: &str = "  db:\n    image: db:1\n    expose: [\"5432\"]\n";

/// A target with an account.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) region: &'static str,
    more: &'static str,
}

pub(crate) const HOME: &str = "eu-west-1";
pub(crate) const ABROAD: &str = "eu-central-1";

/// The first one is the usual one. Every further one makes each promotion slower.
const TARGETS: [Target; 10] = [
    Target { name: "dev", region: HOME, more: "" },
    Target { name: "stage", region: HOME, more: "" },
    Target { name: "prod", region: ABROAD, more: "requires = [\"dev\"]" },
    Target { name: "both", region: ABROAD, more: "requires = [\"dev\", \"stage\"]" },
    Target { name: "arm", region: ABROAD, more: "requires = [\"dev\"]\nplatform = \"linux/arm64\"" },
    Target { name: "signed", region: HOME, more: "evidence = \"recorded\"" },
    Target { name: "audited", region: ABROAD, more: "evidence = \"recorded\"\nrequires = [\"signed\"]" },
    Target { name: "rehearsed", region: ABROAD, more: "requires = [\"rehearsal\"]" },
    Target { name: "elsewhere", region: "us-east-1", more: "" },
    Target { name: "after", region: ABROAD, more: "requires = [\"elsewhere\"]" },
];

/// By region.
pub(crate) fn bucket(region: &str) -> &'static str {
    if region == HOME { "shop-state" } else { "shop-state-abroad" }
}

/// Every file below `terraform/`. The account file of `elsewhere` is of another region than its settings.
fn terraform(targets: &[Target]) -> Vec<(String, String)> {
    let root = "# The fake Terraform reads no more than the variables.\n".to_owned();
    let mut files = Vec::new();
    if targets.len() > 1 {
        let account = r#"{ "bucket": "rehearsal-state", "region": "eu-west-1", "allowed_account_ids": [] }"#;
        files.push(("terraform/envs/rehearsal/account.tfvars.json".to_owned(), account.to_owned()));
        files.push(("terraform/envs/rehearsal/foundation/main.tf".to_owned(), root.clone()));
        files.push(("terraform/envs/rehearsal/release/main.tf".to_owned(), root.clone()));
    }
    for Target { name, region, .. } in targets {
        let region = if *name == "elsewhere" { HOME } else { region };
        let bucket = bucket(region);
        let account =
            format!(r#"{{ "bucket": "{bucket}", "region": "{region}", "allowed_account_ids": ["000000000000"] }}"#);
        files.push((format!("terraform/envs/{name}/account.tfvars.json"), account));
        files.push((format!("terraform/envs/{name}/release/main.tf"), root.clone()));
    }
    files.sort();
    files
}

/// No test changes anything in one.
#[derive(Debug)]
pub(crate) struct Repository {
    folder: TempDir,
    pub(crate) targets: &'static [Target],
    /// Whether it has a service `db` whose image is made elsewhere.
    pub(crate) has_database: bool,
    /// Whether it has a function `resize`.
    pub(crate) has_function: bool,
    /// Empty outside git.
    pub(crate) commit: String,
}

impl Repository {
    /// With one target, made once.
    pub(crate) fn usual() -> Arc<Self> {
        static USUAL: OnceLock<Arc<Repository>> = OnceLock::new();
        USUAL.get_or_init(|| Arc::new(Self::with(&TARGETS[..1], "").committed())).clone()
    }

    /// With every target and a rehearsal, made once.
    pub(crate) fn of_targets() -> Arc<Self> {
        static ALL: OnceLock<Arc<Repository>> = OnceLock::new();
        ALL.get_or_init(|| Arc::new(Self::with(&TARGETS, REHEARSAL).committed())).clone()
    }

    /// With a rehearsal only, and without any Terraform. git ignores `web.env`, which may have more variables; `worker` is a
    /// service without a task.
    pub(crate) fn of_a_stranger() -> Self {
        let repository = Self::with(&[], REHEARSAL);
        let more = "    env_file: [{ path: web.env, required: false }]\n  worker:\n    image: worker:1\n    scale: 0\n";
        repository.write("compose.yaml", &(repository.read("compose.yaml") + more));
        repository.write(".gitignore", "web.env\n");
        repository.committed()
    }

    /// With a rehearsal only, without any Terraform, and with a service `db` whose image is made elsewhere.
    pub(crate) fn of_a_stranger_with_database() -> Self {
        let repository = Self { has_database: true, ..Self::with(&[], REHEARSAL) };
        repository.write("compose.yaml", &(repository.read("compose.yaml") + DATABASE));
        repository.committed()
    }

    /// The service `db` leaves the project.
    pub(crate) fn without_database(self) -> Self {
        self.write("compose.yaml", &self.read("compose.yaml").replace(DATABASE, ""));
        self.git("commit --all --quiet --message two");
        Self { has_database: false, commit: self.git("rev-parse HEAD"), ..self }
    }

    /// With one target, whose Terraform git does not track.
    pub(crate) fn of_untracked_terraform() -> Self {
        let repository = Self::with(&TARGETS[..1], "");
        repository.write(".gitignore", "terraform/\n");
        repository.committed()
    }

    /// With one target, which has no repository for the project's database.
    pub(crate) fn with_database() -> Self {
        let repository = Self { has_database: true, ..Self::with(&TARGETS[..1], "") };
        repository.write("compose.yaml", &(repository.read("compose.yaml") + DATABASE));
        repository.committed()
    }

    /// With one target and more lines of `devenv.toml`, outside git.
    pub(crate) fn loose(settings: &str) -> Self {
        Self::with(&TARGETS[..1], settings)
    }

    /// With one target, and a function in it.
    pub(crate) fn with_function() -> Self {
        Self::with(&TARGETS[..1], "").and_function()
    }

    /// With a rehearsal only, without any Terraform, and with a function.
    pub(crate) fn of_a_stranger_with_function() -> Self {
        Self::with(&[], REHEARSAL).and_function()
    }

    fn and_function(self) -> Self {
        let repository = Self { has_function: true, ..self };
        repository.write("compose.yaml", &(repository.read("compose.yaml") + "  resize:\n    image: resize:1\n"));
        repository.write(
            "devenv.toml",
            &repository.read("devenv.toml").replace("[emulator", &format!("{FUNCTIONS}[emulator")),
        );
        repository.write("functions/resize.json", FUNCTION);
        repository.committed()
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).expect("written before")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("writable");
        std::fs::write(path, text).expect("writable");
    }

    fn with(targets: &'static [Target], settings: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("shop").tempdir().expect("a temporary directory");
        let repository = Self { folder, targets, has_database: false, has_function: false, commit: String::new() };
        let write = |path: &str, text: &str| repository.write(path, text);
        let target = |Target { name, region, more }: &Target| {
            format!("[promote.{name}]\naccount = \"000000000000\"\nregion = \"{region}\"\n{more}\n")
        };
        let sections: String = targets.iter().map(target).collect();
        write("devenv.toml", &format!("{SETTINGS}{sections}{settings}"));
        let web =
            "services:\n  web:\n    image: web:1\n    ports: [\"8000\"]\n    environment: { AWS_REGION: eu-west-1 }\n";
        write("compose.yaml", web);
        write("tables/items.json", TABLE);
        for (path, text) in terraform(targets) {
            write(&path, &text);
        }
        repository
    }

    /// devenv remembers that the image of this id, which it built here, has this digest.
    pub(crate) fn remember(&self, id: &str, digest: &str) {
        let folder = self.path().join(".devenv");
        std::fs::create_dir_all(&folder).expect("writable");
        std::fs::write(folder.join(".gitignore"), "*\n").expect("writable");
        let image = serde_json::json!({ "id": id, "digest": digest, "revision": null, "head": null });
        let builds = serde_json::json!({ "format": 3, "images": { "dev/web": image } });
        std::fs::write(folder.join("builds.json"), builds.to_string()).expect("writable");
    }

    pub(crate) fn committed(self) -> Self {
        for arguments in ["init --quiet", "add --all", "commit --quiet --message one"] {
            self.git(arguments);
        }
        Self { commit: self.git("rev-parse HEAD"), ..self }
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        self.folder.path().try_into().expect("UTF-8")
    }

    /// As evidence has it.
    pub(crate) fn terraform_digest(&self) -> String {
        let files = terraform(self.targets);
        tree_digest(files.iter().map(|(path, text)| (path.as_str(), MODE, text.as_bytes())))
    }

    fn git(&self, arguments: &str) -> String {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments.split(' '));
        let output = command.current_dir(self.path()).output().expect("git is here");
        assert!(output.status.success(), "git {arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}
