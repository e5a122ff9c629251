use std::time::Duration;

use camino::Utf8PathBuf;
use devenv_model::resource::ResourceId;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{url} is not an endpoint on this machine")]
    NotLocal { url: String },
    #[error("{operation} got no answer from the emulator at {endpoint}: {cause}")]
    Unreachable { operation: &'static str, endpoint: String, cause: String },
    /// The emulator's own error; `kind` is the exception's name without its namespace.
    #[error("the emulator refused {operation}: {kind}: {message}")]
    Refused { operation: &'static str, kind: String, message: String },
    #[error("{resource} differs from {file}: {}", differences.join("; "))]
    Differs { resource: ResourceId, file: Utf8PathBuf, differences: Vec<String> },
    #[error("{resource} is not active after {} s", after.as_secs())]
    NotActive { resource: ResourceId, after: Duration },
}

impl Error {
    pub(crate) fn is(&self, exception: &str) -> bool {
        matches!(self, Self::Refused { kind, .. } if kind == exception)
    }
}
