//! Measures what the project promises, and rehearses crashes of the tool itself. Benchmarks are never tests: the
//! figures are printed beside their targets, and only a run that did not work is an error.

mod environment;
mod figures;
mod interrupt;
mod load;
mod machine;
mod memory;
mod soak;
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
    /// What runs the services in a soak
    #[arg(long, default_value = "process", global = true)]
    runtime: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every figure of the table, appended to bench/history.jsonl
    All {
        /// Runs of each command
        #[arg(long, default_value_t = 11)]
        runs: usize,
        /// Length of each load
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// One load for a long time, to see whether it decays
    Sustain {
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        #[arg(long, default_value_t = 8)]
        connections: usize,
    },
    /// Rounds of kill -9 of anything at any moment; the next command must put it right and touch nobody else's
    Soak {
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Of the first round, to repeat what an earlier soak printed
        #[arg(long)]
        seed: Option<u64>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = interrupt::guarded(move || match arguments.command {
        Command::All { runs, seconds } => suite::all(&arguments.devenv, runs, seconds),
        Command::Sustain { seconds, connections } => suite::sustain(&arguments.devenv, seconds, connections),
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

#[expect(clippy::print_stdout, reason = "the one place where this program speaks to a person")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}
