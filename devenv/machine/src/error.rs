use camino::Utf8PathBuf;
use devenv_containers::engine::HostError;
use devenv_supervisor::error::Error as SupervisorError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}: {source}")]
    Read { path: Utf8PathBuf, source: std::io::Error },
    #[error("cannot remove {path}: {source}")]
    Remove { path: Utf8PathBuf, source: std::io::Error },
    #[error(transparent)]
    Supervisor(#[from] SupervisorError),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("confirmation required, but stdin is not a terminal")]
    NobodyToAsk,
    #[error("declined; nothing is removed")]
    Declined,
}
