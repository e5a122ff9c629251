//! Errors of a command with its supervisor, and with the files that both share.

use camino::Utf8PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}: {source}")]
    Read { path: Utf8PathBuf, source: std::io::Error },
    /// The state directory is read-only, full, or another user's.
    #[error("cannot write {path}: {source}")]
    Write { path: Utf8PathBuf, source: std::io::Error },
    #[error("another devenv (process {pid}) is changing this environment")]
    Locked { pid: u32 },
    /// A newer devenv started the environment, or an older one, of which a command asks more than its end.
    #[error("the running supervisor uses control protocol {found}, this devenv uses {known}")]
    Version {
        found: u32,
        known: u32,
        /// The program that started the environment, if the supervisor names it.
        program: Option<Utf8PathBuf>,
    },
    #[error("lost the supervisor: {cause}")]
    Lost { cause: String },
    /// The environment belongs to another user.
    #[error("cannot reach the supervisor at {path}: {source}")]
    Denied { path: Utf8PathBuf, source: std::io::Error },
    /// The supervisor is stopped (SIGSTOP), or its machine is overloaded.
    #[error("the supervisor (process {pid}) holds its lock and does not answer")]
    Silent { pid: u32 },
    /// Another user could answer in the supervisor's place.
    #[error("cannot trust {path}: {why}")]
    Untrusted { path: Utf8PathBuf, why: String, remedy: String },
    #[error("the supervisor refused: {reason}")]
    Refused { reason: String },
}
