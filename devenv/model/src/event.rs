//! The events of a command: logic emits them, and only the command line renders them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::intent::Binding;
use crate::plan::{Plan, Step};
use crate::promotion::proposal::Proposal;

/// Durations are milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first event of every command that starts something.
    RuntimeChosen {
        runtime: String,
        why: String,
        emulator: String,
        project: String,
    },
    /// A fact for the user that stops nothing, such as a port that another program holds.
    Notice {
        message: String,
    },
    PlanReady {
        plan: Plan,
    },
    StepStarted {
        index: usize,
        #[serde(flatten)]
        step: Step,
    },
    /// A line of a step's own progress, such as a line of the compiler.
    StepProgress {
        index: usize,
        /// The unit that is built, if the step builds for one unit.
        #[serde(skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
        line: String,
    },
    StepFinished {
        index: usize,
        #[serde(flatten)]
        step: Step,
        elapsed_ms: u64,
    },
    StepFailed {
        index: usize,
        #[serde(flatten)]
        step: Step,
        error: String,
    },
    /// Every service is usable. `changed` is false if no step was needed.
    EnvironmentReady {
        report: EnvironmentReport,
        changed: bool,
    },
    /// A line of a unit's log.
    Log {
        unit: String,
        /// Its time in UTC, as in RFC 3339, if the command was asked for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        time: Option<String>,
        line: String,
    },
    /// A line of an invocation's log.
    InvocationLog {
        line: String,
    },
    TestRunStarted {
        command: Vec<String>,
    },
    TestStarted {
        name: String,
    },
    TestFinished {
        name: String,
        outcome: TestOutcome,
        elapsed_ms: Option<u64>,
        /// Whether the test command's own output, passed on, shows the result.
        #[serde(skip)]
        shown: bool,
    },
    /// A line of the test command, without colours, or a part of a very long one.
    TestOutput {
        line: String,
        /// The bytes to pass on to the person. `None` for a line in whose place devenv shows the tests.
        #[serde(skip)]
        passed_on: Option<Vec<u8>>,
    },
    Proposed {
        proposal: Proposal,
    },
    /// A question to the user, if standard input is a terminal.
    Question {
        text: String,
    },
    /// A stage of a promotion, such as `push`.
    StageStarted {
        stage: String,
    },
    /// A line of the running stage.
    StageProgress {
        line: String,
        /// Whether the line comes from a program that the stage runs.
        detail: bool,
    },
    StageFinished {
        stage: String,
        elapsed_ms: u64,
    },
    StageFailed {
        stage: String,
        error: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestOutcome {
    Passed,
    Failed,
    Ignored,
}

/// The table that `up` and `status` print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentReport {
    pub project: String,
    pub runtime: String,
    /// The emulator's kind, and its image or address, such as `dynamodb-local (amazon/dynamodb-local:2.6.1)`.
    pub emulator: String,
    /// The place of the data; `None` if the data is in memory and is lost with the environment.
    pub data: Option<String>,
    /// `None` when no supervisor runs.
    pub supervisor_pid: Option<u32>,
    pub units: Vec<UnitReport>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitReport {
    pub name: String,
    /// `ready`, `completed`, `starting`, `backoff`, `stopped` or `failed`.
    pub state: String,
    /// The reason for the state, if it has one.
    pub detail: Option<String>,
    pub url: Option<String>,
    /// Container port to its first host port.
    pub ports: BTreeMap<u16, u16>,
    /// Every port with its address on this machine.
    pub bindings: Vec<Binding>,
    pub pid: Option<u32>,
    /// The container's name; `None` for a process.
    pub container: Option<String>,
    pub restarts: u32,
    /// Milliseconds from start to ready, if this command started the unit.
    pub took_ms: Option<u64>,
    /// The last lines of the unit's log, if the unit died.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}
