//! Errors between a command, its supervisor and the files that both share.

use camino::Utf8PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}: {source}")]
    Read { path: Utf8PathBuf, source: std::io::Error },
    /// The state directory is read-only, full, or not ours.
    #[error("cannot write {path}: {source}")]
    Write { path: Utf8PathBuf, source: std::io::Error },
    #[error("another devenv (process {pid}) is changing this environment")]
    Locked { pid: u32 },
    #[error("the running supervisor speaks control protocol {found}, this devenv {known}")]
    Version { found: u32, known: u32 },
    #[error("lost the supervisor: {cause}")]
    Lost { cause: String },
    /// The environment is another user's.
    #[error("cannot reach the supervisor at {path}: {source}")]
    Denied { path: Utf8PathBuf, source: std::io::Error },
    /// It was stopped (SIGSTOP), or its machine is out of everything.
    #[error("the supervisor (process {pid}) holds its lock and does not answer")]
    Silent { pid: u32 },
    /// Somebody else could speak in the supervisor's place, or listen in it.
    #[error("{path} is not to be trusted: {why}")]
    Untrusted { path: Utf8PathBuf, why: String, remedy: String },
    #[error("the supervisor refused: {reason}")]
    Refused { reason: String },
}
