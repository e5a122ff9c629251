use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use devenv_engine::runtime::{BuildInEngine, RuntimeKind, RuntimeRequest};
use devenv_model::manifest::EmulatorKind;

use crate::exit::{Exit, HELP, printed};

const EXAMPLES: &str = "\
Begin here:
  devenv up                 start everything, seeded, and follow its logs
  devenv up -d              the same in the background
  devenv test               prove it end to end, in an environment of its own
  devenv promote rehearsal  release it on an emulated AWS
  devenv down               stop everything; the data stays";

/// A running, seeded copy of your system with an emulated AWS, on this machine.
#[derive(Debug, Parser)]
#[command(name = "devenv", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{HELP}"))]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Act as if started in this folder
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<Utf8PathBuf>,
    /// How to print: for a terminal, as plain lines, or as JSON lines
    #[arg(long, value_enum, default_value = "auto", global = true)]
    pub output: Output,
    /// When to use colours
    #[arg(long, value_enum, default_value = "auto", global = true)]
    pub color: Color,
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print causes and every line of progress
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Keep the environment's state here instead of in .devenv
    #[arg(long, env = "DEVENV_STATE_DIR", value_name = "DIR", global = true, hide = true)]
    pub state_dir: Option<Utf8PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Auto,
    Plain,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the environment, or whatever of it is not running or has changed
    #[command(after_help = "Without -d the logs follow, and Ctrl-C stops what this command started.")]
    Up(Up),
    /// Stop the environment; the data stays
    Down {
        /// Remove the data too
        #[arg(long)]
        volumes: bool,
    },
    /// Show what runs and where
    Status,
    /// Show what the services wrote
    Logs(Logs),
    /// Put the seed items that are absent; nothing is restored
    Seed {
        /// Make the absent tables and seed them in an emulator that devenv did not start
        #[arg(long, value_name = "URL")]
        emulator_url: Option<String>,
    },
    /// Return to the seeded state, without a restart
    Reset,
    /// Print the variables with which the AWS CLI and any SDK use this environment
    #[command(after_help = "In a shell:\n  eval \"$(devenv env)\"")]
    Env {
        #[arg(long, value_enum, default_value = "shell")]
        format: EnvFormat,
    },
    /// Run the end-to-end tests in an environment of their own
    #[command(after_help = "One test alone:\n  devenv test -- orders::an_order_is_read_back")]
    Test(Test),
    /// Make live in AWS what was tested, or rehearse it: devenv promote rehearsal
    #[command(
        after_help = "Without an account, on an emulated AWS:\n  devenv test --runtime docker\n  devenv promote rehearsal"
    )]
    Promote {
        /// As devenv.toml names it: [promote.ENV]
        #[arg(value_name = "ENV")]
        environment: String,
        /// Show what would change, and change nothing
        #[arg(long)]
        plan: bool,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Return to the release before, or to a named one
    Rollback {
        #[arg(value_name = "ENV")]
        environment: String,
        /// Return to this release, as devenv history names it
        #[arg(long, value_name = "RELEASE")]
        to: Option<String>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Show what was released, when and by whom
    History {
        #[arg(value_name = "ENV")]
        environment: String,
        /// How many of the last ones
        #[arg(long, value_name = "N", default_value = "20")]
        limit: usize,
    },
    /// Work with the proof that tests leave
    Evidence {
        #[command(subcommand)]
        action: EvidenceAction,
    },
    /// Check what this machine needs, with one command for each finding
    Doctor {
        /// Run the commands that change nothing outside the project
        #[arg(long)]
        fix: bool,
    },
    /// Print the completions for a shell
    Completions { shell: Shell },
    /// The embedded emulator, as `up` starts it
    #[command(hide = true)]
    Emulator {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// The supervisor, as `up` starts it
    #[command(hide = true)]
    Supervise {
        #[arg(long)]
        instance: String,
    },
    /// What ends a test command whose devenv was killed
    #[command(hide = true)]
    Guard,
    /// What the rehearsal's Terraform calls for each service; the order comes in DEVENV_SERVICE
    #[command(hide = true)]
    RehearseService,
    /// Kill, stop or start one unit, for tests
    #[command(hide = true)]
    Unit {
        #[arg(value_enum)]
        action: Action,
        name: String,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub enum EvidenceAction {
    /// Write the evidence of the commit that is checked out into an environment's bucket, as the build server does
    #[command(
        after_help = "For an environment with evidence = \"recorded\":\n  devenv test --runtime docker\n  devenv evidence record dev"
    )]
    Record {
        #[arg(value_name = "ENV")]
        environment: String,
    },
}

#[derive(Debug, Clone, Args)]
pub struct Up {
    /// Services to start with what they depend on; all when none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Return when everything is ready, and leave it running
    #[arg(short, long)]
    pub detach: bool,
    /// What runs the services; auto is docker when a container engine answers
    #[arg(long, value_enum, default_value = "auto")]
    pub runtime: Runtime,
    /// What stands for AWS
    #[arg(long, value_enum)]
    pub emulator: Option<Emulator>,
    /// Use an emulator on this machine that runs already, such as http://127.0.0.1:8000
    #[arg(long, value_name = "URL", conflicts_with = "emulator")]
    pub emulator_url: Option<String>,
    #[command(flatten)]
    pub build: Build,
    /// Print what would be done and why, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How long everything may take to become ready, such as 90s or 2m
    #[arg(long, default_value = "120s", value_parser = duration)]
    pub timeout: Duration,
}

impl Up {
    pub fn request(&self) -> RuntimeRequest {
        RuntimeRequest {
            runtime: self.runtime.kind(),
            emulator: self.emulator.map(Emulator::kind),
            emulator_url: self.emulator_url.clone(),
            build: self.build.place(),
        }
    }
}

impl Test {
    pub fn request(&self) -> RuntimeRequest {
        let emulator = match self.emulator {
            None | Some(TestEmulator::All) => None,
            Some(TestEmulator::Embedded) => Some(EmulatorKind::Embedded),
            Some(TestEmulator::DynamodbLocal) => Some(EmulatorKind::DynamodbLocal),
            Some(TestEmulator::Localstack) => Some(EmulatorKind::Localstack),
        };
        RuntimeRequest { runtime: self.runtime.kind(), emulator, emulator_url: None, build: self.build.place() }
    }
}

impl Runtime {
    /// `None` leaves it to the machine.
    fn kind(self) -> Option<RuntimeKind> {
        match self {
            Self::Auto => None,
            Self::Process => Some(RuntimeKind::Process),
            Self::Docker => Some(RuntimeKind::Docker),
        }
    }
}

/// How images are compiled, where it is not this machine that compiles.
#[derive(Debug, Clone, Args)]
pub struct Build {
    /// Compile for images in a container, as a machine that is not Linux always does
    #[arg(long = "build-in-docker")]
    pub in_docker: bool,
    /// The image to compile in
    #[arg(long, value_name = "IMAGE", requires = "in_docker", default_value = "rust:1.95.0-bookworm")]
    pub builder: String,
    /// Compile for this platform instead of the engine's own, such as linux/arm64
    #[arg(long, value_name = "PLATFORM", requires = "in_docker")]
    pub platform: Option<String>,
}

impl Build {
    fn place(&self) -> Option<BuildInEngine> {
        let place = BuildInEngine { builder: self.builder.clone(), platform: self.platform.clone() };
        self.in_docker.then_some(place)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Runtime {
    Auto,
    Process,
    Docker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Emulator {
    Embedded,
    DynamodbLocal,
    Localstack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TestEmulator {
    Embedded,
    DynamodbLocal,
    Localstack,
    All,
}

impl Emulator {
    fn kind(self) -> EmulatorKind {
        match self {
            Self::Embedded => EmulatorKind::Embedded,
            Self::DynamodbLocal => EmulatorKind::DynamodbLocal,
            Self::Localstack => EmulatorKind::Localstack,
        }
    }
}

#[derive(Debug, Clone, Args)]
pub struct Logs {
    /// Services to show; all and the emulator when none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Go on with what they write from now on
    #[arg(short, long)]
    pub follow: bool,
    /// Begin with the last N lines of each
    #[arg(long, value_name = "N")]
    pub tail: Option<usize>,
}

#[derive(Debug, Clone, Args)]
pub struct Test {
    /// What runs the services; auto is docker when a container engine answers
    #[arg(long, value_enum, default_value = "auto")]
    pub runtime: Runtime,
    /// What stands for AWS; all runs the tests on each and compares
    #[arg(long, value_enum)]
    pub emulator: Option<TestEmulator>,
    /// Fail when an emulator cannot run here, instead of skipping it
    #[arg(long, requires = "emulator")]
    pub require_all: bool,
    #[command(flatten)]
    pub build: Build,
    /// Leave the environment running afterwards
    #[arg(long)]
    pub keep: bool,
    /// Where the JUnit report goes [default: .devenv/junit.xml]
    #[arg(long, value_name = "FILE")]
    pub junit: Option<Utf8PathBuf>,
    /// How long the environment may take to become ready
    #[arg(long, default_value = "120s", value_parser = duration)]
    pub timeout: Duration,
    /// Handed to the test command, such as the name of one test
    #[arg(last = true, value_name = "TEST ARGS")]
    pub arguments: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EnvFormat {
    Shell,
    Dotenv,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Action {
    Kill,
    Stop,
    Start,
}

impl Command {
    /// Whether `devenv-promote` carries it out.
    pub fn is_of_promotion(&self) -> bool {
        matches!(
            self,
            Self::Promote { .. }
                | Self::Rollback { .. }
                | Self::History { .. }
                | Self::Evidence { .. }
                | Self::RehearseService
        )
    }

    /// As results name it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Up(_) => "up",
            Self::Down { .. } => "down",
            Self::Status => "status",
            Self::Logs(_) => "logs",
            Self::Seed { .. } => "seed",
            Self::Reset => "reset",
            Self::Env { .. } => "env",
            Self::Test(_) => "test",
            Self::Doctor { .. } => "doctor",
            Self::Completions { .. } => "completions",
            Self::Emulator { .. } => "emulator",
            Self::Supervise { .. } => "supervise",
            Self::Guard => "guard",
            Self::Unit { .. } => "unit",
            Self::Promote { .. } => "promote",
            Self::Rollback { .. } => "rollback",
            Self::History { .. } => "history",
            Self::Evidence { .. } => "evidence",
            Self::RehearseService => "rehearse-service",
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text} is not a time such as 90s, 2m or 500ms");
    let duration: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(duration).ok().filter(|duration| !duration.is_zero()).ok_or_else(wrong)
}

/// A command line that is wrong, or that asks for help.
pub struct Usage(clap::Error);

pub fn read() -> Result<Arguments, Usage> {
    Arguments::try_parse().map_err(Usage)
}

impl Usage {
    pub fn show(&self) -> ExitCode {
        if self.0.use_stderr() && wants_json(std::env::args()) {
            let text = self.0.to_string();
            let message = text.trim_start_matches("error: ").lines().next().unwrap_or_default().to_owned();
            let result = serde_json::json!({
                "version": 1, "event": "result", "command": null, "ok": false,
                "error": { "code": "usage", "message": message, "hint": "run devenv --help", "log": [],
                           "exit_code": Exit::Usage as u8 },
            });
            let _ = writeln!(std::io::stdout(), "{result}");
            return Exit::Usage.into();
        }
        let shown = self.0.print().and_then(|()| std::io::stdout().flush());
        let exit = if self.0.use_stderr() { Exit::Usage } else { Exit::Done };
        printed(shown, exit).into()
    }
}

/// Whether JSON was asked for, on a command line that could not be read.
fn wants_json(arguments: impl Iterator<Item = String>) -> bool {
    let arguments: Vec<String> = arguments.collect();
    arguments.iter().any(|argument| argument == "--output=json")
        || arguments.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations() {
        assert_eq!(duration("120s"), Ok(Duration::from_mins(2)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for bad in ["", "0s", "-5s", "soon", "5"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
