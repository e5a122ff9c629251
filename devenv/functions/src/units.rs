//! The units of functions, as their supervisor runs them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use devenv_model::observed::UnitState;
use devenv_supervisor::client::Client;
use devenv_supervisor::memory::memory_of_groups;
use devenv_supervisor::state_directory::StateDirectory;
use futures_util::future::BoxFuture;

use crate::log_tail::LogMark;
use crate::seat::Seat;

/// The limit for a killed program to end.
const END_LIMIT: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The limit for every request to the supervisor together, and for the init of a container: an invocation's end waits no longer.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// What a host asks of whoever runs the units.
pub(crate) trait Units: fmt::Debug + Send + Sync {
    /// Kills the unit's program, which cannot end itself, and has it started again. Resolves when the old program is gone.
    fn restart<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), String>>;
    /// The bytes of memory of the unit's processes.
    fn memory<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Option<u64>>;
    /// The end of the unit's output at this moment.
    fn mark(&self, unit: &str) -> LogMark;
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

    fn mark(&self, _unit: &str) -> LogMark {
        LogMark::Nothing
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

    fn mark(&self, unit: &str) -> LogMark {
        LogMark::at_end(self.state.log(unit))
    }
}

/// Units in containers, each with an init that this host orders to end its program.
#[derive(Debug)]
pub(crate) struct Contained {
    pub(crate) seats: BTreeMap<String, Arc<Seat>>,
}

impl Units for Contained {
    fn restart<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let seat = self.seats.get(unit).ok_or_else(|| "it has no container".to_owned())?;
            let late = |_| format!("its container has started no other program within {} s", ANSWER_LIMIT.as_secs());
            tokio::time::timeout(ANSWER_LIMIT, seat.replace()).await.map_err(late)
        })
    }

    fn memory<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Option<u64>> {
        Box::pin(async move { self.seats.get(unit)?.memory() })
    }

    fn mark(&self, unit: &str) -> LogMark {
        self.seats.get(unit).map_or(LogMark::Nothing, |seat| LogMark::Kept(Arc::clone(seat), seat.written()))
    }
}
