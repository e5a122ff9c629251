//! Environments of processes, found by their runtime directories.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::observed::{Leftover, ObservedUnit, UnitState};
use devenv_supervisor::client::Client;
use devenv_supervisor::environment_facts::EnvironmentFacts;
use devenv_supervisor::error::Error as SupervisorError;
use devenv_supervisor::leftovers;
use devenv_supervisor::lock::{LockAttempt, is_held, last_holder, try_hold_at};
use devenv_supervisor::memory::memory_of_groups;
use devenv_supervisor::runtime_directory::{RuntimeDirectory, RuntimeVariables, roots};
use futures_util::future::{BoxFuture, join_all};

use crate::error::Error;

/// A runtime directory, and what lives by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessEnvironment {
    pub runtime: RuntimeDirectory,
    /// `None` if no command described the environment, or a newer devenv did.
    pub facts: Option<EnvironmentFacts>,
    pub life: Life,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    Running {
        supervisor: u32,
        since: Option<u64>,
        /// `None` if the supervisor is of another version and its units cannot be read.
        units: Option<Vec<ObservedUnit>>,
        memory: Option<u64>,
    },
    /// A supervisor holds its lock and does not answer.
    Silent {
        supervisor: u32,
    },
    /// Processes whose supervisor was killed.
    Left {
        processes: Vec<Leftover>,
        memory: Option<u64>,
    },
    /// A command is changing the environment.
    Changing {
        command: u32,
    },
    Stopped,
}

/// The process side of this machine.
pub trait ProcessEnvironments: Send + Sync + fmt::Debug {
    fn find(&self) -> BoxFuture<'_, Result<Vec<ProcessEnvironment>, Error>>;
    /// Ends the supervisor in order, or the processes that a killed one left.
    fn end<'a>(&'a self, runtime: &'a RuntimeDirectory) -> BoxFuture<'a, Result<(), Error>>;
    /// Removes a runtime directory by which nothing lives. Returns whether it did: a command may use it by now.
    fn remove(&self, runtime: &RuntimeDirectory) -> Result<bool, Error>;
}

/// The runtime directories of this user.
#[derive(Debug)]
pub struct LocalProcesses {
    roots: Vec<Utf8PathBuf>,
}

impl LocalProcesses {
    pub fn new(variables: &RuntimeVariables) -> Self {
        Self { roots: roots(variables) }
    }
}

impl ProcessEnvironments for LocalProcesses {
    fn find(&self) -> BoxFuture<'_, Result<Vec<ProcessEnvironment>, Error>> {
        Box::pin(async {
            let mut directories = Vec::new();
            for root in &self.roots {
                directories.extend(runtime_directories(root)?);
            }
            // A silent supervisor must not delay the others.
            join_all(directories.into_iter().map(look)).await.into_iter().collect()
        })
    }

    fn end<'a>(&'a self, runtime: &'a RuntimeDirectory) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async {
            if let Some(mut client) = Client::at(runtime).await? {
                client.shutdown().await?;
                client.closed().await;
            }
            let failed = |source| Error::Remove { path: runtime.units(), source };
            for Leftover { unit, .. } in leftovers::within(&runtime.units()).map_err(failed)? {
                leftovers::end_holders(&runtime.unit_lock(&unit), false, &unit).await.map_err(failed)?;
            }
            Ok(())
        })
    }

    fn remove(&self, runtime: &RuntimeDirectory) -> Result<bool, Error> {
        let path = runtime.path();
        let failed = |source| Error::Remove { path: path.clone(), source };
        // A command that begins now waits for neither lock: it finds this one held, or the directory gone.
        let Ok(LockAttempt::Held(_held)) = try_hold_at(&runtime.command_lock()) else {
            return Ok(false);
        };
        if is_held(&runtime.supervisor_lock()).map_err(failed)?
            || !leftovers::within(&runtime.units()).map_err(failed)?.is_empty()
        {
            return Ok(false);
        }
        std::fs::remove_dir_all(&path).map(|()| true).map_err(failed)
    }
}

/// The runtime directories in a root of this user; none if another user could have made them.
fn runtime_directories(root: &Utf8Path) -> Result<Vec<RuntimeDirectory>, Error> {
    if !devenv_supervisor::trust::is_private(root) {
        return Ok(Vec::new());
    }
    let failed = |source| Error::Read { path: root.to_owned(), source };
    let mut found = Vec::new();
    for entry in root.read_dir_utf8().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // Version 0.1.0 kept sockets here.
        if entry.file_type().map_err(failed)?.is_dir() {
            found.push(RuntimeDirectory::new(root, entry.file_name()));
        }
    }
    found.sort_by(|one, other| one.id().cmp(other.id()));
    Ok(found)
}

async fn look(runtime: RuntimeDirectory) -> Result<ProcessEnvironment, Error> {
    let facts = EnvironmentFacts::read(&runtime);
    let life = life(&runtime).await?;
    Ok(ProcessEnvironment { runtime, facts, life })
}

async fn life(runtime: &RuntimeDirectory) -> Result<Life, Error> {
    let failed = |source| Error::Read { path: runtime.path(), source };
    let lock = runtime.supervisor_lock();
    if is_held(&lock).map_err(failed)? {
        let mut client = match Client::at(runtime).await {
            Ok(Some(client)) => client,
            Ok(None) => return Ok(Life::Silent { supervisor: last_holder(&lock) }),
            Err(SupervisorError::Version { .. }) => {
                let supervisor = last_holder(&lock);
                return Ok(Life::Running { supervisor, since: None, units: None, memory: None });
            }
            Err(error) => return Err(error.into()),
        };
        let units = client.observe().await.ok();
        let pids = units.iter().flatten().filter_map(|unit| match unit.state {
            UnitState::Starting { pid, .. } | UnitState::Ready { pid, .. } => Some(pid),
            _ => None,
        });
        // Each unit leads a process group of its own, and so does the supervisor.
        let groups: Vec<u32> = pids.chain([client.pid]).collect();
        let memory = memory_of_groups(&groups);
        return Ok(Life::Running { supervisor: client.pid, since: client.since, units, memory });
    }
    let processes = leftovers::within(&runtime.units()).map_err(failed)?;
    if !processes.is_empty() {
        let groups: Vec<u32> = processes.iter().map(|left| left.pid).collect();
        return Ok(Life::Left { processes, memory: memory_of_groups(&groups) });
    }
    let command = runtime.command_lock();
    if is_held(&command).map_err(failed)? {
        return Ok(Life::Changing { command: last_holder(&command) });
    }
    Ok(Life::Stopped)
}
