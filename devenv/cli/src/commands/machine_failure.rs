//! The codes and hints of errors of commands on all environments.

use devenv_engine::Error as EngineError;
use devenv_machine::Error;
use devenv_terminal::exit::Exit;
use devenv_terminal::report::{Failure, Told};

pub(super) fn failure(error: Error) -> Failure {
    match error {
        Error::Supervisor(error) => EngineError::from(error).into(),
        Error::Host(error) => EngineError::from(error).into(),
        other => Failure::new(other.to_string(), &[], told(&other)),
    }
}

fn told(error: &Error) -> Told {
    match error {
        Error::NobodyToAsk => {
            ("nobody_to_ask", Exit::Usage, Some("devenv prune --yes; devenv prune --dry-run shows it".to_owned()))
        }
        Error::Declined => ("declined", Exit::Failed, None),
        _ => ("runtime_directory", Exit::Failed, Some("check the folder's permissions".to_owned())),
    }
}
