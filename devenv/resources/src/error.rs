use std::time::Duration;

use camino::Utf8PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{url} is not an endpoint on this machine")]
    NotLocal { url: String },
    #[error("{operation} got no answer from the emulator at {endpoint}: {cause}")]
    Unreachable { operation: &'static str, endpoint: String, cause: String },
    /// The emulator's own error; `kind` is the exception's name without its namespace.
    #[error("{operation} was refused by the emulator: {kind}: {message}")]
    Refused { operation: &'static str, kind: String, message: String },
    #[error("table {table} differs from {file}: {}", differences.join("; "))]
    TableDiffers { table: String, file: Utf8PathBuf, differences: Vec<String> },
    #[error("table {table} is not active after {} s", after.as_secs())]
    NotActive { table: String, after: Duration },
}

impl Error {
    pub(crate) fn is(&self, exception: &str) -> bool {
        matches!(self, Self::Refused { kind, .. } if kind == exception)
    }
}
