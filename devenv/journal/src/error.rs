use camino::Utf8PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}: {source}")]
    Read { path: Utf8PathBuf, source: std::io::Error },
    #[error("cannot write {path}: {source}")]
    Write { path: Utf8PathBuf, source: std::io::Error },
    /// No run has this id.
    #[error("no run has the id {id}")]
    Unknown { id: String },
    /// Every id would begin with it.
    #[error("the id of a run is empty")]
    NoId,
    #[error("{id} begins the ids of several runs: {}", runs.join(", "))]
    Ambiguous { id: String, runs: Vec<String> },
    /// The file has no first line that describes a run.
    #[error("{path} is not the journal of a run")]
    Foreign { path: Utf8PathBuf },
}
