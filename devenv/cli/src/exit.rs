use std::process::ExitCode;

/// What the command's exit code says. Documented in `devenv --help`; scripts rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
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

/// The part of the long help that documents the codes.
pub(crate) const HELP: &str = "\
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
