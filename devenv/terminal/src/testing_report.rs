//! Codes, exit codes and hints for the errors of a test run.

use devenv_testing::error::Error;

use crate::exit::Exit;
use crate::report::{self, Failure, Told};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Engine(error) => error.into(),
            other => Self::new(other.to_string(), &[], describe(&other)),
        }
    }
}

pub fn describe(error: &Error) -> Told {
    let hint = |text: &str| Some(text.to_owned());
    match error {
        Error::NoTests => ("no_tests", Exit::ConfigurationInvalid, hint("add [test] command = [...] to devenv.toml")),
        Error::Start { .. } => ("test_start", Exit::PrerequisiteMissing, hint("see [test] command in devenv.toml")),
        Error::Write { .. } => ("test_write", Exit::Failed, hint("name another file: devenv test --junit FILE")),
        Error::Read(_) => ("testing", Exit::Failed, hint("devenv doctor")),
        Error::Engine(error) => report::describe(error),
    }
}
