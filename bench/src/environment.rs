use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::{Failure, interrupt, say};

/// An environment of this repository with a separate state directory: the developer's own stays untouched.
pub(crate) struct Environment {
    program: Utf8PathBuf,
    /// Options for `up`, such as `--runtime docker`.
    choice: Vec<String>,
    _folder: tempfile::TempDir,
    pub(crate) state: Utf8PathBuf,
}

impl Environment {
    pub(crate) fn new(program: &Utf8Path, choice: &[&str]) -> Result<Self, Failure> {
        let program = program.canonicalize_utf8().map_err(|error| format!("{program}: {error}; build it first"))?;
        // Beside the program, so that the data is on disk: the default temporary folder may be in memory.
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(program.parent().unwrap_or(&program))?;
        let path = Utf8PathBuf::from_path_buf(folder.path().canonicalize()?).map_err(|_| "the path is not UTF-8")?;
        let choice = choice.iter().map(|word| (*word).to_owned()).collect();
        Ok(Self { program, choice, _folder: folder, state: path.join("state") })
    }

    /// Runs `up -d` with this environment's options.
    pub(crate) fn up_command(&self) -> Command {
        let mut command = self.command(&["up", "-d", "--output", "json"]);
        command.args(&self.choice);
        command
    }

    pub(crate) fn up(&self) -> Result<Duration, Failure> {
        interrupt::check()?;
        let began = Instant::now();
        let output = self.up_command().output()?;
        let took = began.elapsed();
        if output.status.success() {
            return Ok(took);
        }
        Err(format!("devenv up: {}", String::from_utf8_lossy(&output.stdout)).into())
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("DEVENV_STATE_DIR", &self.state).stdin(Stdio::null());
        interrupt::shield(&mut command, arguments);
        command
    }

    /// Runs a command that must succeed. Returns its output and duration.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<(Output, Duration), Failure> {
        interrupt::check()?;
        self.finished(arguments)
    }

    fn finished(&self, arguments: &[&str]) -> Result<(Output, Duration), Failure> {
        let began = Instant::now();
        let output = self.command(arguments).output()?;
        let took = began.elapsed();
        if output.status.success() {
            return Ok((output, took));
        }
        Err(format!("devenv {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)).into())
    }

    pub(crate) fn status(&self) -> Result<Value, Failure> {
        let (output, _) = self.run(&["status", "--output", "json"])?;
        let text = String::from_utf8(output.stdout)?;
        Ok(serde_json::from_str(text.lines().last().unwrap_or_default())?)
    }

    pub(crate) fn url(&self, unit: &str) -> Result<String, Failure> {
        let status = self.status()?;
        let units = status["units"].as_array().cloned().unwrap_or_default();
        let found = units.iter().find(|candidate| candidate["name"] == unit);
        let url = found.and_then(|unit| unit["url"].as_str());
        Ok(url.ok_or_else(|| format!("{unit} has no address"))?.to_owned())
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        // Even after an interruption, when `run` refuses every command.
        if let Err(error) = self.finished(&["down", "--volumes"]) {
            say(&format!("error: the environment may still be running: {error}"));
        }
    }
}
