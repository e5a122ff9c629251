//! Measures the project's promises, and kills the tool itself. Benchmarks are never tests: they print figures beside their
//! targets, and only a broken run is an error.

mod environment;
mod events;
mod figures;
mod interrupt;
mod load;
mod machine;
mod memory;
mod queues;
mod soak;
mod streams;
mod suite;

use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::{Parser, Subcommand};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, Parser)]
#[command(about = "Measures devenv and the order system")]
struct Arguments {
    /// The program to measure
    #[arg(long, default_value = "target/release/devenv", global = true)]
    devenv: Utf8PathBuf,
    /// Runtime of the services in a soak
    #[arg(long, default_value = "process", global = true)]
    runtime: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure every figure, print the table and append it to bench/history.jsonl
    All {
        /// Runs of each command
        #[arg(long, default_value_t = 11)]
        runs: usize,
        /// Length of each load, in seconds
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// Run one load for a long time and compare its first rate with its last
    Sustain {
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        #[arg(long, default_value_t = 8)]
        connections: usize,
    },
    /// Measure the queues of the embedded emulator beside its tables
    Queues {
        /// Length of each load, in seconds
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Length of the load on a queue of 100,000 messages, in seconds
        #[arg(long, default_value_t = 60)]
        flow: u64,
    },
    /// Measure the cost of a stream on the table `inventory` in the embedded emulator
    Streams {
        /// Writes to a table with a stream, and as many to one without
        #[arg(long, default_value_t = 200_000)]
        writes: usize,
    },
    /// Measure what events cost, and the time from an order to its report
    Events {
        /// Length of the load with events, and of that without, in seconds
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Start the reports too (profile `reporting`), and measure the time from an order to its report
        #[arg(long)]
        reports: bool,
    },
    /// Kill random processes at random times; the next command must repair the project and touch nothing foreign
    Soak {
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Seed of the first round; use a printed seed to repeat its round
        #[arg(long)]
        seed: Option<u64>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = interrupt::guarded(move || match arguments.command {
        Command::All { runs, seconds } => suite::all(&arguments.devenv, runs, seconds),
        Command::Sustain { seconds, connections } => suite::sustain(&arguments.devenv, seconds, connections),
        Command::Queues { seconds, flow } => queues::run(&arguments.devenv, seconds, flow),
        Command::Streams { writes } => streams::run(&arguments.devenv, writes),
        Command::Events { seconds, reports } => events::run_all(&arguments.devenv, seconds, reports),
        Command::Soak { rounds, seed } => soak::run(&arguments.devenv, &arguments.runtime, rounds, seed),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the only place that prints")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}
