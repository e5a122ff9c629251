use camino::Utf8PathBuf;
use devenv_engine::Error as EngineError;
use devenv_runtime::Error as RuntimeError;

/// Why no test ran, or why its results could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("devenv.toml has no [test] section")]
    NoTests,
    #[error("cannot start the test command {program}: {source}")]
    Start { program: String, source: std::io::Error },
    #[error("cannot read the output of the test command: {0}")]
    Read(std::io::Error),
    #[error("cannot write {path}: {source}")]
    Write { path: Utf8PathBuf, source: std::io::Error },
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<RuntimeError> for Error {
    fn from(error: RuntimeError) -> Self {
        Self::Engine(error.into())
    }
}
