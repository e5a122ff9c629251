use std::process::ExitCode;

use order_reporting::{Config, IDENTITY, SUBCOMMANDS, run};

fn main() -> ExitCode {
    order_service::main_with(IDENTITY, SUBCOMMANDS, Config::read, run)
}
