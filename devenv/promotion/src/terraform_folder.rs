//! The folder of one environment in which devenv runs Terraform: its settings, one command at a time, and stale locks.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::event::Event;
use devenv_releases::state_lock::{LockVerdict, judge_lock, lock_lines};
use devenv_runtime::Cancel;
use devenv_supervisor::lock;
use tokio::sync::OnceCell;

use crate::context::PromotionContext;
use crate::emulated_aws::lead_away_from_aws;
use crate::error::Error;
use crate::terraform::{Terraform, TerraformOrder, environment, log_path};

/// The exit code of `plan -detailed-exitcode` where the plan changes something.
pub(crate) const CHANGES: i32 = 2;

#[derive(Debug)]
pub(crate) struct TerraformFolder<'a> {
    pub(crate) context: &'a PromotionContext<'a>,
    /// Found when it is first needed.
    program: OnceCell<Arc<dyn Terraform>>,
    variables: BTreeMap<OsString, OsString>,
    /// Arguments of `init`.
    pub(crate) backend: Vec<String>,
}

impl<'a> TerraformFolder<'a> {
    /// Writes Terraform's settings into the folder. Starts no Terraform.
    pub(crate) fn open(context: &'a PromotionContext<'a>) -> Result<Self, Error> {
        let folder = &context.folder;
        let state = |source| devenv_runtime::Error::State { path: folder.clone(), source };
        let own = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
        let mut variables: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        variables.retain(|name, value| !leads_terraform_astray(&name.to_string_lossy(), &value.to_string_lossy()));
        let mut backend = Vec::new();
        if let Some(aws) = &context.emulated {
            lead_away_from_aws(&mut variables, aws, &context.region);
            backend.push("-backend-config=use_path_style=true".to_owned());
        } else {
            variables.extend([own("AWS_REGION", &context.region)]);
        }
        variables.extend(environment(folder).map(|(name, value)| own(name, &value)));
        variables.extend([own("DEVENV_BIN", devenv_runtime::own_program()?.as_str())]);
        let plugins = folder.join("plugins");
        let rc = format!("disable_checkpoint = true\nplugin_cache_dir = {:?}\n", plugins.as_str());
        std::fs::create_dir_all(plugins).map_err(state)?;
        std::fs::write(folder.join("terraform.rc"), rc).map_err(state)?;
        Ok(Self { context, program: OnceCell::new(), variables, backend })
    }

    pub(crate) async fn run(
        &self,
        root: &Utf8Path,
        arguments: Vec<String>,
        answers: bool,
        cancel: &Cancel,
    ) -> Result<(i32, String), Error> {
        let terraform = self.program.get_or_try_init(|| self.context.tools.terraforms.find()).await?;
        let command = arguments.first().cloned().unwrap_or_default();
        let order = TerraformOrder { root: root.to_owned(), arguments, environment: self.variables.clone(), answers };
        let line = |line: String| self.context.emitter.emit(Event::StageProgress { line, detail: true });
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
        // `ID:` and the like begin a line, after the frame that Terraform draws.
        let said = |key: &str| {
            let words = |line: &String| line.trim_start_matches(['\u{2502}', ' ']).to_owned();
            let line = output.iter().map(words).find_map(|line| line.strip_prefix(key).map(str::to_owned));
            line.map_or_else(|| "?".to_owned(), |value| value.trim().to_owned())
        };
        Error::StateLocked {
            environment: self.context.target.name.clone(),
            who: said("Who:"),
            since: said("Created:"),
            id: said("ID:"),
        }
    }

    /// A file that every Terraform of this folder locks while it lives, even after its run was killed.
    fn alive_path(&self) -> Utf8PathBuf {
        self.context.folder.join("terraform.lock")
    }

    fn alive(&self) -> std::io::Result<File> {
        lock::take_for_child(&self.alive_path())
    }

    /// Waits for a Terraform that outlived its run; it ends by itself.
    pub(crate) async fn await_earlier(&self, cancel: &Cancel) -> Result<(), Error> {
        let path = self.alive_path();
        let failed = |source| devenv_runtime::Error::State { path: path.clone(), source };
        let is_held = || lock::is_held(&path).map_err(failed);
        if is_held()? {
            let path = path.clone();
            let look = tokio::task::spawn_blocking(move || lock::stays_held(&path));
            if look.await.expect("looking at a file does not panic").map_err(failed)? {
                self.context.progress("waiting for the Terraform of a killed run to end");
            }
        }
        while is_held()? {
            tokio::select! {
                () = cancel.cancelled() => return Err(devenv_engine::Error::Cancelled.into()),
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
        Ok(())
    }

    /// Removes the lock that a killed Terraform of this folder left: none of them lives now. Any other lock stays, even one of the
    /// same user and machine; Terraform then reports it.
    pub(crate) async fn clear_stale_lock(&self, state: &str, root: &Utf8Path, cancel: &Cancel) -> Result<(), Error> {
        let path = log_path(&self.context.folder);
        let log = std::fs::read(&path).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        // No Terraform writes the log now; trimming keeps it small.
        let lines = lock_lines(&log);
        std::fs::write(&path, &lines).map_err(|source| devenv_runtime::Error::State { path, source })?;
        let key = format!("{}/{state}.tfstate.tflock", self.context.target.name);
        let object = self.context.ledger.get(&key).await.map_err(Error::from)?;
        if let LockVerdict::LeftHere(lock) = judge_lock(object.as_ref().map(|object| object.content.as_slice()), &lines)
        {
            self.context
                .progress(format!("removing the lock that a killed Terraform of this folder left ({})", lock.id));
            let unlock = ["force-unlock", "-force", &lock.id].map(str::to_owned).into();
            self.run(root, unlock, false, cancel).await?;
        }
        Ok(())
    }
}

/// Settings of the caller's own Terraform that would change ours. A more verbose log is allowed; a terser one would not name
/// locks.
fn leads_terraform_astray(variable: &str, value: &str) -> bool {
    let is_verbose = ["TRACE", "DEBUG", "INFO", "JSON"].iter().any(|level| value.eq_ignore_ascii_case(level));
    variable.starts_with("TF_") && !(variable == "TF_LOG" && is_verbose)
}
