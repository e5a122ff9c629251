use std::time::Duration;

use devenv_databases::choice::NoServer;
use devenv_runtime::{Error as RuntimeError, HostError, NoHost};
use devenv_supervisor::error::Error as SupervisorError;

/// The errors of engine commands. The command line adds hints and exit codes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error("no service is named {name}; the names are {}", known.join(", "))]
    UnknownService { name: String, known: Vec<String> },
    #[error("service {service} has no [services.{service}.process] section, so it cannot run without Docker")]
    NotAProcess { service: String },
    #[error("{service} needs a PostgreSQL server: {cause}")]
    NoPostgres { service: String, cause: NoServer },
    /// A database that `reset` cannot make anew.
    #[error("cannot make the database of {service} anew: {cause}")]
    ResetDatabase { service: String, cause: String },
    /// These services have no process settings, so that only an engine can run them.
    #[error("{} can run in containers only, and {none}", services.join(", "))]
    NeedsEngine { services: Vec<String>, none: NoHost },
    /// Only a container engine can run this emulator.
    #[error("the emulator {emulator} is a container image, and the process runtime runs programs only")]
    NeedsContainers { emulator: &'static str },
    #[error("no free port found near {near}")]
    NoFreePort { near: u16 },
    #[error(transparent)]
    Resource(#[from] devenv_resources::error::Error),
    #[error("{waiting_for}: not done within {}", humane(*after))]
    Deadline { waiting_for: String, unit: Option<String>, after: Duration, log: Vec<String> },
    #[error("{service} is not a part of the running environment")]
    NotStarted { service: String },
    #[error("service {service}: {cause}")]
    Template { service: String, cause: String },
    /// The environment could reach real AWS.
    #[error("service {service} has {variable}={value}, which is not an endpoint on this machine")]
    NotLocal { service: String, variable: String, value: String },
    #[error("interrupted")]
    Cancelled,
}

impl From<HostError> for Error {
    fn from(error: HostError) -> Self {
        Self::Runtime(error.into())
    }
}

impl From<NoHost> for Error {
    fn from(none: NoHost) -> Self {
        Self::Runtime(none.into())
    }
}

impl From<SupervisorError> for Error {
    fn from(error: SupervisorError) -> Self {
        Self::Runtime(error.into())
    }
}

impl Error {
    /// The last lines of the failed program's output, oldest first.
    pub fn log(&self) -> &[String] {
        match self {
            Self::Runtime(error) => error.log(),
            Self::Deadline { log, .. } => log,
            _ => &[],
        }
    }
}

fn humane(duration: Duration) -> String {
    if duration.as_secs() >= 1 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} ms", duration.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_named_in_the_unit_that_a_person_gave_it_in() {
        let after = |after| {
            let (waiting_for, log) = ("api".to_owned(), Vec::new());
            Error::Deadline { waiting_for, unit: None, after, log }.to_string()
        };
        assert_eq!(after(Duration::from_millis(250)), "api: not done within 250 ms");
        assert_eq!(after(Duration::from_secs(90)), "api: not done within 90.0 s");
    }
}
