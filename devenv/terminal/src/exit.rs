use std::io::{self, Write};
use std::process::ExitCode;

/// A command's exit code. `devenv --help` documents them, and scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// The command failed: tests are red, a service is unhealthy.
    Failed = 1,
    Usage = 2,
    ConfigurationInvalid = 3,
    PrerequisiteMissing = 4,
    NotReadyInTime = 5,
    /// The gate refused a promotion; nothing changed.
    Gate = 6,
    /// A release failed and was rolled back.
    RolledBack = 7,
    /// A release failed, and so did the rollback.
    RollbackFailed = 8,
    Locked = 9,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The exit of a command that prints results: lost output is a failure. A reader that stops early, such as `head`, loses
/// nothing.
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
  1    the command failed: tests are red, a service is unhealthy
  2    the command line is wrong
  3    the configuration is invalid
  4    a prerequisite is missing
  5    not ready before the deadline
  6    the gate refused the promotion; nothing changed
  7    the release failed and was rolled back
  8    the release failed, and so did the rollback
  9    another run holds the lock
  130  interrupted";
