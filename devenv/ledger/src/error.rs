use devenv_cloud::CloudError;
use devenv_releases::format::FormatError;

/// Why the records of a target could not be read or written, or its lease not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{owner} has been promoting to {environment} since {since}")]
    Locked { environment: String, owner: String, since: String },
    #[error("{owner} took over the lock of {environment}")]
    LockLost { environment: String, owner: String },
    #[error("cannot use the {} {key}: {error}", error.what())]
    Unusable { bucket: String, key: String, error: FormatError },
    #[error("none of the last {records} promotions to {environment} ended live, so the live release is unknown")]
    LookBack { environment: String, records: usize },
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The caller gave up waiting for the lease.
    #[error("interrupted")]
    Cancelled,
}
