use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use devenv_model::manifest::EmulatorKind;
use devenv_runtime::{ComposeOptions, ImageBuild, ImageKind, RuntimeRequest};
use jiff::Timestamp;
use regex_lite::Regex;

use crate::choices::{Build, Emulator, Runtime, TestEmulator};
use crate::exit::{Exit, HELP, printed};
use crate::values::{duration, pattern, since, variable};

const EXAMPLES: &str = "\
Begin here:
  devenv init               write devenv.toml for the Compose file of this folder
  devenv up                 start everything, seeded, and follow its logs
  devenv up -d              the same in the background
  devenv test               test it end to end, in a separate environment
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
    #[command(flatten)]
    pub compose: ComposeArguments,
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

/// The Compose files to read, as `docker compose` has these options.
#[derive(Debug, Clone, Default, Args)]
pub struct ComposeArguments {
    /// Compose file, over the ones before; by default that of devenv.toml, or compose.yaml
    #[arg(id = FILES, short, long = "file", value_name = "FILE", global = true, help_heading = COMPOSE)]
    pub files: Vec<Utf8PathBuf>,
    /// Enable the services of this profile; * enables all
    #[arg(long = "profile", value_name = "NAME", global = true, help_heading = COMPOSE)]
    pub profiles: Vec<String>,
    /// Take variables from this file instead of .env
    #[arg(long = "env-file", value_name = "FILE", global = true, help_heading = COMPOSE)]
    pub env_files: Vec<Utf8PathBuf>,
}

/// A command whose own option is `-f` defines this argument again, without the short form.
const FILES: &str = "files";
/// The heading of these options in the help of every command.
const COMPOSE: &str = "Compose files, as docker compose has them";

impl ComposeArguments {
    pub(crate) fn options(&self) -> ComposeOptions {
        let Self { files, profiles, env_files } = self.clone();
        ComposeOptions { files, profiles, env_files }
    }
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

/// The commands, by the part of the program that runs them.
#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(flatten)]
    Environment(EnvironmentCommand),
    #[command(flatten)]
    Machine(MachineCommand),
    #[command(flatten)]
    Promotion(PromotionCommand),
    /// Print the completions for a shell
    Completions { shell: Shell },
    /// Run the embedded emulator, as `up` starts it
    #[command(hide = true)]
    Emulator {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run a PostgreSQL server of this machine, as `up` starts it
    #[command(hide = true)]
    Database {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run the supervisor, as `up` starts it
    #[command(hide = true)]
    Supervise {
        #[arg(long)]
        instance: String,
    },
    /// End the test command when its devenv is gone
    #[command(hide = true)]
    Guard,
}

/// A command on the local environment.
#[derive(Debug, Subcommand)]
pub enum EnvironmentCommand {
    /// Write a devenv.toml for the Compose file here, after a look at the folder
    #[command(after_help = "It changes no file that is there already.")]
    Init(Init),
    /// Start the environment, or only its stopped and changed services
    #[command(
        after_help = "Without -d, up follows the logs; Ctrl-C then stops the environment, if this command started it."
    )]
    Up(Up),
    /// Stop the environment; the data stays
    Down {
        /// Remove the data too
        #[arg(long)]
        volumes: bool,
    },
    /// Stop services; the others keep running
    #[command(after_help = "devenv down stops everything and removes the containers.")]
    Stop {
        /// Services to stop; all by default
        #[arg(value_name = "SERVICE")]
        services: Vec<String>,
    },
    /// Start stopped services, and wait until they are ready
    Start(Restarted),
    /// Stop services and start them again
    #[command(after_help = "For changed sources or settings: devenv up -d")]
    Restart(Restarted),
    /// Show the services with their states and addresses
    Status,
    /// List the processes or containers: age, memory, restarts and ports
    Ps,
    /// Show the logs of the services
    Logs(Logs),
    /// List the last commands that changed something, or show one with its plan and events
    #[command(after_help = RUNS)]
    Runs(Runs),
    /// Insert the missing seed items; changed items stay as they are
    Seed {
        /// Seed the emulator at this address; create its missing resources first
        #[arg(long, value_name = "URL")]
        emulator_url: Option<String>,
    },
    /// Rebuild and seed the resources, without a restart
    #[command(after_help = RESET)]
    Reset,
    /// Run a command in a service's container, or beside its process
    #[command(after_help = EXEC)]
    Exec(Exec),
    /// Have a function handle an event, and print its response
    #[command(after_help = INVOKE)]
    Invoke(Invoke),
    /// List the resources with their states, or act on one
    #[command(args_conflicts_with_subcommands = true)]
    Resources {
        #[command(subcommand)]
        action: Option<ResourcesAction>,
        #[command(flatten)]
        list: ResourceList,
    },
    /// Print the variables that point the AWS CLI and any SDK at this environment
    #[command(after_help = "In a shell:\n  eval \"$(devenv env)\"")]
    Env {
        /// Output syntax
        #[arg(long, value_enum, default_value = "shell")]
        format: EnvFormat,
    },
    /// Print the Compose model: all files joined, with variables and defaults
    #[command(after_help = "As docker compose config prints it; docs/compose.md lists the differences.")]
    Config(Config),
    /// Run the end-to-end tests in a separate environment
    #[command(after_help = "One test alone:\n  devenv test -- orders::an_order_is_read_back")]
    Test(Test),
    /// Check this machine, and print the command that fixes each problem
    Doctor {
        /// Run the fixes that change nothing outside the project
        #[arg(long)]
        fix: bool,
    },
    /// Information on this program itself
    #[command(name = "self", subcommand_required = true, arg_required_else_help = true)]
    Own {
        #[command(subcommand)]
        action: OwnAction,
    },
    /// Kill, stop or start one unit, for tests
    #[command(hide = true)]
    Unit {
        #[arg(value_enum)]
        action: Action,
        name: String,
    },
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub enum OwnAction {
    /// Print the version, the commit, the target, and where this program was installed from
    Version,
}

/// A command on all environments of this machine and user, in any folder.
#[derive(Debug, Subcommand)]
pub enum MachineCommand {
    /// List every environment of this machine, of all projects
    Ls,
    /// Remove what is left of environments whose folder is gone or which are stopped
    #[command(
        after_help = "A running environment and the data of a stopped one stay. Without --yes, prune shows what it would remove and asks."
    )]
    Prune {
        /// Print what would be removed, and remove nothing
        #[arg(long)]
        dry_run: bool,
        /// Skip the confirmation
        #[arg(short, long)]
        yes: bool,
    },
}

/// A command that `devenv-promote` runs.
#[derive(Debug, Subcommand)]
pub enum PromotionCommand {
    /// Release the tested images to AWS, or rehearse it: devenv promote rehearsal
    #[command(
        after_help = "Without an account, on an emulated AWS:\n  devenv test --runtime docker\n  devenv promote rehearsal"
    )]
    Promote {
        /// Target, as in [promote.ENV] of devenv.toml
        #[arg(value_name = "ENV")]
        environment: String,
        /// Show the changes without applying them
        #[arg(long)]
        plan: bool,
        /// Skip the confirmation
        #[arg(short, long)]
        yes: bool,
    },
    /// Return to the previous release, or to a named one
    Rollback {
        /// Target, as in [promote.ENV] of devenv.toml
        #[arg(value_name = "ENV")]
        environment: String,
        /// Return to this release; devenv history lists them
        #[arg(long, value_name = "RELEASE")]
        to: Option<String>,
        /// Skip the confirmation
        #[arg(short, long)]
        yes: bool,
    },
    /// List promotions and rollbacks: when, by whom, and how each ended
    History {
        /// Target, as in [promote.ENV] of devenv.toml
        #[arg(value_name = "ENV")]
        environment: String,
        /// Show the last N
        #[arg(long, value_name = "N", default_value = "20")]
        limit: usize,
    },
    /// Manage the evidence of test runs
    Evidence {
        #[command(subcommand)]
        action: EvidenceAction,
    },
    /// Release one service of a rehearsal; its Terraform passes the order in DEVENV_SERVICE
    #[command(hide = true)]
    RehearseService,
}

#[derive(Debug, Clone, Subcommand)]
pub enum EvidenceAction {
    /// Write the evidence of the checked-out commit into the target's bucket, as the build server does
    #[command(
        after_help = "For an environment with evidence = \"recorded\":\n  devenv test --runtime docker\n  devenv evidence record dev"
    )]
    Record {
        /// Target, as in [promote.ENV] of devenv.toml
        #[arg(value_name = "ENV")]
        environment: String,
    },
}

#[derive(Debug, Clone, Copy, Args)]
pub struct Init {
    /// Take what the look finds, and ask nothing
    #[arg(short, long)]
    pub yes: bool,
    /// Print the file, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Args)]
pub struct Up {
    /// Services to start, with their dependencies; all by default
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Return when everything is ready, and leave it running
    #[arg(short, long)]
    pub detach: bool,
    /// Runtime of the services; auto is docker if a container engine answers
    #[arg(long, value_enum, default_value = "auto")]
    pub runtime: Runtime,
    /// Emulator of AWS
    #[arg(long, value_enum)]
    pub emulator: Option<Emulator>,
    /// Use a running emulator on this machine, such as http://127.0.0.1:8000
    #[arg(long, value_name = "URL", conflicts_with = "emulator")]
    pub emulator_url: Option<String>,
    /// Serve from the optimized images that test and promote use, not from the quickly compiled ones
    #[arg(long)]
    pub shipped: bool,
    #[command(flatten)]
    pub build: Build,
    /// Print the plan, each step with its cause, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Time limit for everything to become ready, such as 90s or 2m
    #[arg(long, default_value = "120s", value_parser = duration)]
    pub timeout: Duration,
}

impl Up {
    pub fn request(&self) -> RuntimeRequest {
        RuntimeRequest {
            runtime: self.runtime.kind(),
            emulator: self.emulator.map(Emulator::kind),
            emulator_url: self.emulator_url.clone(),
            images: ImageBuild {
                kind: if self.shipped { ImageKind::Shipped } else { ImageKind::Development },
                in_engine: self.build.place(),
            },
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
        let images = ImageBuild { kind: ImageKind::Shipped, in_engine: self.build.place() };
        RuntimeRequest { runtime: self.runtime.kind(), emulator, emulator_url: None, images }
    }
}

/// The examples of `devenv runs`.
const RESET: &str = "\
While services work, messages about old items may still reach the new queues and databases; what
follows from a new item is not lost. For exact data, stop the services that write and those that
read messages first:
  devenv stop SERVICE..., devenv reset, devenv start SERVICE...";

const RUNS: &str = "\
The newest run, with the causes in its plan:
  devenv runs last -v

Lines of services are in devenv logs.";

#[derive(Debug, Clone, Args)]
pub struct Runs {
    /// Run to show: its id, the beginning of one, or last
    #[arg(value_name = "ID")]
    pub run: Option<String>,
    /// List the newest N
    #[arg(long, value_name = "N", default_value = "20", conflicts_with = "run")]
    pub limit: usize,
}

#[derive(Debug, Clone, Args)]
pub struct Restarted {
    /// Services to start; all by default
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Time limit for each to become ready
    #[arg(long, default_value = "120s", value_parser = duration)]
    pub timeout: Duration,
}

#[derive(Debug, Clone, Subcommand)]
pub enum ResourcesAction {
    /// List the resources: kind, name, state, and the messages in queues
    List(ResourceList),
    /// Move the dead letters of a queue back to the queues that they come from
    #[command(
        after_help = "For example, with the queue or its dead-letter queue:\n  devenv resources redrive reporting"
    )]
    Redrive {
        /// Queue that has a dead-letter queue, or a dead-letter queue
        #[arg(value_name = "QUEUE")]
        queue: String,
    },
    /// Delete every message of a queue
    #[command(after_help = "Without --yes, purge shows how many messages it would delete and asks.")]
    Purge {
        /// Queue to empty
        #[arg(value_name = "QUEUE")]
        queue: String,
        /// Skip the confirmation
        #[arg(short, long)]
        yes: bool,
    },
    /// Write a file for each table of a running emulator; files that are there stay as they are
    #[command(after_help = "For example:\n  devenv resources import --from http://127.0.0.1:8000")]
    Import(Import),
}

#[derive(Debug, Clone, Copy, Args)]
pub struct ResourceList {
    /// Output format
    #[arg(long, value_enum, default_value = "table")]
    pub format: ListFormat,
}

#[derive(Debug, Clone, Args)]
pub struct Import {
    /// Address of the emulator, on this machine
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// Print the files, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Region whose tables to read
    #[arg(long, value_name = "REGION", default_value = "eu-west-1")]
    pub region: String,
    /// Access key whose tables to read, for an emulator that keeps them apart
    #[arg(long, value_name = "KEY")]
    pub access_key: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub struct Exec {
    /// Do not give the command a terminal of its own; by default it gets one from a terminal
    #[arg(short = 'T', long)]
    pub no_tty: bool,
    /// Set a variable for the command: NAME=VALUE, or NAME to pass yours on
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = variable)]
    pub env: Vec<String>,
    /// Run in this folder
    #[arg(short, long, value_name = "DIR")]
    pub workdir: Option<String>,
    /// Run as this user of the container
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// The service beside which the command runs
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// The command and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub struct Invoke {
    /// The event, JSON in this file, or - for standard input; {} by default
    #[arg(short, long, value_name = "FILE")]
    pub event: Option<String>,
    /// The function to invoke
    #[arg(value_name = "FUNCTION")]
    pub function: String,
}

const INVOKE: &str = "\
The response goes to standard output; the log of the invocation and its REPORT line go to standard error.
The exit code is 1 if the function returned an error.

  echo '{\"Records\": []}' | devenv invoke low-stock --event -";

const EXEC: &str = "\
The exit code is the command's: 126 or 127 if it cannot be started, 128 and the signal's number if a
signal ends it. When devenv itself fails, it prints an error, and its exit code is one of its own.

  devenv exec api -- sh -c 'env | sort'";

#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Output format
    #[arg(long, value_enum, default_value = "yaml")]
    pub format: ConfigFormat,
}

#[derive(Debug, Clone, Args)]
pub struct Logs {
    /// Services to show; by default all, and the emulator
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Keep printing new lines
    #[arg(short, long)]
    pub follow: bool,
    /// Compose file, over the ones before; by default that of devenv.toml, or compose.yaml
    #[arg(id = FILES, long = "file", value_name = "FILE", help_heading = COMPOSE)]
    pub files: Vec<Utf8PathBuf>,
    /// Begin with the last N lines of each service
    #[arg(long, value_name = "N")]
    pub tail: Option<usize>,
    /// Show lines since a time, such as 2026-01-31T10:00:00Z, or of the last 10m
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub since: Option<Timestamp>,
    /// Show the lines that match a regular expression
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    pub grep: Option<Regex>,
    /// Print the time of each line
    #[arg(short, long)]
    pub timestamps: bool,
}

#[derive(Debug, Clone, Args)]
pub struct Test {
    /// Runtime of the services; auto is docker if a container engine answers
    #[arg(long, value_enum, default_value = "auto")]
    pub runtime: Runtime,
    /// Emulator of AWS; all runs the tests on each and compares the results
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
    /// Path of the JUnit report [default: .devenv/junit.xml]
    #[arg(long, value_name = "FILE")]
    pub junit: Option<Utf8PathBuf>,
    /// Time limit for the environment to become ready
    #[arg(long, default_value = "120s", value_parser = duration)]
    pub timeout: Duration,
    /// Arguments for the test command, such as the name of one test
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
pub enum ConfigFormat {
    Yaml,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    Table,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Action {
    Kill,
    Stop,
    Start,
}

impl Command {
    /// The command's name in results.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Environment(command) => command.name(),
            Self::Machine(command) => command.name(),
            Self::Promotion(command) => command.name(),
            Self::Completions { .. } => "completions",
            Self::Emulator { .. } => "emulator",
            Self::Database { .. } => "database",
            Self::Supervise { .. } => "supervise",
            Self::Guard => "guard",
        }
    }
}

impl Command {
    /// Whether the command changes something, so that its run is kept in the journal.
    pub fn is_recorded(&self) -> bool {
        match self {
            Self::Environment(command) => command.is_recorded(),
            Self::Promotion(command) => command.is_recorded(),
            Self::Machine(_)
            | Self::Completions { .. }
            | Self::Emulator { .. }
            | Self::Supervise { .. }
            | Self::Guard
            | Self::Database { .. } => false,
        }
    }
}

impl EnvironmentCommand {
    fn is_recorded(&self) -> bool {
        match self {
            Self::Up(up) => !up.dry_run,
            Self::Down { .. }
            | Self::Stop { .. }
            | Self::Start(_)
            | Self::Restart(_)
            | Self::Seed { .. }
            | Self::Reset
            | Self::Test(_) => true,
            Self::Resources { action, .. } => {
                matches!(action, Some(ResourcesAction::Redrive { .. } | ResourcesAction::Purge { .. }))
            }
            Self::Init(_)
            | Self::Status
            | Self::Ps
            | Self::Logs(_)
            | Self::Runs(_)
            | Self::Exec(_)
            | Self::Invoke(_)
            | Self::Env { .. }
            | Self::Config(_)
            | Self::Doctor { .. }
            | Self::Own { .. }
            | Self::Unit { .. } => false,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Up(_) => "up",
            Self::Down { .. } => "down",
            Self::Stop { .. } => "stop",
            Self::Start(_) => "start",
            Self::Restart(_) => "restart",
            Self::Status => "status",
            Self::Ps => "ps",
            Self::Logs(_) => "logs",
            Self::Runs(_) => "runs",
            Self::Seed { .. } => "seed",
            Self::Reset => "reset",
            Self::Exec(_) => "exec",
            Self::Invoke(_) => "invoke",
            Self::Resources { .. } => "resources",
            Self::Env { .. } => "env",
            Self::Config(_) => "config",
            Self::Test(_) => "test",
            Self::Doctor { .. } => "doctor",
            Self::Own { .. } => "self",
            Self::Unit { .. } => "unit",
        }
    }
}

impl MachineCommand {
    fn name(&self) -> &'static str {
        match self {
            Self::Ls => "ls",
            Self::Prune { .. } => "prune",
        }
    }
}

impl PromotionCommand {
    fn is_recorded(&self) -> bool {
        match self {
            Self::Promote { .. } | Self::Rollback { .. } | Self::Evidence { .. } => true,
            Self::History { .. } | Self::RehearseService => false,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Promote { .. } => "promote",
            Self::Rollback { .. } => "rollback",
            Self::History { .. } => "history",
            Self::Evidence { .. } => "evidence",
            Self::RehearseService => "rehearse-service",
        }
    }
}

/// A wrong command line, or a request for help.
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

/// Whether an unparsable command line requests JSON.
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

    fn compose(line: &str) -> ComposeOptions {
        let arguments = Arguments::try_parse_from(line.split_whitespace()).unwrap_or_else(|error| panic!("{error}"));
        arguments.global.compose.options()
    }

    #[test]
    fn compose_options_stand_before_or_after_any_command() {
        for line in [
            "devenv -f a.yaml -f b.yaml --profile x --env-file e.env up -d",
            "devenv up -d -f a.yaml --file b.yaml --profile x --env-file e.env",
            "devenv -f a.yaml -f b.yaml --profile x logs -f --env-file e.env",
            "devenv --profile x logs --file a.yaml --file b.yaml --env-file e.env -f web",
            "devenv test -f a.yaml -f b.yaml --profile x --env-file e.env -- -f c.yaml",
        ] {
            let options = compose(line);
            assert_eq!(options.files, ["a.yaml", "b.yaml"], "{line}");
            assert_eq!((options.profiles, options.env_files), (vec!["x".to_owned()], vec!["e.env".into()]), "{line}");
        }
    }
}
