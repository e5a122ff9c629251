use camino::Utf8PathBuf;
use devenv_document::problem::Mistakes;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path} is there already, and devenv init changes no file that it did not make")]
    Exists { path: Utf8PathBuf },
    #[error("{folder} has no Compose file, and no Dockerfile that one could be written for")]
    NothingToStart { folder: Utf8PathBuf },
    #[error("devenv.toml names one Compose file, not {}", files.len())]
    SeveralFiles { files: Vec<Utf8PathBuf> },
    #[error("cannot read {path}: {source}")]
    Read { path: Utf8PathBuf, source: std::io::Error },
    #[error("cannot write {path}: {source}")]
    Write { path: Utf8PathBuf, source: std::io::Error },
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
}
