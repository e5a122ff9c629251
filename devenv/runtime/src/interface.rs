//! The trait that every runtime implements.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use devenv_model::artifact::Artifact;
use devenv_model::event::Event;
use devenv_model::exec::ExecOrder;
use devenv_model::intent::UnitIntent;
use devenv_model::manifest::EmulatorKind;
use devenv_model::observed::{Leftover, Observed, ObservedUnit};
use futures_util::future::{BoxFuture, pending, ready};
use jiff::Timestamp;
use regex_lite::Regex;

use crate::cancel::Cancel;
use crate::emitter::Emitter;
use crate::error::Error;

/// Receives each line of progress worth showing.
pub type Progress<'a> = &'a (dyn Fn(String) + Send + Sync);

/// The units of one environment. A capability that a runtime lacks is a value (no leftovers, no container name), so that no
/// command matches on the kind of runtime.
pub trait Runtime: Send + Sync + fmt::Debug {
    fn observe(&self) -> BoxFuture<'_, Result<Observation, Error>>;
    /// Finds which of these artifacts, each with its unit, must be made or fetched, and why. Makes nothing; remembers the paths of the others.
    fn missing<'a>(&'a self, artifacts: &'a [(String, Artifact)]) -> BoxFuture<'a, Result<Missing, Error>>;
    /// A digest of the wanted unit; a running unit with another digest must be replaced.
    fn config_hash(&self, intent: &UnitIntent) -> Result<String, Error>;

    fn build<'a>(&'a self, packages: &'a [String], progress: Progress<'a>) -> BoxFuture<'a, Result<(), Error>>;
    /// Builds the artifact that this unit alone has.
    fn build_unit<'a>(&'a self, intent: &'a UnitIntent, progress: Progress<'a>) -> BoxFuture<'a, Result<(), Error>>;
    fn pull<'a>(&'a self, image: &'a str, progress: Progress<'a>) -> BoxFuture<'a, Result<(), Error>>;

    /// Makes sure that units can be started. Returns whether the environment begins with this command, which then owns
    /// it.
    fn open<'a>(&'a self, observed: &'a Observed) -> BoxFuture<'a, Result<bool, Error>>;
    /// Does the part of a unit's start that needs no other unit. Errors are left to the start, which meets them again.
    fn prepare<'a>(&'a self, _intent: &'a UnitIntent) -> BoxFuture<'a, ()> {
        Box::pin(ready(()))
    }
    /// Starts a unit; a running unit of the same name is stopped first.
    fn start<'a>(&'a self, intent: &'a UnitIntent) -> BoxFuture<'a, Result<(), Error>>;
    /// Stops a unit and forgets it.
    fn remove<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>>;
    /// Returns once the unit's probe passes, or with the error of a unit that fails before.
    fn await_ready<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>>;
    /// Returns when one of these units has ended for good; never on a runtime that restarts ended units.
    fn lost<'a>(&'a self, _units: &'a [String]) -> BoxFuture<'a, Error> {
        Box::pin(pending())
    }
    /// Ends the leftovers of this unit.
    fn end_leftover<'a>(&'a self, _unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(ready(Ok(())))
    }

    /// Sends SIGKILL, like a crash; then the unit is restarted as after a crash.
    fn crash<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>>;
    /// Begins an outage: SIGTERM, or a pause if a stop would lose the data.
    fn interrupt<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>>;
    /// Ends an outage: returns when the unit is ready.
    fn resume<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>>;

    /// Runs a command beside a unit's program, on this process's input and output, and returns its exit code. `environment` has
    /// the variables of a unit without a container.
    fn exec<'a>(
        &'a self,
        unit: &'a str,
        environment: &'a BTreeMap<String, String>,
        order: &'a ExecOrder,
    ) -> BoxFuture<'a, Result<i32, Error>>;

    /// Emits the log lines of these units, oldest first; with `follow`, continues until cancelled. Returns `false` if this
    /// runtime has only the log files.
    fn logs<'a>(
        &'a self,
        _units: &'a [String],
        _options: &'a LogOptions,
        _emitter: &'a Emitter,
        _cancel: &'a Cancel,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(ready(Ok(false)))
    }
    /// The last lines that a unit wrote, without their times.
    fn last_lines<'a>(&'a self, unit: &'a str, count: usize) -> BoxFuture<'a, Vec<String>>;
    /// Writes logs that would be lost with the units to the log files.
    fn keep_logs(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    /// Leaves the environment running after this command, which owns it.
    fn detach(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(ready(Ok(())))
    }
    /// Stops every unit and removes their shared objects. Returns the units in the order of their stops; empty if a supervisor
    /// stops them.
    fn take_down(&self) -> BoxFuture<'_, Result<Vec<String>, Error>>;
    /// Returns when another command has stopped the environment.
    fn ended(&self) -> BoxFuture<'_, ()>;

    /// The place where the data of an emulator of this kind outlives the environment.
    fn data_place(&self, emulator: EmulatorKind) -> String;
    /// Whether the emulator runs on data whose place is gone.
    fn has_lost_data(&self) -> bool {
        false
    }
    /// Removes the data that this runtime keeps outside of the state directory. Returns whether there was any.
    fn remove_data(&self) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(ready(Ok(false)))
    }

    fn supervisor_pid(&self) -> BoxFuture<'_, Option<u32>> {
        Box::pin(ready(None))
    }
    /// The memory that each of these units uses, in bytes; nothing for a unit that does not run.
    fn memory<'a>(&'a self, _units: &'a [ObservedUnit]) -> BoxFuture<'a, BTreeMap<String, u64>> {
        Box::pin(ready(BTreeMap::new()))
    }
    /// The container engine's name of the unit; `None` for a process.
    fn container_name(&self, _unit: &str) -> Option<String> {
        None
    }
    /// The digest of the image of each service; `None` if units are not images.
    fn images(&self) -> BoxFuture<'_, Result<Option<BTreeMap<String, String>>, Error>> {
        Box::pin(ready(Ok(None)))
    }
}

/// The wanted part of the units' logs.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// The names of units; every service and the emulator if empty.
    pub services: Vec<String>,
    /// The number of old lines of each unit; all kept lines if `None`.
    pub tail: Option<usize>,
    pub follow: bool,
    /// Leaves out earlier lines.
    pub since: Option<Timestamp>,
    /// Leaves out lines that do not match.
    pub grep: Option<Regex>,
    /// Whether the events have the time of their line.
    pub timestamps: bool,
}

impl LogOptions {
    /// Whether a line is wanted. A line of an unknown time is as old as anybody asks for.
    pub fn wants(&self, time: impl FnOnce() -> Option<Timestamp>, line: &str) -> bool {
        let is_late = self.since.is_none_or(|since| time().is_none_or(|time| time >= since));
        is_late && self.grep.as_ref().is_none_or(|grep| grep.is_match(line))
    }

    /// Keeps the last wanted lines of one unit, oldest first.
    pub fn trim<T>(&self, lines: &mut Vec<T>) {
        if let Some(tail) = self.tail {
            lines.drain(..lines.len().saturating_sub(tail));
        }
    }

    pub fn event(&self, unit: &str, time: &str, line: String) -> Event {
        Event::Log { unit: unit.to_owned(), time: self.timestamps.then(|| time.to_owned()), line }
    }
}

/// The abilities of a runtime that intents depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Runs images, and programs of this machine only as images.
    pub images: bool,
    /// Units reach each other by name, at their own ports; otherwise at those of this machine.
    pub network: bool,
    /// Binds a port at every address that the Compose file names; otherwise once, on loopback.
    pub any_address: bool,
}

/// A runtime's part of a snapshot.
#[derive(Debug, Default)]
pub struct Observation {
    /// The runtime's units, each probed anew.
    pub units: BTreeMap<String, ObservedUnit>,
    /// Processes of an earlier run whose supervisor is gone.
    pub leftovers: Vec<Leftover>,
    /// Ports of this machine with their holders, if the runtime knows a better name than the operating system.
    pub held_ports: BTreeMap<u16, String>,
}

/// Artifacts that are missing, and must be made before units can start.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Packages that must be compiled, with the reason.
    pub stale: BTreeMap<String, String>,
    /// Units whose own artifact must be built, or whose program must start again, with the reason.
    pub stale_units: BTreeMap<String, String>,
    /// Images that must be fetched.
    pub absent_images: BTreeSet<String>,
}
