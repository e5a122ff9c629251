use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::server::{Behaviour, source};
use crate::containers::engine::{docker, image_of, labelled, required};
use crate::folder::{Folder, Ran, TABLE};
use crate::taken_down::{Kind, TakenDown};

/// A project with one service, and with Terraform for a rehearsal, for a second target that takes over its releases, and
/// for a target with an account.
pub(crate) type Project = TakenDown<Released>;

pub(crate) struct Released {
    image: String,
    /// The path that tests of the service request.
    path: &'static str,
}

impl Kind for Released {
    const DOWN: &'static [&'static str] = &["down", "--volumes"];

    fn clear(&self, _: &Folder) {
        let _ = Command::new("docker").args(["image", "rm", "--force", &self.image]).output();
    }
}

/// The test command. It requests the service and prints the result like a Rust test.
const TEST: &str = r#"#!/bin/sh
# As a Rust test prints it.
echo "running 1 test"
if curl --fail --silent --show-error --noproxy '*' "${RELEASE_URL:-$WEB_URL}/PATH" >/dev/null; then
    echo "test it_works ... ok"
    echo "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s"
else
    echo "test it_works ... FAILED"
    echo "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s"
    exit 101
fi
"#;

const FOUNDATION: &str = r#"terraform {
  backend "s3" {
    key          = "ENVIRONMENT/foundation.tfstate"
    use_lockfile = true
  }
}
variable "made" { type = any }
locals {
  folder = "${path.module}/../../../../tables"
  files  = [for file in fileset(local.folder, "*.json") : jsondecode(file("${local.folder}/${file}"))]
}
output "release" { value = var.made }
output "url" { value = var.made.services.web.outside_url }
output "repository_urls" { value = { for name, service in var.made.services : name => service.repository } }
output "tables" { value = { for table in local.files : table.TableName => table } }
"#;

const RELEASE: &str = r#"terraform {
  backend "s3" {
    key          = "ENVIRONMENT/release.tfstate"
    use_lockfile = true
  }
}
variable "bucket" { type = string }
variable "region" { type = string }
variable "allowed_account_ids" { type = list(string) }
variable "images" { type = map(object({ reference = string, platform = string })) }
data "terraform_remote_state" "foundation" {
  backend = "s3"
  config  = { bucket = var.bucket, region = var.region, key = "ENVIRONMENT/foundation.tfstate", use_path_style = true }
}
locals {
  foundation = data.terraform_remote_state.foundation.outputs.release
  order = jsonencode({
    cluster      = local.foundation.cluster.name
    service      = "web"
    family       = "shop-web"
    target_group = local.foundation.services.web.target_group
    port         = 8000
    tasks        = 1
    container = {
      name             = "web"
      image            = var.images.web.reference
      portMappings     = [{ containerPort = 8000 }]
      environment      = [{ name = "IMAGE", value = var.images.web.reference }, { name = "AWS_REGION", value = var.region }]
      logConfiguration = {
        logDriver = "awslogs"
        options   = {
          awslogs-group         = local.foundation.services.web.log_group
          awslogs-region        = var.region
          awslogs-stream-prefix = "task"
        }
      }
    }
  })
}
resource "terraform_data" "web" {
  triggers_replace = [local.order]
  provisioner "local-exec" {
    command     = "\"$DEVENV_BIN\" rehearse-service --quiet"
    environment = { DEVENV_SERVICE = local.order }
  }
}
output "task_definitions" {
  value      = { web = "shop-web" }
  depends_on = [terraform_data.web]
}
"#;

impl Project {
    pub(crate) fn new() -> Self {
        Self::asking("work")
    }

    pub(crate) fn asking(path: &'static str) -> Self {
        Self::on(&Self::emulated_aws(), path)
    }

    /// The image of an emulated AWS.
    pub(crate) fn emulated_aws() -> String {
        required();
        image_of("REHEARSAL_IMAGE")
    }

    pub(crate) fn on(aws: &str, path: &'static str) -> Self {
        let folder = Folder::new();
        let name = folder.path().file_name().expect("a name").to_string_lossy().to_lowercase();
        let project = Self { folder, kind: Released { image: format!("{name}-web:1"), path } };
        let settings = format!(
            "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\nseeds = \"seeds\"\n\
             [emulator.embedded]\nimage = \"devenv-emulator:local\"\n[services.web]\nhealth = \"/livez\"\n\
             [test]\ncommand = [\"sh\", \"test.sh\"]\nsmoke = [\"sh\", \"test.sh\"]\n\
             [promote.rehearsal]\nimage = \"{aws}\"\n\
             [promote.second]\nimage = \"{aws}\"\nrequires = [\"rehearsal\"]\n\
             [promote.third]\nimage = \"{aws}\"\nrequires = [\"rehearsal\", \"second\"]\n"
        );
        project.write("devenv.toml", &settings);
        let compose = format!(
            "services:\n  web:\n    image: {}\n    ports: [\"8000\"]\n    stop_grace_period: 2s\n    environment: {{ AWS_REGION: eu-west-1 }}\n",
            project.kind.image
        );
        project.write("compose.yaml", &compose);
        project.write("tables/items.json", TABLE);
        project.write("seeds/items.json", r#"[{ "id": { "S": "a" } }]"#);
        project.write("test.sh", &TEST.replace("PATH", path));
        project.write(".gitignore", ".devenv/\n");
        for environment in ["rehearsal", "second", "third", "dev"] {
            let folder = format!("terraform/envs/{environment}");
            let account =
                r#"{ "bucket": "shop-state", "region": "eu-west-1", "allowed_account_ids": ["000000000000"] }"#;
            project.write(&format!("{folder}/account.tfvars.json"), account);
            project.write(&format!("{folder}/foundation/main.tf"), &FOUNDATION.replace("ENVIRONMENT", environment));
            project.write(&format!("{folder}/release/main.tf"), &RELEASE.replace("ENVIRONMENT", environment));
        }
        project.git(&["init", "--quiet"]);
        project
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let output =
            Command::new("git").args(who).args(arguments).current_dir(self.path()).output().expect("git is here");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(crate) fn commit(&self, what: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", what]);
    }

    /// Builds an edition of the service and commits it.
    pub(crate) fn make(&self, behaviour: Behaviour, edition: u32) {
        self.write("server.py", &source(behaviour, edition));
        let base = std::env::var("REHEARSAL_IMAGE").expect("it was there before");
        let program = "COPY server.py /server.py\nENTRYPOINT [\"python3\", \"/server.py\"]";
        // Images of its own: with the same content, a test that ends would remove the image that another one is building.
        self.build(&format!("FROM {base}\nLABEL project={}\n{program}\n", self.kind.image));
        self.commit(&format!("Edition {edition}, {behaviour:?}"));
    }

    pub(crate) fn build(&self, dockerfile: &str) {
        self.write("Dockerfile", dockerfile);
        docker(&["build", "--quiet", "--tag", &self.kind.image, &self.path().display().to_string()]);
    }

    /// Builds, commits and tests an edition.
    pub(crate) fn tested(&self, behaviour: Behaviour, edition: u32) {
        self.make(behaviour, edition);
        self.test();
    }

    pub(crate) fn test(&self) {
        self.done(&["test", "--runtime", "docker", "--output", "plain"]);
    }

    pub(crate) fn promote(&self) -> Ran {
        self.run(&["promote", "rehearsal", "--yes", "--output", "plain"])
    }

    /// Runs a promotion that must succeed. Returns the address of the release.
    pub(crate) fn released(&self) -> String {
        let result = self.json(&["promote", "rehearsal", "--yes"]);
        assert_eq!(result["ok"], true, "{result:#}");
        result["url"].as_str().expect("an address").to_owned()
    }

    /// Promotes to the target with an account, logged in to the emulated AWS at this address with these variables and nothing
    /// else.
    pub(crate) fn promote_dev(&self, url: &str, login: &[(&str, &str)]) -> Ran {
        let mut command = self.command(&["promote", "dev", "--yes", "--output", "plain"]);
        for name in ["AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"] {
            command.env_remove(name);
        }
        command.env("AWS_ENDPOINT_URL", url.split("/_alb").next().expect("an address"));
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command.env("AWS_EC2_METADATA_DISABLED", "true").envs(login.iter().copied());
        Ran::from(command.output().expect("it starts"))
    }

    /// Starts a promotion whose events are read line by line.
    pub(crate) fn promoting(&self) -> Child {
        let mut command = self.command(&["promote", "rehearsal", "--yes", "--output", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts")
    }

    /// The edition that answers at an address, or the error.
    pub(crate) fn edition(&self, url: &str) -> Result<u64, String> {
        let answer: Value = serde_json::from_str(&ask(url, self.kind.path)?).map_err(|error| error.to_string())?;
        answer["edition"].as_u64().ok_or_else(|| answer.to_string())
    }

    pub(crate) fn image(&self) -> &str {
        &self.kind.image
    }

    pub(crate) fn history(&self) -> Vec<Value> {
        self.json(&["history", "rehearsal"])["records"].as_array().expect("a list").clone()
    }

    /// The outcome of each promotion and rollback, newest first.
    pub(crate) fn endings(&self) -> Vec<String> {
        let ending = |record: &Value| record["outcome"]["is"].as_str().unwrap_or("not ended").to_owned();
        self.history().iter().map(ending).collect()
    }

    /// Asserts that the next plan is empty: state and services name the same image, and nobody holds a lock.
    pub(crate) fn nothing_is_apart(&self) {
        let planned = self.json(&["promote", "rehearsal", "--plan"]);
        assert_eq!(planned["ok"], true, "{planned:#}");
    }

    pub(crate) fn root(&self) -> String {
        self.path().canonicalize().expect("it exists").display().to_string()
    }

    pub(crate) fn things(&self) -> Vec<String> {
        labelled(&self.root())
    }
}

/// The answer at an address, or the error.
pub(crate) fn ask(url: &str, path: &str) -> Result<String, String> {
    let output = Command::new("curl")
        .args(["--fail", "--silent", "--show-error", "--noproxy", "*", &format!("{url}/{path}")])
        .output()
        .expect("curl is here");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// The names of the engine's images from the registry of a rehearsal, which is at the address of its services.
pub(crate) fn pulled_images(url: &str) -> Vec<String> {
    let registry = url.trim_start_matches("http://").split('/').next().expect("an address");
    let names = docker(&["images", "--digests", "--format", "{{.Repository}}@{{.Digest}}"]);
    names.lines().filter(|name| name.starts_with(registry)).map(str::to_owned).collect()
}

/// The access key of the rehearsal that serves an address, and the password of its registry.
pub(crate) fn access_key(url: &str) -> String {
    let address = url.trim_start_matches("http://").split('/').next().expect("an address");
    let port = address.rsplit(':').next().expect("a port");
    let guard = docker(&["ps", "--filter", "expose=4565", "--format", "{{.Names}} {{.Ports}}"]);
    let ours = guard.lines().find(|line| line.contains(&format!("127.0.0.1:{port}->")));
    let name = ours.and_then(|line| line.split(' ').next()).unwrap_or_else(|| panic!("nobody guards {url}: {guard}"));
    let variables = docker(&["inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", name]);
    let settings = variables.lines().find_map(|line| line.strip_prefix("DEVENV_GUARD=")).expect("its settings");
    let settings: Value = serde_json::from_str(settings).expect("JSON");
    settings["key"].as_str().expect("a key").to_owned()
}

/// Makes the guard of the rehearsal that serves an address admit another access key.
pub(crate) fn admit(url: &str, other: &str) {
    let place = format!("{}/_guard/keys/{other}", url.split("/_alb").next().expect("an address"));
    let login = format!("Authorization: Bearer {}", access_key(url));
    let order =
        ["--fail", "--silent", "--show-error", "--noproxy", "*", "--request", "PUT", "--header", &login, &place];
    let status = Command::new("curl").args(order).stdout(Stdio::null()).status().expect("curl is here");
    assert!(status.success(), "{other} is let in");
}

/// Requests an object in the bucket of the emulated AWS that serves an address, with the rehearsal's own login.
fn object(url: &str, key: &str, how: &[&str]) -> std::process::Output {
    let endpoint = url.split("/_alb").next().expect("an address");
    let scope = format!("{}/20260101/eu-west-1/s3/aws4_request", access_key(url));
    let login = format!("Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    let always = ["--fail", "--silent", "--show-error", "--noproxy", "*", "--header", &login];
    let place = format!("{endpoint}/shop-state/{key}");
    Command::new("curl").args(always).args(how).arg(place).output().expect("curl is here")
}

/// Writes an object into that bucket.
pub(crate) fn put(url: &str, key: &str, content: &str) {
    let put = object(url, key, &["--request", "PUT", "--data-binary", content]);
    assert!(put.status.success(), "{key} is written");
}

/// Removes an object from that bucket.
pub(crate) fn remove(url: &str, key: &str) {
    assert!(object(url, key, &["--request", "DELETE"]).status.success(), "{key} is removed");
}

/// The content of an object in that bucket; `None` if there is none.
pub(crate) fn get(url: &str, key: &str) -> Option<String> {
    let got = object(url, key, &[]);
    got.status.success().then(|| String::from_utf8_lossy(&got.stdout).into_owned())
}
