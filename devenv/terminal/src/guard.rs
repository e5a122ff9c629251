//! The guard of a test command: each program starts itself with this command.

use std::process::ExitCode;

use crate::arguments::Global;
use crate::exit::Exit;
use crate::run::complain;
use crate::testing_report::describe;

/// Runs until its parent is gone, then ends the test command.
pub fn guard(global: &Global) -> ExitCode {
    let Some(state_dir) = &global.state_dir else {
        return complain("guard needs --state-dir", Exit::Usage);
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("cannot start: {error}"), Exit::Failed),
    };
    match runtime.block_on(devenv_testing::guard::guard(state_dir)) {
        Ok(()) => Exit::Done.into(),
        Err(error) => complain(&error.to_string(), describe(&error).1),
    }
}
