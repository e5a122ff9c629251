//! Terraform on one environment: a release planned with its own files, that plan applied, and its outputs read.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::promotion::changes::Changes;
use devenv_releases::record::Release;
use devenv_runtime::Cancel;
use devenv_supervisor::files;
use serde::Deserialize;
use serde_json::json;

use crate::delivery::{Definitions, Planned};
use crate::error::Error;
use crate::terraform_folder::{CHANGES, TerraformFolder};
use crate::tree::Tree;

/// How long Terraform waits for the lock of another Terraform.
const LOCK_WAIT: &str = "-lock-timeout=10s";
const OUTPUT_TRIES: u32 = 4;
const OUTPUT_PAUSE: Duration = Duration::from_secs(5);

impl TerraformFolder<'_> {
    /// The Terraform files of the release at hand.
    fn files(&self) -> Utf8PathBuf {
        self.context.folder.join("tree")
    }

    fn release_root(&self) -> Utf8PathBuf {
        self.files().join(&self.context.target.terraform).join("release")
    }

    fn saved_plan(&self) -> Utf8PathBuf {
        self.context.folder.join("plan")
    }

    /// Plans a release from its own Terraform files and images.
    pub(crate) async fn plan(
        &self,
        tree: &Tree,
        release: &Release,
        only_look: bool,
        cancel: &Cancel,
    ) -> Result<Planned, Error> {
        let files = self.files();
        let state = |source| devenv_runtime::Error::State { path: files.clone(), source };
        self.await_earlier(cancel).await?;
        tree.write(&files).map_err(state)?;
        let inputs = self.context.folder.join("release.tfvars.json");
        files::replace_private(&inputs, inputs_of(release).as_bytes()).map_err(state)?;
        let root = self.release_root();
        let mut init: Vec<String> =
            ["init", "-no-color", "-reconfigure", "-backend-config=../account.tfvars.json"].map(str::to_owned).into();
        init.extend(self.backend.clone());
        self.run(&root, init, false, cancel).await?;
        if !only_look {
            self.clear_stale_lock("release", &root, cancel).await?;
        }
        let saved = self.saved_plan();
        let mut plan: Vec<String> =
            ["plan", "-no-color", "-detailed-exitcode", "-var-file=../account.tfvars.json"].map(str::to_owned).into();
        plan.push(format!("-var-file={inputs}"));
        plan.push(format!("-out={saved}"));
        plan.push(if only_look { "-lock=false" } else { LOCK_WAIT }.to_owned());
        let (code, _) = self.run(&root, plan, false, cancel).await?;
        let show = |json: bool| {
            let mut show = vec!["show".to_owned(), "-no-color".to_owned()];
            show.extend(json.then(|| "-json".to_owned()));
            show.push(saved.to_string());
            show
        };
        let (_, json) = self.run(&root, show(true), true, cancel).await?;
        let changes = Changes::read(json.as_bytes()).map_err(|error| Error::Terraform {
            command: "show".to_owned(),
            output: vec![format!("cannot parse the plan: {error}")],
        })?;
        let (_, text) = self.run(&root, show(false), true, cancel).await?;
        let forbidden: Vec<_> = changes.forbidden().into_iter().cloned().collect();
        if !forbidden.is_empty() {
            return Err(Error::Forbidden { changes: forbidden });
        }
        Ok(Planned { changes, text, is_something: code == CHANGES })
    }

    /// Applies the rehearsal's foundation, a root below `files`, unless it was made from the same inputs before.
    pub(crate) async fn apply_foundation(
        &self,
        files: &Utf8Path,
        inputs: &str,
        made_from: &str,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let file = self.context.folder.join("foundation.tfvars.json");
        let mark = self.context.folder.join("foundation");
        let key = format!("{}/foundation.tfstate", self.context.target.name);
        let is_there = self.context.ledger.get(&key).await.map_err(Error::from)?.is_some();
        if is_there && std::fs::read_to_string(&mark).is_ok_and(|before| before == made_from) {
            return Ok(());
        }
        self.await_earlier(cancel).await?;
        let state = |source| devenv_runtime::Error::State { path: file.clone(), source };
        files::replace_private(&file, inputs.as_bytes()).map_err(state)?;
        let root = files.join(&self.context.target.terraform).join("foundation");
        let mut init: Vec<String> =
            ["init", "-no-color", "-reconfigure", "-backend-config=../account.tfvars.json"].map(str::to_owned).into();
        init.extend(self.backend.clone());
        self.run(&root, init, false, cancel).await?;
        self.clear_stale_lock("foundation", &root, cancel).await?;
        let mut apply: Vec<String> = ["apply", "-no-color", "-auto-approve", LOCK_WAIT].map(str::to_owned).into();
        apply.push(format!("-var-file={file}"));
        self.run(&root, apply, false, cancel).await?;
        let written = files::replace_private(&mark, made_from.as_bytes());
        written.map_err(|source| devenv_runtime::Error::State { path: mark, source }.into())
    }

    /// Applies the saved plan. Terraform refuses it if the state has changed since.
    pub(crate) async fn apply(&self, cancel: &Cancel) -> Result<(), Error> {
        let saved = self.saved_plan();
        let apply = ["apply", "-no-color", LOCK_WAIT, saved.as_str()].map(str::to_owned).into();
        self.run(&self.release_root(), apply, false, cancel).await?;
        Ok(())
    }

    /// The task definition of each service in the applied release.
    pub(crate) async fn task_definitions(&self) -> Result<Definitions, Error> {
        #[derive(Deserialize)]
        struct Outputs {
            task_definitions: Value,
        }
        #[derive(Deserialize)]
        struct Value {
            value: BTreeMap<String, String>,
        }
        let output = ["output", "-no-color", "-json"].map(str::to_owned).into();
        let answer = self.outputs(&self.release_root(), output).await?;
        let outputs: Outputs = serde_json::from_str(&answer).map_err(|error| Error::Terraform {
            command: "output".to_owned(),
            output: vec![format!("cannot read task_definitions: {error}")],
        })?;
        Ok(outputs.task_definitions.value)
    }

    /// Tries repeatedly: the applied release is going live, and an unreadable state must not roll it back.
    async fn outputs(&self, root: &Utf8Path, output: Vec<String>) -> Result<String, Error> {
        for _ in 1..OUTPUT_TRIES {
            match self.run(root, output.clone(), true, &Cancel::never()).await {
                Ok((_, answer)) => return Ok(answer),
                Err(error) => self.context.progress(format!("{error}; trying again")),
            }
            tokio::time::sleep(OUTPUT_PAUSE).await;
        }
        Ok(self.run(root, output, true, &Cancel::never()).await?.1)
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
