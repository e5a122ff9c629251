use std::{
    collections::BTreeSet,
    process::Stdio,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use camino::Utf8PathBuf;
use serde_json::Value;
use tokio::{process::Command, time::timeout};

use crate::Settings;

pub const ORDER_API: &str = "order-api";
pub const ORDER_PROCESSOR: &str = "order-processor";
/// The consumer of the events of settled orders, and its database.
pub const REPORTING_CONSUMER: &str = "reporting-consumer";
pub const REPORTING_DATABASE: &str = "reporting-database";
/// The function behind the stream of `inventory`.
pub const LOW_STOCK: &str = "low-stock";
/// The host of all functions.
pub const FUNCTION_HOST: &str = "functions";
pub const EMULATOR: &str = "emulator";
/// Queues and topics beside an emulator that has tables alone.
pub const MESSAGES: &str = "emulator-messages";

/// Time limit of an action: a stop may take the service's whole grace period (15 s), a start lasts until it is ready.
const LIMIT: Duration = Duration::from_secs(40);

/// Stops, starts and kills the units of the environment with the `devenv` program.
#[derive(Debug)]
pub struct Units {
    devenv: Option<Utf8PathBuf>,
    /// The folder of devenv.toml.
    project: Utf8PathBuf,
    stopped: Mutex<BTreeSet<String>>,
}

impl Units {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { devenv: settings.devenv.clone(), project: settings.project(), stopped: Mutex::default() }
    }

    /// Stops a unit with SIGTERM; it stays stopped. Returns when it has ended.
    pub async fn stop(&self, unit: &str) {
        // Note it before the command: a command that was cut off may have stopped the unit.
        self.stopped().insert(unit.to_owned());
        self.run("stop", unit).await.unwrap_or_else(|reason| panic!("{reason}"));
    }

    /// Starts a unit. Returns when it is ready.
    pub async fn start(&self, unit: &str) {
        self.run("start", unit).await.unwrap_or_else(|reason| panic!("{reason}"));
        self.stopped().remove(unit);
    }

    /// Kills a unit with SIGKILL; the supervisor starts it again. Returns once the signal is sent.
    pub(crate) async fn kill(&self, unit: &str) {
        self.run("kill", unit).await.unwrap_or_else(|reason| panic!("{reason}"));
    }

    /// Starts the units that a failed test left stopped, for the tests after it.
    pub(crate) async fn restore(&self) -> Result<(), String> {
        let left = std::mem::take(&mut *self.stopped());
        // The emulator's name sorts before those of the services, which need it to become ready.
        for unit in left {
            self.run("start", &unit).await?;
        }
        Ok(())
    }

    /// The kind of the environment's emulator, such as `embedded`.
    ///
    /// # Panics
    /// When `devenv status` fails.
    pub async fn emulator(&self) -> String {
        let status = self.json(&["status"]).await.unwrap_or_else(|reason| panic!("{reason}"));
        // In containers, the image follows in brackets.
        let emulator = status["emulator"].as_str().unwrap_or_else(|| panic!("a status names the emulator: {status}"));
        emulator.split(' ').next().unwrap_or_default().to_owned()
    }

    /// The process of a unit that is ready.
    ///
    /// # Errors
    /// The unit's state, if it is not ready; what `devenv` printed, if it fails.
    pub(crate) async fn ready(&self, unit: &str) -> Result<u64, String> {
        let status = self.json(&["status"]).await?;
        let units = status["units"].as_array().map(Vec::as_slice).unwrap_or_default();
        let seen = units.iter().find(|seen| seen["name"] == unit).ok_or_else(|| format!("no {unit} in {status}"))?;
        let ready = seen["pid"].as_u64().filter(|_| seen["state"] == "ready");
        ready.ok_or_else(|| format!("{unit} is {}: {}", seen["state"], seen["detail"]))
    }

    /// The services that are functions.
    ///
    /// # Panics
    /// When `devenv resources` fails.
    pub async fn functions(&self) -> BTreeSet<String> {
        let listed = self.json(&["resources"]).await.unwrap_or_else(|reason| panic!("{reason}"));
        let all = listed["resources"].as_array().unwrap_or_else(|| panic!("expected resources in {listed}"));
        let functions = all.iter().filter(|resource| resource["kind"] == "function");
        functions.filter_map(|function| function["name"].as_str().map(str::to_owned)).collect()
    }

    /// Moves the dead letters of a queue back.
    ///
    /// # Errors
    /// What `devenv` printed.
    pub async fn redrive(&self, queue: &str) -> Result<(), String> {
        self.devenv(&["resources", "redrive", queue]).await.map(drop)
    }

    async fn run(&self, action: &str, unit: &str) -> Result<(), String> {
        self.devenv(&["unit", action, unit]).await.map(drop)
    }

    /// The last line of a command's output as JSON.
    async fn json(&self, arguments: &[&str]) -> Result<Value, String> {
        let output = self.devenv(&[arguments, &["--output", "json"]].concat()).await?;
        let last = output.lines().last().unwrap_or_default();
        serde_json::from_str(last).map_err(|error| format!("`devenv {}`: {error}: {output}", arguments.join(" ")))
    }

    async fn devenv(&self, arguments: &[&str]) -> Result<String, String> {
        let devenv = self
            .devenv
            .as_ref()
            .ok_or("DEVENV_BIN is not set: this test stops and kills services; run `cargo devenv test`")?;
        let mut command = Command::new(devenv);
        command
            .args(arguments)
            // A test runs in its package's folder.
            .current_dir(&self.project)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let described = format!("`{devenv} {}`", arguments.join(" "));
        let output = timeout(LIMIT, command.output())
            .await
            .map_err(|_| format!("{described} did not end within {LIMIT:?}"))?
            .map_err(|error| format!("{described} cannot be run: {error}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(format!("{described} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
    }

    fn stopped(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
