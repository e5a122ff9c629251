use std::fmt;

use futures_util::future::BoxFuture;

use crate::CloudError;

/// The caller's identity (STS).
pub trait Identity: Send + Sync + fmt::Debug {
    fn caller(&self) -> BoxFuture<'_, Result<Caller, CloudError>>;
    /// The region that the caller's environment names; `None` when it names none.
    fn region(&self) -> Option<&str>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    pub arn: String,
}
