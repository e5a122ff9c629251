//! Asks the address of a release which image answers there.

use std::fmt;

use futures_util::future::BoxFuture;

/// Who answers where a release is live.
pub trait ReleaseProbe: Send + Sync + fmt::Debug {
    /// The image that `/version` at this address names, or why it names none.
    fn image<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<String, String>>;
}
