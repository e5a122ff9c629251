/// What AWS refused or failed to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {action}: {cause}")]
pub struct CloudError {
    /// Such as `read dev/releases/lock`.
    pub action: String,
    pub cause: String,
    pub kind: CloudErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudErrorKind {
    /// A condition of a write did not hold.
    Conflict,
    NotFound,
    /// The login is absent or has expired.
    Login,
    /// The login may not do this.
    Denied,
    /// It took too many requests, or can take none for the moment.
    Throttled,
    /// It failed by its own fault (5xx), or what came was no answer.
    Unavailable,
    Unreachable,
    Other,
}

impl CloudError {
    /// Whether the same may go well in a while, with nobody doing anything about it.
    pub fn may_pass(&self) -> bool {
        matches!(self.kind, CloudErrorKind::Throttled | CloudErrorKind::Unavailable | CloudErrorKind::Unreachable)
    }
}
