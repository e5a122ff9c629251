//! The process runtime: units are children of a supervisor that commands reach through its socket.

use std::process::Stdio;
use std::time::Duration;

use devenv_model::observed::UnitState;
use devenv_model::unit::UnitSpec;
use devenv_supervisor::client::Client;
use devenv_supervisor::log_reader::last_lines;
use devenv_supervisor::state_directory::StateDirectory;
use devenv_supervisor::{error, leftovers};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::effects::{Observation, Runtime};
use crate::{Error, Instance, desired};

/// A supervisor that has not announced itself by then has failed.
const START_LIMIT: Duration = Duration::from_secs(10);
/// How many lines of a failed unit's log an error carries.
pub(crate) const LOG_TAIL: usize = 20;

pub(crate) struct ProcessRuntime {
    state: StateDirectory,
    /// Held for as long as this command lives: an environment that is not detached ends with it.
    connection: Mutex<Option<Client>>,
}

impl ProcessRuntime {
    /// Connects to the supervisor of this state directory when one runs.
    pub(crate) async fn connect(state: &StateDirectory) -> Result<Self, Error> {
        let connection = Client::reach(state).await?;
        Ok(Self { state: state.clone(), connection: Mutex::new(connection) })
    }

    pub(crate) async fn supervisor_pid(&self) -> Option<u32> {
        self.connection.lock().await.as_ref().map(|client| client.pid)
    }

    /// Starts a supervisor when none runs, and becomes its owner. Returns whether it was started.
    pub(crate) async fn ensure_supervisor(&self, instance: &Instance) -> Result<bool, Error> {
        let mut connection = self.connection.lock().await;
        if connection.is_some() {
            return Ok(false);
        }
        launch(&self.state, instance).await?;
        let client = Client::reach(&self.state).await?;
        let mut client = client.ok_or_else(|| Error::SupervisorStart {
            cause: "it does not answer on its socket".to_owned(),
            log: last_lines(&self.state.supervisor_log(), LOG_TAIL),
        })?;
        client.own().await?;
        *connection = Some(client);
        Ok(true)
    }

    /// A connection of its own, so that a long wait does not hold up the others.
    async fn client(&self) -> Result<Client, Error> {
        let client = Client::reach(&self.state).await?;
        client.ok_or_else(|| error::Error::Lost { cause: "nothing listens on its socket".to_owned() }.into())
    }

    pub(crate) fn last_lines(&self, unit: &str, count: usize) -> Vec<String> {
        last_lines(&self.state.log(unit), count)
    }

    pub(crate) fn into_connection(self) -> Option<Client> {
        self.connection.into_inner()
    }
}

impl Runtime for ProcessRuntime {
    type Spec = UnitSpec;

    async fn observe(&self) -> Result<Observation, Error> {
        if let Some(client) = self.connection.lock().await.as_mut() {
            let units = client.observe().await?;
            let units = units.into_iter().map(|unit| (unit.name.clone(), unit)).collect();
            return Ok(Observation { units, ..Observation::default() });
        }
        let leftovers =
            leftovers::find(&self.state).map_err(|source| Error::State { path: self.state.units(), source })?;
        Ok(Observation { leftovers, ..Observation::default() })
    }

    async fn start(&self, spec: UnitSpec) -> Result<(), Error> {
        self.client().await?.start(spec).await.map_err(Error::from)
    }

    async fn remove(&self, unit: &str) -> Result<(), Error> {
        self.client().await?.remove(unit).await.map_err(Error::from)
    }

    async fn await_ready(&self, unit: &str) -> Result<(), Error> {
        let observed = self.client().await?.await_ready(unit).await?;
        match observed.state {
            UnitState::Ready { .. } => Ok(()),
            UnitState::Failed { error } => {
                Err(Error::UnitFailed { unit: unit.to_owned(), cause: error, log: self.last_lines(unit, LOG_TAIL) })
            }
            UnitState::Backoff { exit, .. } => Err(Error::UnitFailed {
                unit: unit.to_owned(),
                cause: format!("it was ready and ended with {exit}"),
                log: self.last_lines(unit, LOG_TAIL),
            }),
            UnitState::Stopped { .. } | UnitState::Starting { .. } => Err(Error::UnitFailed {
                unit: unit.to_owned(),
                cause: "it was stopped meanwhile".to_owned(),
                log: self.last_lines(unit, LOG_TAIL),
            }),
        }
    }

    async fn end_leftover(&self, unit: &str) -> Result<(), Error> {
        let path = self.state.unit_lock(unit);
        leftovers::end(&self.state, unit).await.map_err(|source| Error::State { path, source })
    }
}

/// Starts `devenv supervise` in a session of its own and waits for its first line.
async fn launch(state: &StateDirectory, instance: &Instance) -> Result<(), Error> {
    let log = state.supervisor_log();
    let failed = |cause: String| Error::SupervisorStart { cause, log: last_lines(&state.supervisor_log(), LOG_TAIL) };
    let log_file = std::fs::File::create(&log).map_err(|source| Error::State { path: log.clone(), source })?;
    let mut child = Command::new(desired::own_program()?)
        .args(["supervise", "--state-dir", state.path().as_str(), "--instance", &instance.name])
        .current_dir(&instance.root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log_file)
        // A Ctrl-C in this terminal is for the command, which then tells the supervisor what to do.
        .process_group(0)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let mut first = String::new();
    let mut reader = BufReader::new(stdout);
    match tokio::time::timeout(START_LIMIT, reader.read_line(&mut first)).await {
        Ok(Ok(_)) if first == "ready\n" => Ok(()),
        Ok(_) => {
            let status = child.wait().await;
            Err(failed(status.map_or_else(|error| error.to_string(), |status| status.to_string())))
        }
        Err(_) => {
            let _ = child.start_kill();
            Err(failed(format!("no sign of life within {} s", START_LIMIT.as_secs())))
        }
    }
}
