//! Events of callers that do not wait: kept as files until the function has handled them, so that a kill loses none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_resources::function_host::settings::HOST_FORMAT;
use devenv_supervisor::files;
use serde::{Deserialize, Serialize};

use crate::function::Function;
use crate::invocation::{Invocation, Outcome};

/// The pauses before the retries of an event whose invocation failed. Lambda retries twice too, after minutes.
const RETRIES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// The events of one function that may wait.
const LIMIT: usize = 1000;

/// The reason an event is not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    Full,
    Unwritten(std::io::Error),
}

/// An event's file.
#[derive(Serialize, Deserialize)]
struct Kept {
    format: u32,
    function: String,
    event: String,
}

#[derive(Debug)]
pub(crate) struct Events {
    folder: Utf8PathBuf,
    /// The number of waiting events of each function.
    waiting: Mutex<BTreeMap<String, usize>>,
}

impl Events {
    /// The events below the host's data folder, which is made.
    pub(crate) fn within(data: &Utf8Path) -> std::io::Result<Self> {
        let folder = data.join("events");
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder, waiting: Mutex::default() })
    }

    /// Keeps the event, and has the function handle it.
    pub(crate) fn take(self: &Arc<Self>, function: &Arc<Function>, invocation: Invocation) -> Result<(), Refused> {
        let name = &function.settings.name;
        if !self.admits(name) {
            return Err(Refused::Full);
        }
        let event = String::from_utf8_lossy(&invocation.event).into_owned();
        let kept = Kept { format: HOST_FORMAT, function: name.clone(), event };
        if let Err(error) = self.write(&invocation.id, &kept) {
            self.is_over(name);
            return Err(Refused::Unwritten(error));
        }
        tokio::spawn(Arc::clone(self).handle(Arc::clone(function), invocation));
        Ok(())
    }

    /// Has the functions handle the events that an earlier run of this program left.
    pub(crate) fn resume(self: &Arc<Self>, functions: &BTreeMap<String, Arc<Function>>) -> std::io::Result<()> {
        for entry in self.folder.read_dir_utf8()? {
            let path = entry?.into_path();
            let Some(id) = path.file_stem().filter(|_| path.extension() == Some("json")) else { continue };
            let kept: Option<Kept> = std::fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
            let kept = kept.filter(|kept| kept.format == HOST_FORMAT);
            let function = kept.as_ref().and_then(|kept| functions.get(&kept.function));
            let (Some(kept), Some(function)) = (&kept, function) else {
                crate::say(&format!("ignoring {path}: it is no event of a function here"));
                continue;
            };
            self.admits(&kept.function);
            let invocation = Invocation::with_id(id.to_owned(), kept.event.clone().into());
            tokio::spawn(Arc::clone(self).handle(Arc::clone(function), invocation));
        }
        Ok(())
    }

    async fn handle(self: Arc<Self>, function: Arc<Function>, invocation: Invocation) {
        let mut pauses = RETRIES.iter();
        loop {
            match function.invoke(invocation.clone()).await.outcome {
                Outcome::Done(_) => break,
                // The function has not seen it.
                Outcome::NotTaken(_) => tokio::time::sleep(RETRIES[0]).await,
                Outcome::Failed(_) => match pauses.next() {
                    Some(pause) => tokio::time::sleep(*pause).await,
                    None => {
                        let attempts = RETRIES.len() + 1;
                        crate::say(&format!(
                            "{}: event {} discarded after {attempts} attempts",
                            function.settings.name, invocation.id
                        ));
                        break;
                    }
                },
            }
        }
        let _ = std::fs::remove_file(self.file(&invocation.id));
        self.is_over(&function.settings.name);
    }

    fn file(&self, id: &str) -> Utf8PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn write(&self, id: &str, kept: &Kept) -> std::io::Result<()> {
        files::replace_private(&self.file(id), &serde_json::to_vec(kept)?)
    }

    fn admits(&self, function: &str) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.entry(function.to_owned()).or_default();
        let is_admitted = *count < LIMIT;
        *count += usize::from(is_admitted);
        is_admitted
    }

    fn is_over(&self, function: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(function) {
            *count = count.saturating_sub(1);
        }
    }
}
