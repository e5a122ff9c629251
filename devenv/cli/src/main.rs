//! The `devenv` command: arguments in, events and one result out. What it does is in `devenv-engine`.

mod arguments;
mod background;
mod commands;
mod exit;
mod promotion_report;
mod render;
mod report;
mod run;
mod testing_report;

use std::process::ExitCode;

fn main() -> ExitCode {
    match arguments::read() {
        Ok(arguments) => run::run(arguments),
        Err(usage) => usage.show(),
    }
}
