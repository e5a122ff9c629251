use camino::Utf8PathBuf;

/// Why a server cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Usage(String),
    #[error("cannot {action} {path}: {source}")]
    File { action: &'static str, path: Utf8PathBuf, source: std::io::Error },
    #[error("cannot run {program}: {source}")]
    Run { program: Utf8PathBuf, source: std::io::Error },
    #[error("{program} failed:\n{output}")]
    Failed { program: Utf8PathBuf, output: String },
    #[error(
        "{data} holds data of PostgreSQL {found}, and {server} is PostgreSQL {major}; install PostgreSQL {found}, or remove the \
         data: devenv down --volumes"
    )]
    OtherVersion { data: Utf8PathBuf, found: String, server: Utf8PathBuf, major: u16 },
    #[error("PostgreSQL does not run as root, and this system has no user `postgres` or `nobody` to run it as")]
    NoUser,
    /// Only Linux lets another user in where the path is closed.
    #[error("PostgreSQL does not run as root on this system: run devenv as another user")]
    Root,
    #[error("{name} has a control character, which a login cannot have")]
    Login { name: &'static str },
}

impl Error {
    pub(crate) fn file(action: &'static str, path: &camino::Utf8Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::File { action, path: path.to_owned(), source }
    }
}
