//! What happens, told sideways: logic emits these, and only the command line renders them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::intent::Binding;
use crate::plan::{Plan, Step};
use crate::promotion::proposal::Proposal;

/// Durations are milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Always the first of a command that starts something.
    RuntimeChosen {
        runtime: String,
        why: String,
        emulator: String,
        project: String,
    },
    /// A thing the user should know that stops nothing, such as a port that another program holds.
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
    /// A line of a step's own progress, such as what the compiler prints.
    StepProgress {
        index: usize,
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
    /// Every service is usable; nothing had to be done for it when not `changed`.
    EnvironmentReady {
        report: EnvironmentReport,
        changed: bool,
    },
    /// A line that a unit wrote.
    Log {
        unit: String,
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
    },
    /// A line of the test command that is not about one test.
    TestOutput {
        line: String,
    },
    Proposed {
        proposal: Proposal,
    },
    /// Somebody is to answer, if somebody is there.
    Question {
        text: String,
    },
    /// A stage of a promotion, such as `push`.
    StageStarted {
        stage: String,
    },
    /// A line of the stage that goes on.
    StageProgress {
        line: String,
        /// Of a program that the stage runs, for who wants to know more.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvironmentReport {
    pub project: String,
    pub runtime: String,
    /// Its kind, and the image or the address it stands for, such as `dynamodb-local (amazon/dynamodb-local:2.6.1)`.
    pub emulator: String,
    /// Where the data is kept; `None` when it lives in memory and goes with the environment.
    pub data: Option<String>,
    /// `None` when no supervisor runs.
    pub supervisor_pid: Option<u32>,
    pub units: Vec<UnitReport>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitReport {
    pub name: String,
    /// `ready`, `starting`, `backoff`, `stopped` or `failed`.
    pub state: String,
    /// Why, in the states that have a reason.
    pub detail: Option<String>,
    pub url: Option<String>,
    /// Container port to host port, the first of each.
    pub ports: BTreeMap<u16, u16>,
    /// Every port with the address that stands for it.
    pub bindings: Vec<Binding>,
    pub pid: Option<u32>,
    /// The container's name, under Docker.
    pub container: Option<String>,
    pub restarts: u32,
    /// From start to ready, where this command started it.
    pub took_ms: Option<u64>,
    /// The last lines that it wrote, where it died.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}
