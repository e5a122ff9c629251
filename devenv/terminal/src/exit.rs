use std::io::{self, Write};
use std::process::ExitCode;

/// What the command's exit code says. Documented in `devenv --help`; scripts rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// What was asked for failed: tests are red, a service is unhealthy.
    Failed = 1,
    Usage = 2,
    ConfigurationInvalid = 3,
    PrerequisiteMissing = 4,
    NotReadyInTime = 5,
    /// A promotion that its gate refused; nothing was changed.
    Gate = 6,
    /// A release failed, and what was before is live again.
    RolledBack = 7,
    /// A release failed, and the way back too.
    RollbackFailed = 8,
    Locked = 9,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The exit of a command whose output is for somebody: it failed where its output is lost. A reader who has enough, as
/// `head` has, loses nothing.
pub fn printed(delivered: io::Result<()>, exit: Exit) -> Exit {
    match delivered {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(io::stderr(), "error: cannot write to standard output: {error}");
            Exit::Failed
        }
        _ => exit,
    }
}

/// The part of the long help that documents the codes.
pub const HELP: &str = "\
Exit codes:
  0    done
  1    what was asked for failed: tests are red, a service is unhealthy
  2    the command line is wrong
  3    the configuration is invalid
  4    a prerequisite is missing
  5    not ready before the deadline
  6    a promotion was refused by its gate; nothing was changed
  7    a release failed; what was live before is live again
  8    a release failed, and so did the rollback
  9    another run holds the lock
  130  interrupted";
