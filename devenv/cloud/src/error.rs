/// A request that AWS refused or failed.
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
    /// The condition of a write did not hold.
    Conflict,
    NotFound,
    /// The login is absent or has expired.
    Login,
    /// The login may not do this.
    Denied,
    /// AWS throttles requests for the moment.
    Throttled,
    /// AWS failed (5xx), or its answer was unreadable.
    Unavailable,
    Unreachable,
    Other,
}

impl CloudError {
    /// Whether the same request may succeed later without any intervention.
    pub fn may_pass(&self) -> bool {
        matches!(self.kind, CloudErrorKind::Throttled | CloudErrorKind::Unavailable | CloudErrorKind::Unreachable)
    }
}
