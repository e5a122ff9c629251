use std::process::ExitCode;

use low_stock::{Config, IDENTITY, run};

fn main() -> ExitCode {
    order_service::function(IDENTITY, Config::read, run)
}
