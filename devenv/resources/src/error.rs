use std::time::Duration;

use camino::Utf8PathBuf;
use devenv_model::resource::ResourceId;

use crate::endpoint::Endpoint;

/// The exceptions of emulators without an operation.
const ABSENT: [&str; 5] =
    ["UnknownOperationException", "UnknownOperation", "InvalidAction", "NotImplemented", "NotImplementedException"];

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
    /// The emulator does not know the operation or the service.
    #[error("the emulator at {endpoint} has no {operation}")]
    Lacks { operation: &'static str, endpoint: String },
    #[error("no file declares the queue {name}; the queues are {}", known.join(", "))]
    UnknownQueue { name: String, known: Vec<String> },
    #[error("{queue} has no dead-letter queue, and is none")]
    NoDeadLetterQueue { queue: String },
    #[error("the emulator stopped moving messages out of {queue} after {moved}: {reason}")]
    MoveFailed { queue: String, moved: u64, reason: String },
    #[error("no message of {queue} was moved for {} s, after {moved}", after.as_secs())]
    MoveStalled { queue: String, moved: u64, after: Duration },
}

impl Error {
    /// Whether the emulator refused the operation with this exception.
    pub fn is(&self, exception: &str) -> bool {
        matches!(self, Self::Refused { kind, .. } if kind == exception)
    }

    /// This error, or [`Self::Lacks`] if the emulator refused the operation because it has none of this name.
    pub(crate) fn or_lacks(self, endpoint: &Endpoint) -> Self {
        match self {
            Self::Refused { operation, kind, message }
                if ABSENT.contains(&kind.as_str()) || message.contains("not yet implemented") =>
            {
                Self::Lacks { operation, endpoint: endpoint.to_string() }
            }
            other => other,
        }
    }
}
