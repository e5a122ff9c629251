//! The long-lived commands `emulator`, `database` and `supervise`, which render nothing.

use std::process::ExitCode;

use camino::Utf8Path;
use devenv_databases::serve;
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

/// Becomes a PostgreSQL server.
pub(crate) fn database(arguments: &[String]) -> ExitCode {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let started = serve::Options::parse(arguments).and_then(|options| {
        let login = serve::login_of(variable)?;
        let cache = variable("XDG_CACHE_HOME").or_else(|| Some(format!("{}/.cache", variable("HOME")?)));
        Err::<(), _>(serve::serve(&options, &login, cache.as_deref().map(Utf8Path::new)))
    });
    match started {
        Ok(()) => Exit::Done.into(),
        Err(error) => complain(&error.to_string(), Exit::Failed),
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
