//! The long-lived commands `emulator` and `supervise`, which render nothing.

use std::process::ExitCode;

use devenv_engine::Error;
use devenv_supervisor::server::{self, SuperviseOptions};
use devenv_terminal::arguments::Global;
use devenv_terminal::exit::Exit;
use devenv_terminal::report::exit;
use devenv_terminal::run::{complain, complain_as};

use crate::background::Background;

pub(crate) fn emulator(arguments: &[String]) -> ExitCode {
    match devenv_emulator::parse(arguments.iter().cloned())
        .and_then(|options| devenv_emulator::run_until_signalled(&options))
    {
        Ok(()) => Exit::Done.into(),
        Err(error) => complain_as(&error.to_string(), ExitCode::from(error.exit_code())),
    }
}

pub(crate) fn supervise(global: &Global, instance: &str) -> ExitCode {
    let Some(state_dir) = global.state_dir.clone() else {
        return complain("supervise needs --state-dir", Exit::Usage);
    };
    // Standard error is the file that `up` shows when the supervisor fails.
    let log = Background::stderr();
    tracing_subscriber::fmt().with_writer(move || log.clone()).with_ansi(false).with_target(false).init();
    // One thread: otherwise a second child, started meanwhile, could inherit a lock meant for the first.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("cannot start: {error}"), Exit::Failed),
    };
    let options = SuperviseOptions { state_dir, instance: instance.to_owned() };
    match runtime.block_on(server::supervise(options)) {
        Ok(()) => Exit::Done.into(),
        Err(error) => {
            let error = Error::from(error);
            complain(&error.to_string(), exit(&error))
        }
    }
}
