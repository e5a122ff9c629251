//! The units of functions, as their supervisor runs them.

use std::fmt;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::observed::UnitState;
use devenv_supervisor::client::Client;
use devenv_supervisor::memory::memory_of_groups;
use devenv_supervisor::state_directory::StateDirectory;
use futures_util::future::BoxFuture;

/// The limit for a killed program to end.
const END_LIMIT: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The limit for every request to the supervisor together: an invocation's end waits for none of them longer.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// What a host asks of whoever runs the units.
pub(crate) trait Units: fmt::Debug + Send + Sync {
    /// Kills the unit's program, which cannot end itself, and has it started again. Resolves when the old program is gone.
    fn restart<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), String>>;
    /// The bytes of memory of the unit's processes.
    fn memory<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Option<u64>>;
    /// The file with the unit's output.
    fn log(&self, unit: &str) -> Option<Utf8PathBuf>;
}

/// Units without a supervisor: a program past its deadline keeps running.
#[derive(Debug)]
pub(crate) struct Unsupervised;

impl Units for Unsupervised {
    fn restart<'a>(&'a self, _unit: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Err("no supervisor runs it".to_owned()) })
    }

    fn memory<'a>(&'a self, _unit: &'a str) -> BoxFuture<'a, Option<u64>> {
        Box::pin(async { None })
    }

    fn log(&self, _unit: &str) -> Option<Utf8PathBuf> {
        None
    }
}

/// The units of an environment's supervisor, which this host reaches as a command does.
#[derive(Debug)]
pub(crate) struct Supervised {
    state: StateDirectory,
}

impl Supervised {
    pub(crate) fn at(state: &Utf8Path) -> Self {
        Self { state: StateDirectory::new(state) }
    }

    async fn client(&self) -> Result<Client, String> {
        let client = Client::reach(&self.state).await.map_err(|error| error.to_string())?;
        client.ok_or_else(|| "its supervisor has ended".to_owned())
    }

    async fn pid(client: &mut Client, unit: &str) -> Result<Option<u32>, String> {
        let units = client.observe().await.map_err(|error| error.to_string())?;
        let state = units.into_iter().find(|seen| seen.name == unit).map(|seen| seen.state);
        Ok(state.as_ref().and_then(UnitState::pid))
    }

    async fn kill(&self, unit: &str) -> Result<(), String> {
        let failed = |error: devenv_supervisor::error::Error| error.to_string();
        let mut client = self.client().await?;
        let Some(old) = Self::pid(&mut client, unit).await? else { return Ok(()) };
        client.kill(unit).await.map_err(failed)?;
        let end = tokio::time::Instant::now() + END_LIMIT;
        while Self::pid(&mut client, unit).await? == Some(old) {
            if tokio::time::Instant::now() > end {
                return Err(format!("process {old} has not ended within {} s", END_LIMIT.as_secs()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        // The pause after a crash is for programs that fail by themselves.
        client.start_again(unit).await.map_err(failed)
    }

    async fn resident(&self, unit: &str) -> Option<u64> {
        let pid = Self::pid(&mut self.client().await.ok()?, unit).await.ok()??;
        memory_of_groups(&[pid])
    }
}

impl Units for Supervised {
    fn restart<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let late = |_| Err(format!("its supervisor has not answered within {} s", ANSWER_LIMIT.as_secs()));
            tokio::time::timeout(ANSWER_LIMIT, self.kill(unit)).await.unwrap_or_else(late)
        })
    }

    fn memory<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Option<u64>> {
        Box::pin(async move { tokio::time::timeout(ANSWER_LIMIT, self.resident(unit)).await.unwrap_or_default() })
    }

    fn log(&self, unit: &str) -> Option<Utf8PathBuf> {
        Some(self.state.log(unit))
    }
}
