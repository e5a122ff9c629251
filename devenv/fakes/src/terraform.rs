//! Terraform on one root: a plan of task definitions, applied to [`FakeServices`], with its state and its lock in [`FakeObjects`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use devenv_cloud::CloudError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{FakeObjects, FakeServices, Faults};

/// The exit code of `plan -detailed-exitcode` where the plan changes something.
const CHANGES: i32 = 2;
/// How long it waits for a lock with `-lock-timeout`.
const WAITS: Duration = Duration::from_secs(10);

/// The Terraform of one user on one machine: a separate process, so its faults are separate too.
#[derive(Debug, Clone)]
pub struct FakeTerraform {
    pub(crate) objects: FakeObjects,
    services: FakeServices,
    faults: Faults,
    /// The owner in its locks: `user@host`.
    who: String,
    /// The log, which names a lock before Terraform takes it, as with the real one's `TF_LOG_PATH`.
    log: Option<PathBuf>,
    /// Resources that every plan changes too, in the form of `terraform show -json`.
    also: Vec<Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TerraformAnswer {
    pub code: i32,
    /// Standard output, if the command answers.
    pub answer: String,
    /// Lines for people.
    pub output: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct State {
    serial: u64,
    outputs: Value,
    /// The applied images, by service.
    images: BTreeMap<String, String>,
    /// Task definitions, by service.
    definitions: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    serial: u64,
    images: BTreeMap<String, String>,
    changes: Vec<String>,
    /// The services of the state that the release does not have.
    removed: Vec<String>,
}

/// The location of a root.
struct Root {
    bucket: String,
    environment: String,
    cluster: String,
}

impl Root {
    fn state(&self) -> String {
        format!("{}/release.tfstate", self.environment)
    }

    fn lock(&self) -> String {
        format!("{}.tflock", self.state())
    }
}

impl FakeTerraform {
    pub fn new(objects: FakeObjects, services: FakeServices, faults: Faults, who: &str) -> Self {
        Self { objects, services, faults, who: who.to_owned(), log: None, also: Vec::new() }
    }

    /// A copy with this log.
    #[must_use]
    pub fn logging_to(&self, log: Option<PathBuf>) -> Self {
        Self { log, ..self.clone() }
    }

    /// A copy whose plans change this resource too, in the form of `terraform show -json`.
    #[must_use]
    pub fn changing(&self, resource: Value) -> Self {
        Self { also: vec![resource], ..self.clone() }
    }

    /// One command with its arguments, in the root of a release, `.../ENV/release`, or of a rehearsal's foundation.
    pub async fn run(&self, root: &Path, arguments: &[String]) -> TerraformAnswer {
        let command = arguments.first().map_or("", String::as_str);
        let done = match command {
            "init" => self.step("init", || ()).await.map(|()| TerraformAnswer::default()),
            "plan" => self.plan(root, arguments).await,
            "show" => self.show(arguments).await,
            "apply" if root.ends_with("foundation") => self.apply_foundation(root, arguments).await,
            "apply" => self.apply(root, arguments).await,
            "output" => self.output(root).await,
            "force-unlock" => self.unlock_by_force(root, arguments).await,
            other => panic!("the fake knows no terraform {other}"),
        };
        done.unwrap_or_else(|failed| failed)
    }

    /// One effect, under the script's faults.
    pub(crate) async fn step<T>(&self, what: &str, mut work: impl FnMut() -> T) -> Result<T, TerraformAnswer> {
        let met = self.faults.meet(format!("terraform {what}"), || Ok(work())).await;
        met.map_err(|error: CloudError| failed(&[&format!("Error: {}", error.cause)]))
    }

    fn root(&self, root: &Path) -> Root {
        let folder = root.parent().expect("a root is in the environment's folder");
        let account = read(&folder.join("account.tfvars.json"));
        let bucket = account["bucket"].as_str().expect("a bucket").to_owned();
        let environment = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let foundation = self.objects.content(&bucket, &format!("{environment}/foundation.tfstate"));
        let foundation: Value = serde_json::from_slice(&foundation.expect("a foundation")).expect("JSON");
        let cluster = foundation["outputs"]["release"]["value"]["cluster"]["name"].as_str().expect("a cluster");
        Root { bucket, environment, cluster: cluster.to_owned() }
    }

    fn state(&self, root: &Root) -> State {
        let content = self.objects.content(&root.bucket, &root.state());
        content.map(|content| serde_json::from_slice(&content).expect("a state")).unwrap_or_default()
    }

    async fn plan(&self, at: &Path, arguments: &[String]) -> Result<TerraformAnswer, TerraformAnswer> {
        let root = self.root(at);
        let locks = !arguments.iter().any(|argument| argument == "-lock=false");
        let lock = if locks { Some(self.lock(&root, "OperationTypePlan").await?) } else { None };
        let inputs = values(arguments, "-var-file=").map(PathBuf::from).find(|path| path.is_absolute());
        let inputs = read(&inputs.expect("the release's inputs"));
        let images = inputs["images"].as_object().expect("images by service").iter();
        let images: BTreeMap<String, String> = images
            .map(|(service, image)| (service.clone(), image["reference"].as_str().unwrap_or_default().to_owned()))
            .collect();
        let state = self.step("plan refresh", || self.state(&root)).await?;
        let differs = |service: &String, image: &String| {
            let told = self.services.told(&root.cluster, service).map(|(definition, _)| definition);
            state.images.get(service) != Some(image) || told.as_ref() != state.definitions.get(service)
        };
        let changes: Vec<String> =
            images.iter().filter(|(service, image)| differs(service, image)).map(|(name, _)| name.clone()).collect();
        let removed: Vec<String> = state.images.keys().filter(|name| !images.contains_key(*name)).cloned().collect();
        let code = if changes.is_empty() && removed.is_empty() { 0 } else { CHANGES };
        let saved = values(arguments, "-out=").next().expect("a plan is saved");
        let plan = Plan { serial: state.serial, images, changes, removed };
        std::fs::write(saved, serde_json::to_vec(&plan).expect("plain data")).expect("writable");
        if let Some(id) = lock {
            self.unlock(&root, &id).await?;
        }
        Ok(TerraformAnswer { code, ..TerraformAnswer::default() })
    }

    async fn show(&self, arguments: &[String]) -> Result<TerraformAnswer, TerraformAnswer> {
        let plan = self.step("show", || read(Path::new(arguments.last().expect("a plan")))).await?;
        let plan: Plan = serde_json::from_value(plan).expect("a plan of its own");
        let change = |service: &String, action: &str| {
            let address = format!("module.release.aws_ecs_service.{service}");
            json!({ "address": address, "type": "aws_ecs_service", "change": { "actions": [action] } })
        };
        let updated = plan.changes.iter().map(|service| change(service, "update"));
        let changes: Vec<Value> = updated
            .chain(plan.removed.iter().map(|service| change(service, "delete")))
            .chain(self.also.iter().cloned())
            .collect();
        let is_json = arguments.iter().any(|argument| argument == "-json");
        let text = if is_json {
            json!({ "resource_changes": changes }).to_string()
        } else {
            format!("Plan: {} to change.", changes.len())
        };
        Ok(TerraformAnswer { answer: text, ..TerraformAnswer::default() })
    }

    async fn apply(&self, at: &Path, arguments: &[String]) -> Result<TerraformAnswer, TerraformAnswer> {
        let root = self.root(at);
        let plan: Plan =
            serde_json::from_value(read(Path::new(arguments.last().expect("a plan")))).expect("a plan of its own");
        let id = self.lock(&root, "OperationTypeApply").await?;
        let mut state = self.state(&root);
        if state.serial != plan.serial {
            self.unlock(&root, &id).await?;
            return Err(failed(&["Error: Saved plan is stale"]));
        }
        let applied = self.carry_out(&root, &plan, &mut state).await;
        // Like the real one, it writes its state even after a partial failure.
        state.serial += 1;
        state.outputs = json!({ "task_definitions": { "value": state.definitions, "type": "map" } });
        let content = serde_json::to_vec(&state).expect("plain data");
        self.step("apply write", || self.objects.overwrite(&root.bucket, &root.state(), content.clone())).await?;
        self.unlock(&root, &id).await?;
        applied.map(|()| TerraformAnswer::default())
    }

    async fn carry_out(&self, root: &Root, plan: &Plan, state: &mut State) -> Result<(), TerraformAnswer> {
        for (service, image) in &plan.images {
            if !plan.changes.contains(service) {
                continue;
            }
            let family = format!("{}-{service}", root.cluster);
            let register = || self.services.register(&family, service, image);
            let definition = self.step("apply register", register).await?;
            // Recorded at once, in case the next request fails.
            let is_new = state.definitions.insert(service.clone(), definition.clone()).is_none();
            state.images.insert(service.clone(), image.clone());
            let update = || {
                self.services.update(&root.cluster, service, &definition);
                if is_new {
                    self.services.wake(&root.cluster, service);
                }
            };
            self.step("apply update", update).await?;
        }
        // As in a rehearsal: no provider removes the service itself.
        for service in &plan.removed {
            state.definitions.remove(service);
            state.images.remove(service);
        }
        Ok(())
    }

    async fn output(&self, at: &Path) -> Result<TerraformAnswer, TerraformAnswer> {
        let root = self.root(at);
        let state = self.step("output", || self.state(&root)).await?;
        Ok(TerraformAnswer { answer: state.outputs.to_string(), ..TerraformAnswer::default() })
    }

    /// Takes the lock of the state; waits for another holder within the timeout. Returns the lock's id.
    async fn lock(&self, root: &Root, operation: &str) -> Result<String, TerraformAnswer> {
        let deadline = tokio::time::Instant::now() + WAITS;
        let number = self.faults.calls().len();
        let id = format!("{:08x}-0000-4000-8000-{number:012x}", std::process::id());
        let content = json!({
            "ID": id, "Operation": operation, "Info": "", "Who": self.who, "Version": "1.11.4",
            "Created": "2026-11-21T10:00:00Z", "Path": format!("{}/{}", root.bucket, root.state()),
        });
        if let Some(log) = &self.log {
            let line = format!("[INFO]  backend-s3: Attempting to lock remote state...: tf_backend.lock.id={id}\n");
            let before = std::fs::read_to_string(log).unwrap_or_default();
            std::fs::write(log, before + &line).expect("writable");
        }
        loop {
            let take = || {
                let is_free = self.objects.content(&root.bucket, &root.lock()).is_none();
                if is_free {
                    self.objects.overwrite(&root.bucket, &root.lock(), content.to_string());
                }
                is_free
            };
            if self.step("lock", take).await? {
                return Ok(id);
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(self.locked(root));
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// The error in the frame that the real Terraform draws.
    fn locked(&self, root: &Root) -> TerraformAnswer {
        let held = self.objects.content(&root.bucket, &root.lock()).unwrap_or_default();
        let held: Value = serde_json::from_slice(&held).unwrap_or_default();
        let said = |name: &str, key: &str| format!("\u{2502}   {name}:        {}", held[key].as_str().unwrap_or("?"));
        let lines = ["ID", "Path", "Operation", "Who", "Version", "Created"].map(|key| said(key, key));
        let mut output = vec!["\u{2502} Error: Error acquiring the state lock".to_owned(), "Lock Info:".to_owned()];
        output.extend(lines);
        TerraformAnswer { code: 1, output, ..TerraformAnswer::default() }
    }

    async fn unlock(&self, root: &Root, id: &str) -> Result<(), TerraformAnswer> {
        let held = self.objects.content(&root.bucket, &root.lock()).unwrap_or_default();
        let is_ours = serde_json::from_slice::<Value>(&held).is_ok_and(|held| held["ID"] == id);
        if !is_ours {
            return Err(failed(&["Error: failed to unlock state: the lock is another's"]));
        }
        self.step("unlock", || self.objects.remove(&root.bucket, &root.lock())).await
    }

    async fn unlock_by_force(&self, at: &Path, arguments: &[String]) -> Result<TerraformAnswer, TerraformAnswer> {
        let root = self.root(at);
        self.unlock(&root, arguments.last().map_or("", String::as_str)).await?;
        Ok(TerraformAnswer::default())
    }
}

fn failed(lines: &[&str]) -> TerraformAnswer {
    let output = lines.iter().map(|line| format!("\u{2502} {line}")).collect();
    TerraformAnswer { code: 1, output, ..TerraformAnswer::default() }
}

pub(crate) fn values<'a>(arguments: &'a [String], option: &'a str) -> impl Iterator<Item = &'a str> {
    arguments.iter().filter_map(move |argument| argument.strip_prefix(option))
}

pub(crate) fn read(path: &Path) -> Value {
    let content = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&content).expect("JSON")
}
