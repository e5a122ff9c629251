use std::process::ExitCode;

use order_processor::{Config, IDENTITY, run};

fn main() -> ExitCode {
    order_service::main(IDENTITY, Config::read, run)
}
