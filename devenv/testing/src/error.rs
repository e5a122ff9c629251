use camino::Utf8PathBuf;
use devenv_engine::Error as EngineError;

/// Why no test ran, or what came of it could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("devenv.toml has no [test] section")]
    NoTests,
    #[error("the test command {program} cannot be started: {source}")]
    Start { program: String, source: std::io::Error },
    #[error("the output of the test command cannot be read: {0}")]
    Read(std::io::Error),
    #[error("cannot write {path}: {source}")]
    Write { path: Utf8PathBuf, source: std::io::Error },
    #[error(transparent)]
    Engine(#[from] EngineError),
}
