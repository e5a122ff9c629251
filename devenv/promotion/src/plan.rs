//! Terraform on one environment: a release planned with its own files, that plan applied, and what it then names.

use std::collections::BTreeMap;
use std::fs::File;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_engine::Cancel;
use devenv_model::event::Event;
use devenv_model::promotion::changes::Changes;
use devenv_model::promotion::record::Release;
use devenv_model::promotion::state_lock::{LockVerdict, judge_lock, lock_lines};
use devenv_supervisor::lock;
use serde::Deserialize;
use serde_json::json;

use crate::context::PromotionContext;
use crate::error::Error;
use crate::terraform::{TerraformOrder, log_path};
use crate::tree::Tree;

/// How long Terraform waits for a lock that another one holds.
const LOCK_WAIT: &str = "-lock-timeout=10s";
const OUTPUT_TRIES: u32 = 4;
const OUTPUT_PAUSE: Duration = Duration::from_secs(5);
/// Of `plan -detailed-exitcode`: there is something to do.
const CHANGES: i32 = 2;

/// A saved plan and what it will do.
#[derive(Debug)]
pub(crate) struct Planned {
    root: Utf8PathBuf,
    pub(crate) changes: Changes,
    /// As Terraform shows it to people.
    pub(crate) text: String,
    /// Whether there is anything to apply, new values of outputs among it.
    pub(crate) is_something: bool,
}

impl PromotionContext<'_> {
    /// Plans a release with its own Terraform files and images.
    pub(crate) async fn plan(
        &self,
        tree: &Tree,
        release: &Release,
        only_look: bool,
        cancel: &Cancel,
    ) -> Result<Planned, Error> {
        let files = self.folder.join("tree");
        let state = |source| devenv_engine::Error::State { path: files.clone(), source };
        self.await_earlier(cancel).await?;
        tree.write(&files).map_err(state)?;
        let inputs = self.folder.join("release.tfvars.json");
        std::fs::write(&inputs, inputs_of(release)).map_err(state)?;
        let root = files.join(&self.target.terraform).join("release");
        let mut init: Vec<String> =
            ["init", "-no-color", "-reconfigure", "-backend-config=../account.tfvars.json"].map(str::to_owned).into();
        init.extend(self.backend.clone());
        self.terraform(&root, init, false, cancel).await?;
        if !only_look {
            self.clear_stale_lock("release", &root, cancel).await?;
        }
        let saved = self.folder.join("plan");
        let mut plan: Vec<String> =
            ["plan", "-no-color", "-detailed-exitcode", "-var-file=../account.tfvars.json"].map(str::to_owned).into();
        plan.push(format!("-var-file={inputs}"));
        plan.push(format!("-out={saved}"));
        plan.push(if only_look { "-lock=false" } else { LOCK_WAIT }.to_owned());
        let (code, _) = self.terraform(&root, plan, false, cancel).await?;
        let show = |json: bool| {
            let mut show = vec!["show".to_owned(), "-no-color".to_owned()];
            show.extend(json.then(|| "-json".to_owned()));
            show.push(saved.to_string());
            show
        };
        let (_, json) = self.terraform(&root, show(true), true, cancel).await?;
        let changes = Changes::read(json.as_bytes()).map_err(|error| Error::Terraform {
            command: "show".to_owned(),
            output: vec![format!("its answer is not understood: {error}")],
        })?;
        let (_, text) = self.terraform(&root, show(false), true, cancel).await?;
        let forbidden: Vec<_> = changes.forbidden().into_iter().cloned().collect();
        if !forbidden.is_empty() {
            return Err(Error::Forbidden { changes: forbidden });
        }
        Ok(Planned { root, changes, text, is_something: code == CHANGES })
    }

    /// Applies the rehearsal's own foundation with these inputs, unless it was made from the same before.
    pub(crate) async fn apply_foundation(&self, inputs: &str, made_from: &str, cancel: &Cancel) -> Result<(), Error> {
        let file = self.folder.join("foundation.tfvars.json");
        let mark = self.folder.join("foundation");
        let key = format!("{}/foundation.tfstate", self.target.name);
        let is_there = self.ledger.get(&key).await.map_err(Error::from)?.is_some();
        if is_there && std::fs::read_to_string(&mark).is_ok_and(|before| before == made_from) {
            return Ok(());
        }
        self.await_earlier(cancel).await?;
        std::fs::write(&file, inputs).map_err(|source| devenv_engine::Error::State { path: file.clone(), source })?;
        let root = self.project.instance.root.join(&self.target.terraform).join("foundation");
        let mut init: Vec<String> =
            ["init", "-no-color", "-reconfigure", "-backend-config=../account.tfvars.json"].map(str::to_owned).into();
        init.extend(self.backend.clone());
        self.terraform(&root, init, false, cancel).await?;
        self.clear_stale_lock("foundation", &root, cancel).await?;
        let mut apply: Vec<String> = ["apply", "-no-color", "-auto-approve", LOCK_WAIT].map(str::to_owned).into();
        apply.push(format!("-var-file={file}"));
        self.terraform(&root, apply, false, cancel).await?;
        std::fs::write(&mark, made_from).map_err(|source| devenv_engine::Error::State { path: mark, source }.into())
    }

    /// Carries out exactly what was planned: Terraform refuses a plan whose state has changed since.
    pub(crate) async fn apply(&self, planned: &Planned, cancel: &Cancel) -> Result<(), Error> {
        let saved = self.folder.join("plan");
        let apply = ["apply", "-no-color", LOCK_WAIT, saved.as_str()].map(str::to_owned).into();
        self.terraform(&planned.root, apply, false, cancel).await?;
        Ok(())
    }

    /// By service: the task definition that the applied release wants to run.
    pub(crate) async fn task_definitions(&self, planned: &Planned) -> Result<BTreeMap<String, String>, Error> {
        #[derive(Deserialize)]
        struct Outputs {
            task_definitions: Value,
        }
        #[derive(Deserialize)]
        struct Value {
            value: BTreeMap<String, String>,
        }
        let output = ["output", "-no-color", "-json"].map(str::to_owned).into();
        let answer = self.outputs(&planned.root, output).await?;
        let outputs: Outputs = serde_json::from_str(&answer).map_err(|error| Error::Terraform {
            command: "output".to_owned(),
            output: vec![format!("no task_definitions in its answer: {error}")],
        })?;
        Ok(outputs.task_definitions.value)
    }

    /// What was applied is live or about to be: that its state cannot be read at once must not take it back.
    async fn outputs(&self, root: &Utf8Path, output: Vec<String>) -> Result<String, Error> {
        for _ in 1..OUTPUT_TRIES {
            match self.terraform(root, output.clone(), true, &Cancel::never()).await {
                Ok((_, answer)) => return Ok(answer),
                Err(error) => self.progress(format!("{error}; trying again")),
            }
            tokio::time::sleep(OUTPUT_PAUSE).await;
        }
        Ok(self.terraform(root, output, true, &Cancel::never()).await?.1)
    }

    async fn terraform(
        &self,
        root: &Utf8Path,
        arguments: Vec<String>,
        answers: bool,
        cancel: &Cancel,
    ) -> Result<(i32, String), Error> {
        let terraform = self.terraform.get_or_try_init(|| self.tools.terraforms.find()).await?;
        let command = arguments.first().cloned().unwrap_or_default();
        let order = TerraformOrder { root: root.to_owned(), arguments, environment: self.variables.clone(), answers };
        let line = |line: String| self.emitter.emit(Event::StageProgress { line, detail: true });
        let alive = self.alive().ok();
        let end = terraform.run(&order, alive, &line, cancel).await?;
        if cancel.is_cancelled() && end.code != 0 {
            return Err(devenv_engine::Error::Cancelled.into());
        }
        match end.code {
            0 | CHANGES => Ok((end.code, end.answer)),
            _ if end.output.iter().any(|line| line.contains("Error acquiring the state lock")) => {
                Err(self.state_locked(&end.output))
            }
            _ => Err(Error::Terraform { command, output: end.output }),
        }
    }

    fn state_locked(&self, output: &[String]) -> Error {
        // `ID:` and the like stand at the beginning of a line, behind the frame that Terraform draws.
        let said = |key: &str| {
            let words = |line: &String| line.trim_start_matches(['\u{2502}', ' ']).to_owned();
            let line = output.iter().map(words).find_map(|line| line.strip_prefix(key).map(str::to_owned));
            line.map_or_else(|| "?".to_owned(), |value| value.trim().to_owned())
        };
        Error::StateLocked {
            environment: self.target.name.clone(),
            who: said("Who:"),
            since: said("Created:"),
            id: said("ID:"),
        }
    }

    /// A file that every Terraform of this folder holds while it lives, also when the run that started it was killed.
    fn alive_path(&self) -> Utf8PathBuf {
        self.folder.join("terraform.lock")
    }

    fn alive(&self) -> std::io::Result<File> {
        lock::take_for_child(&self.alive_path())
    }

    /// A Terraform that outlived its run ends by itself, and must have.
    async fn await_earlier(&self, cancel: &Cancel) -> Result<(), Error> {
        let path = self.alive_path();
        let is_held =
            || lock::is_held(&path).map_err(|source| devenv_engine::Error::State { path: path.clone(), source });
        if is_held()? {
            self.progress("waiting for the Terraform of a run that was killed");
        }
        while is_held()? {
            tokio::select! {
                () = cancel.cancelled() => return Err(devenv_engine::Error::Cancelled.into()),
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
        Ok(())
    }

    /// Removes the lock that a Terraform of this very folder left when it was killed: none of them lives. Another's lock
    /// stays, also when it has the same user and machine, and Terraform names it when it cannot have it.
    async fn clear_stale_lock(&self, state: &str, root: &Utf8Path, cancel: &Cancel) -> Result<(), Error> {
        let path = log_path(&self.folder);
        let log = std::fs::read(&path).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        // Nobody writes it now, and it must not grow for ever.
        let lines = lock_lines(&log);
        std::fs::write(&path, &lines).map_err(|source| devenv_engine::Error::State { path, source })?;
        let key = format!("{}/{state}.tfstate.tflock", self.target.name);
        let object = self.ledger.get(&key).await.map_err(Error::from)?;
        if let LockVerdict::LeftHere(lock) = judge_lock(object.as_ref().map(|object| object.content.as_slice()), &lines)
        {
            self.progress(format!("removing the lock that a killed Terraform of this folder left ({})", lock.id));
            let unlock = ["force-unlock", "-force", &lock.id].map(str::to_owned).into();
            self.terraform(root, unlock, false, cancel).await?;
        }
        Ok(())
    }
}

fn inputs_of(release: &Release) -> String {
    let images: BTreeMap<&String, _> = release
        .images
        .iter()
        .map(|(service, image)| (service, json!({ "reference": image.reference, "platform": image.platform })))
        .collect();
    json!({ "images": images }).to_string()
}
